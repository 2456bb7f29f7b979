/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_compare.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "core/table_walk.h"
#include "store/store_internal.h"
#include "store/store_key.h"

#define LEAF_SHIFT 6u /* of a key's first 24 bits */
#define WALK_SLOTS 4096u
/* Rows of leaves that differ that are remembered at one time: 1 MB. */
#define PRESENT_MAX 65536u
#define PRESENT_LEN                                               \
	16u /* bytes of a key; nobody finds two ids with the same \
	     */

enum compare_phase {
	COMPARE_READ,   /* every row of the engine */
	COMPARE_WALK,   /* every record of the table */
	COMPARE_REREAD, /* rows of leaves that differ */
	COMPARE_OWE,    /* records of those leaves that are not among them */
};

struct store_compare {
	struct store *store;
	bool mends; /* else it only counts */
	enum compare_phase phase;
	struct siphash_key key;
	struct wall now;
	struct engine_cursor cursor;
	struct table_cursor walk;
	uint32_t from; /* leaves [from, to) are read again */
	uint32_t to;
	unsigned present_count;
	bool is_full; /* `to` is before the first leaf that is not whole */
	struct store_differences found;
	uint64_t leaves[STORE_COMPARE_LEAVES];
	uint8_t present[PRESENT_MAX][PRESENT_LEN]; /* ascending */
};

static uint32_t
leaf_of(const uint8_t key[ENGINE_KEY_LEN])
{
	return ((uint32_t)key[0] << 16 | (uint32_t)key[1] << 8 | key[2]) >>
	       LEAF_SHIFT;
}

/* The last key of a leaf. */
static void
leaf_end(uint32_t leaf, uint8_t key[ENGINE_KEY_LEN])
{
	uint32_t top = (leaf + 1) << LEAF_SHIFT;

	top--;
	memset(key, 0xff, ENGINE_KEY_LEN);
	key[0] = (uint8_t)(top >> 16);
	key[1] = (uint8_t)(top >> 8);
	key[2] = (uint8_t)top;
}

/* Of a client that was met on one side. */
static void
meet(struct store_compare *compare, struct span client)
{
	uint8_t key[ENGINE_KEY_LEN];

	store_key(client, key);
	compare->leaves[leaf_of(key)] ^=
	    siphash(&compare->key, client.data, client.len);
}

/* Its origin has had the time to write it. */
static bool
is_settled(const struct store_compare *compare, const struct report *report)
{
	uint64_t received = report_received_ns(report);

	return received < compare->now.ns &&
	       compare->now.ns - received > STORE_COMPARE_AGE_NS;
}

/* --- life ----------------------------------------------------------------- */

static struct store_compare *
compare_new(struct store *store, bool mends)
{
	struct store_compare *compare = calloc(1, sizeof(*compare));

	if (compare == NULL)
		return NULL;
	compare->store = store;
	compare->mends = mends;
	compare->now = timekeeper_wall(store->config.timekeeper, clock_mono());
	if (getrandom(&compare->key, sizeof(compare->key), 0) !=
	    sizeof(compare->key)) {
		free(compare);
		return NULL;
	}
	return compare;
}

void
store_compare_drop(struct store *store)
{
	/* An operator who waits for it is told of the store's state. */
	if (store->compare != NULL && !store->compare->mends)
		atomic_store(&store->differences_wanted, true);
	free(store->compare);
	store->compare = NULL;
}

/* Give or take a fifth, so that nodes do not all read at the same time. */
static uint64_t
compare_wait(const struct store *store)
{
	uint64_t every = store->config.compare_ns;

	return every - every / 5 + store_random() % (every / 5 * 2 + 1);
}

void
store_compare_soon(struct store *store)
{
	struct mono at = mono_add(clock_mono(), STORE_COMPARE_AGE_NS);

	if (store->config.compare_ns < STORE_COMPARE_AGE_NS)
		at = mono_add(clock_mono(), compare_wait(store));
	if (store->compare_at.ns == 0 || at.ns < store->compare_at.ns)
		store->compare_at = at;
}

/* --- rows ----------------------------------------------------------------- */

enum row_order { ROW_UNKNOWN, ROW_NEWER, ROW_SAME, ROW_STALE };

/* What the table holds of the row's client. */
static enum herd_error
judge_row(struct store_compare *compare, const struct report *row,
    enum row_order *order, bool *settled)
{
	struct record record;
	enum herd_error error;
	int compared;

	record_init(&record);
	error = table_get(compare->store->config.table, row->client, &record);
	*order = ROW_UNKNOWN;
	*settled = is_settled(compare, row);
	if (error == HERD_OK) {
		compared = report_compare(row, &record.report);
		*order = compared > 0   ? ROW_NEWER
			 : compared < 0 ? ROW_STALE
					: ROW_SAME;
		if (compared < 0)
			*settled = is_settled(compare, &record.report);
	}
	record_release(&record);
	return error == HERD_ENOTFOUND ? HERD_OK : error;
}

static void
count_row(struct store_differences *found, enum row_order order)
{
	found->unknown += order == ROW_UNKNOWN;
	found->newer += order == ROW_NEWER;
	found->stale += order == ROW_STALE;
}

/* A row that is too old waits to be deleted; one less than a full table's too.
 */
static enum herd_error
take_row(struct store_compare *compare, const struct report *row,
    enum row_order order, bool *settled)
{
	struct store *store = compare->store;
	enum put_result result = store_take(store, row);

	if (result == PUT_NOMEM)
		return HERD_ENOMEM;
	*settled = *settled && result == PUT_ACCEPTED;
	if (result == PUT_ACCEPTED || order != ROW_UNKNOWN)
		meet(compare, row->client);
	return HERD_OK;
}

static enum herd_error
on_row(void *arg, const struct report *row)
{
	struct store_compare *compare = arg;
	enum row_order order;
	enum herd_error error;
	bool settled;

	compare->found.rows++;
	error = judge_row(compare, row, &order, &settled);
	if (error == HERD_OK && compare->mends &&
	    (order == ROW_UNKNOWN || order == ROW_NEWER))
		error = take_row(compare, row, order, &settled);
	else if (error == HERD_OK && order != ROW_UNKNOWN)
		meet(compare, row->client);
	if (error != HERD_OK || !settled)
		return error;
	count_row(&compare->found, order);
	if (compare->mends && order == ROW_STALE)
		(void)outbox_owe_client(&compare->store->outbox, row->client);
	return HERD_OK;
}

/* In the order of their keys. */
static enum herd_error
on_row_again(void *arg, const struct report *row)
{
	struct store_compare *compare = arg;
	uint8_t key[ENGINE_KEY_LEN];

	if (compare->is_full)
		return HERD_OK;
	store_key(row->client, key);
	if (compare->present_count == PRESENT_MAX) {
		compare->is_full = true;
		compare->to = leaf_of(key);
		compare->to += compare->to == compare->from;
		return HERD_OK;
	}
	memcpy(compare->present[compare->present_count++], key, PRESENT_LEN);
	return HERD_OK;
}

static void
on_damaged(void *arg HERD_UNUSED, struct span client HERD_UNUSED,
    const char *why HERD_UNUSED)
{
	/* Its record is owed as if the row was not there. */
}

static void
on_rewritten(void *arg HERD_UNUSED, const char *why HERD_UNUSED)
{
}

static enum herd_error
load_page(struct store_compare *compare,
    enum herd_error (*on_report)(void *arg, const struct report *report))
{
	const struct engine_loader loader = { compare, on_report, on_damaged,
		on_rewritten };
	struct store *store = compare->store;

	return store->ops->load(store->engine, &loader, &compare->cursor);
}

/* --- records -------------------------------------------------------------- */

static bool
on_record(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	meet(arg, report->client);
	return true;
}

static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, PRESENT_LEN);
}

static bool
is_missing(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct store_compare *compare = arg;
	uint8_t key[ENGINE_KEY_LEN];
	uint32_t leaf;
	bool missing;

	store_key(report->client, key);
	leaf = leaf_of(key);
	missing = leaf >= compare->from && leaf < compare->to &&
		  compare->leaves[leaf] != 0 && is_settled(compare, report) &&
		  bsearch(key, compare->present, compare->present_count,
		      PRESENT_LEN, compare_keys) == NULL;
	compare->found.missing += missing;
	return missing;
}

static bool
count_missing(void *arg, const struct report *report, uint32_t from)
{
	(void)is_missing(arg, report, from);
	return true;
}

/* --- phases --------------------------------------------------------------- */

/* The next leaves that differ, side by side. False: there are none. */
static bool
next_leaves(struct store_compare *compare, uint32_t at)
{
	while (at < STORE_COMPARE_LEAVES && compare->leaves[at] == 0)
		at++;
	compare->to = at;
	if (at == STORE_COMPARE_LEAVES)
		return false;
	while (compare->to < STORE_COMPARE_LEAVES &&
	       compare->leaves[compare->to] != 0)
		compare->to++;
	compare->cursor =
	    (struct engine_cursor){ .begun = at > 0, .has_end = true };
	if (at > 0)
		leaf_end(at - 1, compare->cursor.key);
	leaf_end(compare->to - 1, compare->cursor.end);
	return true;
}

static void
begin_window(struct store_compare *compare, uint32_t from)
{
	compare->present_count = 0;
	compare->is_full = false;
	compare->from = from;
	compare->phase = COMPARE_REREAD;
}

/*
 * The window ends where the memory for its rows does. Of a leaf with even more
 * rows those that are not remembered are written once more, which changes
 * nothing.
 */
static enum herd_error
reread_step(struct store_compare *compare)
{
	enum herd_error error = load_page(compare, on_row_again);

	if (error != HERD_OK && error != HERD_EAGAIN)
		return error;
	if (!compare->is_full &&
	    (error == HERD_EAGAIN || next_leaves(compare, compare->to)))
		return HERD_EAGAIN;
	compare->phase = COMPARE_OWE;
	compare->walk = (struct table_cursor){ 0 };
	return HERD_EAGAIN;
}

static enum herd_error
owe_step(struct store_compare *compare)
{
	struct store *store = compare->store;
	bool more = compare->mends
			? outbox_owe(&store->outbox, &compare->walk, WALK_SLOTS,
			      false, is_missing, compare)
			: table_walk(store->config.table, &compare->walk,
			      WALK_SLOTS, count_missing, compare);

	if (more)
		return HERD_EAGAIN;
	begin_window(compare, compare->to);
	return next_leaves(compare, compare->to) ? HERD_EAGAIN : HERD_OK;
}

static enum herd_error
walk_step(struct store_compare *compare)
{
	if (table_walk(compare->store->config.table, &compare->walk, WALK_SLOTS,
		on_record, compare))
		return HERD_EAGAIN;
	begin_window(compare, 0);
	return next_leaves(compare, 0) ? HERD_EAGAIN : HERD_OK;
}

static enum herd_error
read_step(struct store_compare *compare)
{
	enum herd_error error = load_page(compare, on_row);

	if (error != HERD_OK)
		return error;
	compare->phase = COMPARE_WALK;
	return HERD_EAGAIN;
}

static enum herd_error
compare_go_on(struct store_compare *compare)
{
	switch (compare->phase) {
	case COMPARE_READ: return read_step(compare);
	case COMPARE_WALK: return walk_step(compare);
	case COMPARE_REREAD: return reread_step(compare);
	case COMPARE_OWE: return owe_step(compare);
	}
	return HERD_OK;
}

/* --- the end -------------------------------------------------------------- */

static void
compare_end(struct store *store)
{
	struct store_differences *found = &store->compare->found;
	uint64_t sum =
	    found->missing + found->stale + found->unknown + found->newer;

	found->at = clock_wall();
	found->mended = store->compare->mends;
	pthread_mutex_lock(&store->lock);
	found->number = store->found.number + 1;
	store->found = *found;
	pthread_mutex_unlock(&store->lock);
	if (store->compare->mends) {
		atomic_fetch_add(&store->repaired, sum);
		if (sum > 0)
			LOG(store->config.log, LOG_INFO, "store-repaired",
			    log_number("missing", (int64_t)found->missing),
			    log_number("stale", (int64_t)found->stale),
			    log_number("unknown", (int64_t)found->unknown),
			    log_number("newer", (int64_t)found->newer));
	}
	free(store->compare);
	store->compare = NULL;
}

static bool
compare_begin(struct store *store)
{
	bool due = clock_mono().ns >= store->compare_at.ns;

	if (atomic_exchange(&store->differences_wanted, false))
		store->compare = compare_new(store, false);
	else if (due && store->hooks.leads(store->hooks.arg))
		store->compare = compare_new(store, true);
	if (due)
		store->compare_at = mono_add(clock_mono(), compare_wait(store));
	return store->compare != NULL;
}

bool
store_compare_step(struct store *store)
{
	enum herd_error error;

	if (store->compare == NULL && !compare_begin(store))
		return false;
	error = compare_go_on(store->compare);
	if (error == HERD_EAGAIN)
		return true;
	if (error == HERD_OK)
		compare_end(store);
	else
		store_on_error(store, error);
	return false;
}
