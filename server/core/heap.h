/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap of a shard, by the order in which records are evicted. A put into
 * the shard builds it when the table is nearly full. If it were built when it
 * is first needed, one report would wait for the heaps of all shards.
 *
 * A record's place in the order only grows while it lives, so an entry is a
 * lower bound. An update costs nothing: an entry that is out of date is
 * corrected when it comes to the top. When times are equal, the records
 * themselves are compared, and an entry that is out of date (its mark tells)
 * goes first. All under the shard's lock.
 */
#ifndef HERD_HEAP_H
#define HERD_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct shard;
struct table;

/* A record as it once was: a lower bound of what its slot holds now. */
struct heap_entry {
	uint64_t time_ns;
	uint32_t slot;
	uint32_t mark; /* of the record: tells whether it has changed */
};

/*
 * A slot got its first record: adds it to the heap if there is one, or builds
 * the heap if the table is nearly full. A heap without room is given up; the
 * next record or eviction builds it again.
 */
void heap_add(struct table *table, struct shard *shard, uint32_t number);

/*
 * Corrects the top, which is then the shard's least record. Returns false if
 * the shard is empty or there is no memory for a heap.
 */
bool heap_settle(struct table *table, struct shard *shard);
void heap_remove_top(const struct table *table, struct shard *shard);

#endif
