/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table's life, and the accept rule: the only writer of its records. */
#include "core/table.h"

#include <stdlib.h>

#include "core/least.h"
#include "core/mutant.h"
#include "core/outbox.h"
#include "core/pack.h"
#include "core/shard.h"

/* --- life ---------------------------------------------------------------- */

enum herd_error
table_new(const struct table_config *config, struct table **out)
{
	struct table *table = aligned_alloc(64, sizeof(*table));
	unsigned made = 0;

	if (table == NULL)
		return HERD_ENOMEM;
	memset(table, 0, sizeof(*table));
	table->key = config->key;
	table->max_clients = config->max_clients;
	table->expire_after_ns = config->expire_after_ns;
	if (names_init(&table->names) != HERD_OK)
		goto fail;
	while (made < TABLE_SHARDS &&
	       shard_init(table, &table->shards[made]) == HERD_OK)
		made++;
	if (made < TABLE_SHARDS)
		goto fail_shards;
	if (pthread_mutex_init(&table->outbox_lock, NULL) != 0)
		goto fail_shards;
	if (pthread_mutex_init(&table->evict_lock, NULL) != 0)
		goto fail_outbox_lock;
	*out = table;
	return HERD_OK;

fail_outbox_lock:
	pthread_mutex_destroy(&table->outbox_lock);
fail_shards:
	while (made > 0)
		shard_release(table, &table->shards[--made]);
	names_release(&table->names);
fail:
	free(table);
	return HERD_ENOMEM;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (unsigned i = 0; i < TABLE_SHARDS; i++)
		shard_release(table, &table->shards[i]);
	pthread_mutex_destroy(&table->evict_lock);
	pthread_mutex_destroy(&table->outbox_lock);
	names_release(&table->names);
	free(table);
}

struct names *
table_names(struct table *table)
{
	return &table->names;
}

/* --- the accept rule ----------------------------------------------------- */

/* Compares the report with the slot's: <0 older, 0 the same, >0 newer. */
static enum herd_error
slot_order(const struct table *table, const struct slot *slot,
    const struct report *report, int *order)
{
	char scratch[SLOT_SCRATCH];
	struct report held;
	char *heap;

	if (report->time_ns != slot->time_ns) {
		*order = report->time_ns < slot->time_ns ? -1 : 1;
		return HERD_OK;
	}
	if (MUTANT(NO_TIE_BREAK)) {
		*order = -1;
		return HERD_OK;
	}
	if (slot_read(table, slot, scratch, &heap, &held) != HERD_OK)
		return HERD_ENOMEM;
	*order = report_compare(report, &held);
	free(heap);
	return HERD_OK;
}

/* --- bounds -------------------------------------------------------------- */

static bool
is_out_of_bytes(const struct table *table, const struct table_bounds *bounds)
{
	return bounds != NULL && bounds->max_bytes != 0 &&
	       table_bytes(table) >= bounds->max_bytes;
}

/*
 * The cap at intake counts positions, so a removal makes a place. In a full
 * table the new client's record evicts the least one. Each removal makes only
 * one place, because otherwise a single removal would let new clients push out
 * all others. `ahead` are about to take a place.
 */
static bool
has_no_place(const struct table *table, const struct table_bounds *bounds,
    uint64_t ahead)
{
	uint64_t cap = table->max_clients;
	uint64_t records = atomic_load(&table->records);
	uint64_t removals = atomic_load(&table->removals);

	return bounds != NULL && bounds->refuse_at_cap && cap != 0 &&
	       records + ahead >= cap &&
	       (records - removals + ahead >= cap ||
		   atomic_load(&table->replaced) >= removals);
}

/* May a client that is not known come in? */
static enum put_result
judge_new(const struct table *table, const struct table_bounds *bounds,
    uint64_t ahead)
{
	if (is_out_of_bytes(table, bounds))
		return PUT_NO_ROOM;
	return has_no_place(table, bounds, ahead) ? PUT_FULL : PUT_ACCEPTED;
}

/* Would the report need a larger block than the position it replaces? */
static bool
is_too_long(const struct table *table, const struct slot *slot,
    const struct report *report, const struct table_bounds *bounds)
{
	return is_out_of_bytes(table, bounds) && slot->state == SLOT_POSITION &&
	       slot_blob_memory(pack_size(report)) >
		   slot_blob_memory(slot->blob_len);
}

/* --- one shard ----------------------------------------------------------- */

/*
 * A client repeats itself, or is late, and its reply waits for the store. The
 * record that is held may have come from a node that never wrote it, and if all
 * nodes died it would be gone.
 */
static void
owe_again(struct table *table, struct shard *shard, uint32_t number,
    uint32_t from, const struct outbox *store)
{
	if (store != NULL && store->scope == OUTBOX_OWN &&
	    from == FROM_CLIENT &&
	    shard_slot(shard, number)->from != FROM_CLIENT &&
	    !MUTANT(REPEAT_NOT_OWED))
		outbox_owe_slot(
		    table, shard, number, UINT64_C(1) << store->bit);
}

static enum put_result
shard_replace(struct table *table, struct shard *shard, uint32_t number,
    const struct report *report, uint32_t from, const struct outbox *store,
    const struct table_bounds *bounds)
{
	struct slot *slot = shard_slot(shard, number);
	int order;

	if (slot_order(table, slot, report, &order) != HERD_OK)
		return PUT_NOMEM;
	if (order <= 0)
		owe_again(table, shard, number, from, store);
	if (order < 0) {
		shard->stale++;
		return PUT_STALE;
	}
	if (order == 0) {
		shard->equal++;
		if (from > FROM_CLIENT)
			slot->from = from;
		return PUT_EQUAL;
	}
	if (is_too_long(table, slot, report, bounds))
		return PUT_NO_ROOM;
	if (slot_write(table, shard, slot, report, from) != HERD_OK)
		return PUT_NOMEM;
	return PUT_ACCEPTED;
}

/*
 * A new client's record. Threads that take in clients at the same time count
 * each other before they look for a place. Otherwise they could fill the table
 * beyond its cap, and the least record would go.
 */
static enum put_result
shard_admit(struct table *table, struct shard *shard, uint32_t hash,
    const struct report *report, uint32_t from,
    const struct table_bounds *bounds, uint32_t *slot)
{
	enum put_result result = PUT_ACCEPTED;

	if (bounds != NULL)
		result = judge_new(
		    table, bounds, atomic_fetch_add(&table->coming, 1));
	if (result == PUT_ACCEPTED &&
	    shard_insert(table, shard, hash, report, from, slot) != HERD_OK)
		result = PUT_NOMEM;
	if (bounds != NULL)
		atomic_fetch_sub(&table->coming, 1);
	return result;
}

static enum put_result
shard_put(struct table *table, struct shard *shard, uint32_t hash,
    const struct report *report, uint32_t from, const struct outbox *store,
    const struct table_bounds *bounds, uint32_t *slot, bool *is_new)
{
	uint32_t entry = shard->index[shard_probe(shard, hash, report->client)];
	enum put_result result;

	*is_new = entry == 0;
	*slot = entry_slot(entry);
	if (MUTANT(OWE_BEFORE_CONTENT) && !*is_new)
		mutant_owe_early(table, shard, *slot, report, from);
	if (*is_new)
		result =
		    shard_admit(table, shard, hash, report, from, bounds, slot);
	else
		result = shard_replace(
		    table, shard, *slot, report, from, store, bounds);
	if (result != PUT_ACCEPTED)
		return result;
	shard->accepted++;
	if (!MUTANT(OWE_BEFORE_CONTENT) || *is_new)
		outbox_owe_slot(table, shard, *slot,
		    ~outbox_spared_bits(table, shard, from));
	return PUT_ACCEPTED;
}

uint64_t
table_hash(const struct table *table, struct span client)
{
	return siphash(&table->key, client.data, client.len);
}

/*
 * Without the lock, so pointer and size may not belong together. That is
 * harmless, because a prefetch never reads the address that they make.
 */
void
table_prefetch_index(struct table *table, uint64_t hash)
{
	const struct shard *shard = &table->shards[hash_shard(hash)];
	uintptr_t index = (uintptr_t)atomic_load_explicit(
	    &shard->index, memory_order_relaxed);
	uint32_t size =
	    atomic_load_explicit(&shard->index_size, memory_order_relaxed);

	__builtin_prefetch(
	    (const void *)(index +
			   ((uint32_t)hash & (size - 1)) * sizeof(uint32_t)));
}

void
table_prefetch_record(struct table *table, uint64_t hash)
{
	struct shard *shard = &table->shards[hash_shard(hash)];
	const uint32_t *index;
	uint32_t mask;
	uint32_t at;

	pthread_mutex_lock(&shard->lock);
	index = load_index(shard);
	mask = index_mask(shard);
	at = (uint32_t)hash & mask;
	while (index[at] != 0 && !entry_has_tag(index[at], (uint32_t)hash))
		at = (at + 1) & mask;
	if (index[at] != 0) {
		const char *slot =
		    (const char *)shard_slot(shard, entry_slot(index[at]));

		__builtin_prefetch(slot);
		__builtin_prefetch(slot + sizeof(struct slot) - 1);
	}
	pthread_mutex_unlock(&shard->lock);
}

enum put_result
table_put(struct table *table, const struct report *report, uint32_t from,
    struct wall now, const struct outbox *store, struct put_info *info)
{
	return table_put_hashed(table, table_hash(table, report->client),
	    report, from, now, store, info);
}

static bool
table_is_full(const struct table *table)
{
	uint64_t cap = table->max_clients;

	return cap != 0 && atomic_load(&table->records) >= cap;
}

static void
ticket_fill(struct put_info *ticket, const struct table *table,
    const struct shard *shard, const struct outbox *store)
{
	if (store == NULL || ticket == NULL)
		return;
	ticket->shard = (unsigned)(shard - table->shards);
	ticket->appended = shard->fifos[store->bit].appended;
}

/*
 * The report is less than all records of a full table. Its answer waits as if
 * its record was evicted before the store took it, so an empty slot goes into
 * the store's FIFO.
 */
static enum put_result
shard_refuse(
    struct table *table, struct shard *shard, const struct outbox *store)
{
	uint32_t number;

	shard->evicted++;
	if (store == NULL)
		return PUT_REFUSED;
	if (shard_take_slot(table, shard, &number) != HERD_OK)
		return PUT_NOMEM;
	outbox_owe_slot(table, shard, number, UINT64_C(1) << store->bit);
	shard_give_slot(table, shard, number);
	atomic_fetch_add(
	    &atomic_load(&table->outboxes[store->bit])->refused, 1);
	return PUT_REFUSED;
}

/*
 * A client that a full table does not hold. It is compared with the least
 * before anybody can see it. Otherwise an evicted client would come back for a
 * moment with an older report, and the store could write that.
 */
static enum put_result
put_at_cap(struct table *table, uint64_t hash, const struct report *report,
    uint32_t from, const struct outbox *store, struct put_info *info,
    const struct table_bounds *bounds)
{
	unsigned own = hash_shard(hash);
	struct shard *shard = &table->shards[own];
	enum put_result result;
	struct least least = { 0 };
	uint32_t slot;
	bool is_new = true;

	pthread_mutex_lock(&table->evict_lock);
	least_evict_locked(table, own);
	if (table_is_full(table))
		least_find(&least, table, own);
	pthread_mutex_lock(&shard->lock);
	if (!has_no_place(table, bounds, 0) && table_is_full(table) &&
	    least.found &&
	    shard->index[shard_probe(shard, (uint32_t)hash, report->client)] ==
		0 &&
	    report_compare_all(report, &least.report) < 0)
		result = shard_refuse(table, shard, store);
	else
		result = shard_put(table, shard, (uint32_t)hash, report, from,
		    store, bounds, &slot, &is_new);
	ticket_fill(info, table, shard, store);
	pthread_mutex_unlock(&shard->lock);
	if (result == PUT_ACCEPTED && is_new) {
		if (least.found &&
		    atomic_load(&table->records) > table->max_clients &&
		    least_remove(&least, table) &&
		    least.report.kind == REPORT_POSITION && bounds != NULL &&
		    bounds->refuse_at_cap)
			atomic_fetch_add(&table->replaced, 1);
		least_evict_locked(table, own);
	}
	least_release(&least);
	pthread_mutex_unlock(&table->evict_lock);
	return result;
}

static enum put_result
put_judged(struct table *table, uint64_t hash, const struct report *report,
    uint32_t from, struct wall now, const struct outbox *store,
    struct put_info *info, const struct table_bounds *bounds)
{
	unsigned own = hash_shard(hash);
	struct shard *shard = &table->shards[own];
	enum put_result result = PUT_ACCEPTED;
	uint32_t slot = SLOT_NONE;
	bool is_new = false;

	pthread_mutex_lock(&shard->lock);
	if (table_is_expired(table, report->time_ns, now)) {
		shard->expired++;
		result = PUT_EXPIRED;
	} else if (table_is_full(table) && !MUTANT(CAP_PER_SHARD) &&
		   shard->index[shard_probe(
		       shard, (uint32_t)hash, report->client)] == 0) {
		result = judge_new(table, bounds, 0);
		pthread_mutex_unlock(&shard->lock);
		return result != PUT_ACCEPTED ? result
					      : put_at_cap(table, hash, report,
						    from, store, info, bounds);
	} else {
		result = shard_put(table, shard, (uint32_t)hash, report, from,
		    store, bounds, &slot, &is_new);
	}
	ticket_fill(info, table, shard, store);
	pthread_mutex_unlock(&shard->lock);
	/* Several threads may have filled it at the same time. */
	if (is_new && result == PUT_ACCEPTED && table_is_full(table))
		least_evict(table, own);
	return result;
}

enum put_result
table_put_hashed(struct table *table, uint64_t hash,
    const struct report *report, uint32_t from, struct wall now,
    const struct outbox *store, struct put_info *info)
{
	return put_judged(table, hash, report, from, now, store, info, NULL);
}

enum put_result
table_take(struct table *table, uint64_t hash, const struct report *report,
    struct wall now, const struct outbox *store, struct put_info *info,
    const struct table_bounds *bounds)
{
	return put_judged(
	    table, hash, report, FROM_CLIENT, now, store, info, bounds);
}

/* --- reading ------------------------------------------------------------- */

uint64_t
table_bytes(const struct table *table)
{
	uint64_t bytes =
	    atomic_load_explicit(&table->bytes, memory_order_relaxed);

	return bytes > INT64_MAX ? 0 : bytes;
}

enum herd_error
table_get(struct table *table, struct span client, struct record *out)
{
	uint64_t hash = siphash(&table->key, client.data, client.len);
	struct shard *shard = &table->shards[hash_shard(hash)];
	enum herd_error error = HERD_ENOTFOUND;
	uint32_t entry;

	pthread_mutex_lock(&shard->lock);
	entry = shard->index[shard_probe(shard, (uint32_t)hash, client)];
	if (entry != 0)
		error = record_fill(
		    out, table, shard_slot(shard, entry_slot(entry)));
	pthread_mutex_unlock(&shard->lock);
	return error;
}

void
table_count(struct table *table, struct table_counts *out)
{
	memset(out, 0, sizeof(*out));
	out->bytes = sizeof(*table);
	out->counted = table_bytes(table);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		out->records += shard->held;
		out->removals += shard->removals;
		out->strange += shard->strange;
		out->accepted += shard->accepted;
		out->stale += shard->stale;
		out->equal += shard->equal;
		out->expired += shard->expired;
		out->evicted += shard->evicted;
		out->bytes +=
		    shard->blob_bytes +
		    shard->chunk_count * SLOT_CHUNK * sizeof(struct slot) +
		    shard->index_size * sizeof(*shard->index) +
		    shard->heap_size * sizeof(*shard->heap);
		for (unsigned j = 0; j < TABLE_OUTBOXES; j++)
			out->bytes += shard->fifos[j].size * sizeof(uint32_t);
		pthread_mutex_unlock(&shard->lock);
	}
}
