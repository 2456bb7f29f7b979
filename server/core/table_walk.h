/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes over the whole table, in slices, so that no lock is held for long. */
#ifndef HERD_TABLE_WALK_H
#define HERD_TABLE_WALK_H

#include "core/table.h"

/* The position of a walk; all zero is the beginning. */
struct table_cursor {
	uint32_t shard;
	uint32_t slot;
	bool skipped; /* a record could not be read for want of memory */
};

/* Returns false to stop after this record. Runs under the shard's lock. */
typedef bool table_visit(void *arg, const struct report *report, uint32_t from);

/*
 * Visits the records of at most `slots` slots from *cursor on. Records that are
 * put meanwhile may or may not be visited. Returns false when the walk is over
 * or `visit` stopped it. In the second case *cursor is after the last record
 * that it saw (and the walk is over if cursor->shard is TABLE_SHARDS).
 */
bool table_walk(struct table *table, struct table_cursor *cursor,
    unsigned slots, table_visit *visit, void *arg);

/*
 * As table_walk(), but reads only records with a client that `choose` returns
 * true for, which costs a third of reading all. It runs under the lock as well.
 */
typedef bool table_choose(void *arg, struct span client);
bool table_walk_some(struct table *table, struct table_cursor *cursor,
    unsigned slots, table_choose *choose, table_visit *visit, void *arg);

/*
 * Drops expired records among `slots` slots from *cursor on. Evicts records
 * above the cap that could not be evicted before for want of memory. Returns
 * false at the table's end.
 */
bool table_sweep(struct table *table, struct table_cursor *cursor,
    unsigned slots, struct wall now);

/* --- for the table's own files ------------------------------------------- */

struct shard;
struct slot;

/*
 * Locks the cursor's shard; its slots [*from, *to) are this slice. NULL at the
 * table's end. table_walk_unlock() moves the cursor to `to` and returns false
 * at the table's end.
 */
struct shard *table_walk_lock(struct table *table, struct table_cursor *cursor,
    unsigned slots, uint32_t *from, uint32_t *to);
bool table_walk_unlock(
    struct table_cursor *cursor, struct shard *shard, uint32_t to);

/*
 * Reads the slot and calls `visit`. Without memory the result is `otherwise`,
 * and the cursor notes it.
 */
bool table_visit_slot(const struct table *table, const struct slot *slot,
    struct table_cursor *cursor, table_visit *visit, void *arg, bool otherwise);

#endif
