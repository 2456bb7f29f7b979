/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Passes over the whole table, in slices, so that no lock is held for long.
 */
#ifndef HERD_TABLE_WALK_H
#define HERD_TABLE_WALK_H

#include "core/table.h"

/* Where a walk stands; all zero is the beginning. */
struct table_cursor {
	uint32_t shard;
	uint32_t slot;
	bool skipped; /* a record could not be read for want of memory */
};

/* Returns false to stop behind this record. Runs under the shard's lock: be
 * quick. */
typedef bool table_visit(void *arg, const struct report *report, uint32_t from);

/*
 * Visits the records of at most `slots` slots from *cursor on. What is put
 * meanwhile may or may not be visited. Returns false when the walk is over,
 * or `visit` stopped it: then *cursor is behind the record that it saw last
 * (and the walk is over if cursor->shard is TABLE_SHARDS).
 */
bool table_walk(struct table *table, struct table_cursor *cursor,
    unsigned slots, table_visit *visit, void *arg);

/*
 * Drops expired records among `slots` slots from *cursor on, and evicts what
 * is above the cap because there was no memory to evict it. Returns false at
 * the table's end.
 */
bool table_sweep(struct table *table, struct table_cursor *cursor,
    unsigned slots, struct wall now);

/* --- for the table's own files ------------------------------------------- */

struct shard;
struct slot;

/*
 * Slots [*from, *to) of the cursor's shard are this slice; the shard is locked
 * until table_walk_unlock() moves the cursor to `to`, which returns false at
 * the table's end. NULL at the table's end.
 */
struct shard *table_walk_lock(struct table *table, struct table_cursor *cursor,
    unsigned slots, uint32_t *from, uint32_t *to);
bool table_walk_unlock(
    struct table_cursor *cursor, struct shard *shard, uint32_t to);

/*
 * Reads the slot and asks `visit`. Without memory the answer is `otherwise`,
 * and the cursor notes it.
 */
bool table_visit_slot(const struct table *table, const struct slot *slot,
    struct table_cursor *cursor, table_visit *visit, void *arg, bool otherwise);

#endif
