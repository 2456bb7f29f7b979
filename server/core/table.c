/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/table.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mutant.h"
#include "core/pack.h"
#include "core/table_shard.h"

#define INDEX_SIZE_MIN 64u

/* --- life ---------------------------------------------------------------- */

static enum herd_error
shard_init(struct shard *shard)
{
	shard->index_size = INDEX_SIZE_MIN;
	shard->index = calloc(shard->index_size, sizeof(*shard->index));
	if (shard->index == NULL)
		return HERD_ENOMEM;
	if (pthread_mutex_init(&shard->lock, NULL) != 0) {
		free(shard->index);
		return HERD_ENOMEM;
	}
	shard->free_slot = SLOT_NONE;
	return HERD_OK;
}

static void
slot_drop_blob(struct shard *shard, struct slot *slot)
{
	void *blob;

	if (slot->blob_len <= SLOT_INLINE)
		return;
	memcpy(&blob, slot->text, sizeof(blob));
	free(blob);
	shard->blob_bytes -= slot->blob_len;
	slot->blob_len = 0;
}

static void
shard_release(struct shard *shard)
{
	for (uint32_t i = 0; i < shard->slot_count; i++) {
		if (shard_slot(shard, i)->state != SLOT_FREE)
			slot_drop_blob(shard, shard_slot(shard, i));
	}
	for (uint32_t i = 0; i < shard->chunk_count; i++)
		free(shard->chunks[i]);
	free(shard->chunks);
	free(shard->index);
	free(shard->heap);
	for (unsigned i = 0; i < TABLE_OUTBOXES; i++)
		fifo_release(&shard->fifos[i]);
	pthread_mutex_destroy(&shard->lock);
}

enum herd_error
table_new(const struct table_config *config, struct table **out)
{
	struct table *table = aligned_alloc(64, sizeof(*table));
	unsigned made = 0;

	if (table == NULL)
		return HERD_ENOMEM;
	memset(table, 0, sizeof(*table));
	table->key = config->key;
	atomic_init(&table->max_clients, config->max_clients);
	atomic_init(&table->expire_after_ns, config->expire_after_ns);
	if (names_init(&table->names) != HERD_OK)
		goto fail;
	while (
	    made < TABLE_SHARDS && shard_init(&table->shards[made]) == HERD_OK)
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
		shard_release(&table->shards[--made]);
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
		shard_release(&table->shards[i]);
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

void
table_configure(
    struct table *table, uint64_t max_clients, uint64_t expire_after_ns)
{
	atomic_store(&table->max_clients, max_clients);
	atomic_store(&table->expire_after_ns, expire_after_ns);
}

bool
table_is_expired(const struct table *table, uint64_t time_ns, struct wall now)
{
	uint64_t after =
	    atomic_load_explicit(&table->expire_after_ns, memory_order_relaxed);

	return after != 0 && now.ns > after && time_ns < now.ns - after;
}

/* --- slots --------------------------------------------------------------- */

const uint8_t *
slot_blob(const struct slot *slot)
{
	const uint8_t *blob = slot->text;

	if (slot->blob_len > SLOT_INLINE)
		memcpy(&blob, slot->text, sizeof(blob));
	return blob;
}

enum herd_error
slot_read(const struct table *table, const struct slot *slot,
    char scratch[SLOT_SCRATCH], char **heap, struct report *out)
{
	size_t need = pack_scratch(slot->blob_len, slot->client_len);

	*heap = NULL;
	if (need > SLOT_SCRATCH) {
		*heap = malloc(need);
		if (*heap == NULL)
			return HERD_ENOMEM;
		scratch = *heap;
	}
	pack_read(
	    slot_blob(slot), slot->blob_len, slot->client_len, scratch, out);
	out->origin = names_text(&table->names, slot->origin);
	out->time_ns = slot->time_ns;
	out->kind =
	    slot->state == SLOT_REMOVAL ? REPORT_REMOVAL : REPORT_POSITION;
	return HERD_OK;
}

static enum herd_error
shard_add_chunk(struct shard *shard)
{
	struct slot **chunks;
	struct slot *chunk;

	if (shard->slot_count > SLOT_MAX - SLOT_CHUNK)
		return HERD_ENOMEM;
	chunk = calloc(SLOT_CHUNK, sizeof(*chunk));
	if (chunk == NULL)
		return HERD_ENOMEM;
	chunks = realloc(
	    shard->chunks, (shard->chunk_count + 1) * sizeof(*shard->chunks));
	if (chunks == NULL) {
		free(chunk);
		return HERD_ENOMEM;
	}
	shard->chunks = chunks;
	shard->chunks[shard->chunk_count++] = chunk;
	return HERD_OK;
}

/* A slot without a record; its bits may be set from an earlier life. */
static enum herd_error
shard_take_slot(struct shard *shard, uint32_t *out)
{
	if (shard->free_slot != SLOT_NONE) {
		*out = shard->free_slot;
		shard->free_slot =
		    (uint32_t)shard_slot(shard, shard->free_slot)->time_ns;
		return HERD_OK;
	}
	if (shard->slot_count == shard->chunk_count * SLOT_CHUNK &&
	    shard_add_chunk(shard) != HERD_OK)
		return HERD_ENOMEM;
	*out = shard->slot_count++;
	return HERD_OK;
}

/*
 * Writes the record into the slot; a failed call leaves the slot as it was.
 * The blob is in place before anything is owed.
 */
static enum herd_error
slot_write(struct shard *shard, struct slot *slot, const struct report *report,
    uint16_t origin, uint32_t from)
{
	size_t size = pack_size(report);
	uint8_t *blob = slot->text;

	if (size > SLOT_INLINE) {
		blob = malloc(size);
		if (blob == NULL)
			return HERD_ENOMEM;
	}
	if (slot->state != SLOT_FREE)
		slot_drop_blob(shard, slot);
	pack_write(report, blob);
	if (size > SLOT_INLINE) {
		memcpy(slot->text, &blob, sizeof(blob));
		shard->blob_bytes += size;
	}
	slot->blob_len = (uint32_t)size;
	slot->client_len = (uint16_t)report->client.len;
	slot->time_ns = report->time_ns;
	slot->origin = origin;
	slot->from = from;
	slot->state =
	    report->kind == REPORT_REMOVAL ? SLOT_REMOVAL : SLOT_POSITION;
	return HERD_OK;
}

/* --- index --------------------------------------------------------------- */

static bool
slot_is_client(const struct slot *slot, uint32_t hash, struct span client)
{
	return slot->hash == hash && slot->client_len == client.len &&
	       memcmp(slot_blob(slot), client.data, client.len) == 0;
}

/* Under the lock, where index and size change: plain loads do. */
static uint32_t *
load_index(const struct shard *shard)
{
	return atomic_load_explicit(&shard->index, memory_order_relaxed);
}

static uint32_t
index_mask(const struct shard *shard)
{
	return atomic_load_explicit(&shard->index_size, memory_order_relaxed) -
	       1;
}

static bool
entry_has_tag(uint32_t entry, uint32_t hash)
{
	return ((entry ^ hash) >> ENTRY_SLOT_BITS) == 0;
}

/* The bits of the hash that its place in the index does not say. */
static uint32_t
hash_tag(uint32_t hash)
{
	return hash >> ENTRY_SLOT_BITS << ENTRY_SLOT_BITS;
}

/*
 * Where the client's entry is, or the free one where it would go. The tag
 * saves a look at most slots of other clients, which are not in the cache.
 */
static uint32_t
shard_probe(const struct shard *shard, uint32_t hash, struct span client)
{
	const uint32_t *index = load_index(shard);
	uint32_t mask = index_mask(shard);
	uint32_t at = hash & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t entry = index[at];

		if (entry == 0)
			return at;
		if (entry_has_tag(entry, hash) &&
		    slot_is_client(
			shard_slot(shard, entry_slot(entry)), hash, client))
			return at;
	}
}

static enum herd_error
shard_grow_index(struct shard *shard)
{
	uint32_t size = shard->index_size * 2;
	uint32_t *index;

	/* There are fewer than 2^24 slots. */
	assert(size > shard->index_size);
	index = calloc(size, sizeof(*index));
	if (index == NULL)
		return HERD_ENOMEM;
	for (uint32_t i = 0; i < shard->index_size; i++) {
		uint32_t entry = shard->index[i];
		uint32_t at;

		if (entry == 0)
			continue;
		at = shard_slot(shard, entry_slot(entry))->hash & (size - 1);
		while (index[at] != 0)
			at = (at + 1) & (size - 1);
		index[at] = entry;
	}
	free(shard->index);
	shard->index = index;
	shard->index_size = size;
	return HERD_OK;
}

/* Linear probing without tombstones: later entries of the run move up. */
static void
shard_index_remove(struct shard *shard, uint32_t hole)
{
	uint32_t mask = shard->index_size - 1;
	uint32_t at = hole;

	for (;;) {
		uint32_t home;

		at = (at + 1) & mask;
		if (shard->index[at] == 0)
			break;
		home = shard_slot(shard, entry_slot(shard->index[at]))->hash &
		       mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			shard->index[hole] = shard->index[at];
			hole = at;
		}
	}
	shard->index[hole] = 0;
}

void
shard_remove(struct table *table, struct shard *shard, uint32_t number)
{
	struct slot *slot = shard_slot(shard, number);
	struct span client =
	    span_of((const char *)slot_blob(slot), slot->client_len);

	shard_index_remove(shard, shard_probe(shard, slot->hash, client));
	if (slot->state == SLOT_REMOVAL)
		shard->removals--;
	shard->held--;
	atomic_fetch_sub(&table->records, 1);
	slot_drop_blob(shard, slot);
	slot->state = SLOT_FREE;
	slot->time_ns = shard->free_slot;
	shard->free_slot = number;
	if (MUTANT(CLEAR_ON_FREE))
		slot->owed = 0;
}

/* --- the accept rule ----------------------------------------------------- */

/* How the report stands to the slot's: <0 older, 0 the same, >0 newer. */
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

/* A new client's slot, in the index. */
static enum herd_error
shard_insert(struct table *table, struct shard *shard, uint32_t hash,
    const struct report *report, uint16_t origin, uint32_t from, uint32_t *out)
{
	struct slot *slot;
	uint32_t number;

	if (shard->held >= shard->index_size / 4 * 3 &&
	    shard_grow_index(shard) != HERD_OK)
		return HERD_ENOMEM;
	if (shard_take_slot(shard, &number) != HERD_OK)
		return HERD_ENOMEM;
	slot = shard_slot(shard, number);
	if (slot_write(shard, slot, report, origin, from) != HERD_OK) {
		slot->time_ns = shard->free_slot;
		shard->free_slot = number;
		return HERD_ENOMEM;
	}
	slot->hash = hash;
	shard->index[shard_probe(shard, hash, report->client)] =
	    hash_tag(hash) | (number + 1);
	shard->held++;
	atomic_fetch_add(&table->records, 1);
	if (slot->state == SLOT_REMOVAL)
		shard->removals++;
	shard_heap_add(table, shard, number);
	*out = number;
	return HERD_OK;
}

static enum put_result
shard_replace(struct table *table, struct shard *shard, uint32_t number,
    const struct report *report, uint16_t origin, uint32_t from)
{
	struct slot *slot = shard_slot(shard, number);
	bool was_removal = slot->state == SLOT_REMOVAL;
	int order;

	if (slot_order(table, slot, report, &order) != HERD_OK)
		return PUT_NOMEM;
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
	if (slot_write(shard, slot, report, origin, from) != HERD_OK)
		return PUT_NOMEM;
	if (was_removal)
		shard->removals--;
	if (slot->state == SLOT_REMOVAL)
		shard->removals++;
	return PUT_ACCEPTED;
}

#ifdef HERD_MUTANTS
/* owe-before-content: consumers may run before the slot is written. */
static void
shard_owe_early(struct table *table, struct shard *shard, uint32_t number,
    const struct report *report, uint32_t from)
{
	int order;

	if (!MUTANT(OWE_BEFORE_CONTENT) ||
	    slot_order(table, shard_slot(shard, number), report, &order) !=
		HERD_OK ||
	    order <= 0)
		return;
	shard_owe(table, shard, number, ~shard_owner_bits(table, shard, from));
	pthread_mutex_unlock(&shard->lock);
	mutant_pause(table);
	pthread_mutex_lock(&shard->lock);
}
#endif

static enum put_result
shard_put(struct table *table, struct shard *shard, uint32_t hash,
    const struct report *report, uint16_t origin, uint32_t from, uint32_t *slot,
    bool *is_new)
{
	uint32_t entry = shard->index[shard_probe(shard, hash, report->client)];
	enum put_result result = PUT_ACCEPTED;
	uint64_t not_back = 0;

	*is_new = entry == 0;
	*slot = entry_slot(entry);
	if (*is_new) {
		if (shard_insert(table, shard, hash, report, origin, from,
			slot) != HERD_OK)
			return PUT_NOMEM;
	} else {
#ifdef HERD_MUTANTS
		shard_owe_early(table, shard, *slot, report, from);
#endif
		result =
		    shard_replace(table, shard, *slot, report, origin, from);
	}
	if (result != PUT_ACCEPTED)
		return result;
	shard->accepted++;
	if (MUTANT(OWE_BEFORE_CONTENT) && !*is_new)
		return PUT_ACCEPTED;
	if (!MUTANT(ECHO))
		not_back = shard_owner_bits(table, shard, from);
	shard_owe(table, shard, *slot, ~not_back);
	return PUT_ACCEPTED;
}

uint64_t
table_hash(const struct table *table, struct span client)
{
	return siphash(&table->key, client.data, client.len);
}

/*
 * Without the lock: pointer and size may not belong together, but only an
 * address is made of them, which is never followed.
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
table_put(struct table *table, const struct report *report, uint16_t origin,
    uint32_t from, struct wall now, const struct outbox *store,
    struct put_info *info)
{
	return table_put_hashed(table, table_hash(table, report->client),
	    report, origin, from, now, store, info);
}

static bool
table_is_full(const struct table *table)
{
	uint64_t cap =
	    atomic_load_explicit(&table->max_clients, memory_order_relaxed);

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
 * The report is less than all that a full table holds. Its answer waits like
 * that of a record which was evicted before the store took it: an empty slot
 * stands for it in the store's FIFO.
 */
static enum put_result
shard_refuse(
    struct table *table, struct shard *shard, const struct outbox *store)
{
	uint32_t number;

	shard->evicted++;
	if (store == NULL)
		return PUT_REFUSED;
	if (shard_take_slot(shard, &number) != HERD_OK)
		return PUT_NOMEM;
	shard_owe(table, shard, number, UINT64_C(1) << store->bit);
	shard_slot(shard, number)->time_ns = shard->free_slot;
	shard->free_slot = number;
	atomic_fetch_add(
	    &atomic_load(&table->outboxes[store->bit])->refused, 1);
	return PUT_REFUSED;
}

/*
 * A client that a full table does not hold. Whether it is the least is known
 * before anybody can see it: or a client that was evicted would come back
 * for a moment with an older report, and the store could write that.
 */
static enum put_result
put_at_cap(struct table *table, uint64_t hash, const struct report *report,
    uint16_t origin, uint32_t from, const struct outbox *store,
    struct put_info *info)
{
	unsigned own = hash_shard(hash);
	struct shard *shard = &table->shards[own];
	enum put_result result;
	struct least least;
	uint32_t slot;
	bool is_new = true;

	pthread_mutex_lock(&table->evict_lock);
	table_evict_locked(table, own);
	least_find(&least, table, own);
	pthread_mutex_lock(&shard->lock);
	if (table_is_full(table) && least.found &&
	    shard->index[shard_probe(shard, (uint32_t)hash, report->client)] ==
		0 &&
	    report_compare_all(report, &least.report) < 0)
		result = shard_refuse(table, shard, store);
	else
		result = shard_put(table, shard, (uint32_t)hash, report, origin,
		    from, &slot, &is_new);
	ticket_fill(info, table, shard, store);
	pthread_mutex_unlock(&shard->lock);
	if (result == PUT_ACCEPTED && is_new) {
		if (least.found && atomic_load(&table->records) >
				       atomic_load(&table->max_clients))
			(void)least_remove(&least, table);
		table_evict_locked(table, own);
	}
	least_release(&least);
	pthread_mutex_unlock(&table->evict_lock);
	return result;
}

enum put_result
table_put_hashed(struct table *table, uint64_t hash,
    const struct report *report, uint16_t origin, uint32_t from,
    struct wall now, const struct outbox *store, struct put_info *info)
{
	unsigned own = hash_shard(hash);
	struct shard *shard = &table->shards[own];
	enum put_result result;
	uint32_t slot = SLOT_NONE;
	bool is_new = false;

	pthread_mutex_lock(&shard->lock);
	if (table_is_expired(table, report->time_ns, now)) {
		shard->expired++;
		result = PUT_EXPIRED;
	} else if (table_is_full(table) && !MUTANT(CAP_PER_SHARD) &&
		   shard->index[shard_probe(
		       shard, (uint32_t)hash, report->client)] == 0) {
		pthread_mutex_unlock(&shard->lock);
		return put_at_cap(
		    table, hash, report, origin, from, store, info);
	} else {
		result = shard_put(table, shard, (uint32_t)hash, report, origin,
		    from, &slot, &is_new);
	}
	ticket_fill(info, table, shard, store);
	pthread_mutex_unlock(&shard->lock);
	/* Several threads may have filled it at the same time. */
	if (is_new && result == PUT_ACCEPTED && table_is_full(table))
		table_evict(table, own);
	return result;
}

/* --- reading ------------------------------------------------------------- */

void
record_init(struct record *record)
{
	record->from = FROM_NOBODY;
	record->heap = NULL;
	record->heap_size = 0;
}

void
record_release(struct record *record)
{
	free(record->heap);
	record_init(record);
}

/* Copies a slot's blob and unpacked texts into the record's own memory. */
static enum herd_error
record_fill(
    struct record *record, const struct table *table, const struct slot *slot)
{
	size_t need =
	    slot->client_len + pack_scratch(slot->blob_len, slot->client_len);
	char *text = record->text;
	struct report *report = &record->report;

	if (need > RECORD_INLINE) {
		if (need > record->heap_size) {
			char *grown = realloc(record->heap, need);

			if (grown == NULL)
				return HERD_ENOMEM;
			record->heap = grown;
			record->heap_size = need;
		}
		text = record->heap;
	}
	memcpy(text, slot_blob(slot), slot->client_len);
	pack_read(slot_blob(slot), slot->blob_len, slot->client_len,
	    text + slot->client_len, report);
	report->client.data = text;
	report->origin = names_text(&table->names, slot->origin);
	report->time_ns = slot->time_ns;
	report->kind =
	    slot->state == SLOT_REMOVAL ? REPORT_REMOVAL : REPORT_POSITION;
	record->from = slot->from;
	return HERD_OK;
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
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		out->records += shard->held;
		out->removals += shard->removals;
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
