/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The heap of a shard, by the order in which records are evicted. It is built
 * when the table is nearly full, by a put into its shard: if it were built
 * when it is first needed, one report would wait for the heaps of all shards.
 *
 * A record's place in the order only grows while it lives, so an entry is a
 * lower bound: an update costs nothing, and an entry that is out of date is
 * put right when it comes to the top. When times are equal the records
 * themselves are compared, and an entry that is out of date (its mark tells)
 * goes first. All under the shard's lock.
 */
#ifndef HERD_HEAP_H
#define HERD_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct shard;
struct table;

/* A record as it was once: a lower bound of what its slot holds now. */
struct heap_entry {
	uint64_t time_ns;
	uint32_t slot;
	uint32_t mark; /* of the record: tells whether it is still that */
};

/*
 * A slot got its first record: the heap, if there is one, must know. Builds it
 * when the table is nearly full. Gives it up when it has no room; the next
 * record or the next eviction builds it anew.
 */
void heap_add(struct table *table, struct shard *shard, uint32_t number);

/*
 * Puts the top right: after this it is the shard's least record. Returns
 * false if the shard is empty or there is no memory for a heap.
 */
bool heap_settle(struct table *table, struct shard *shard);
void heap_remove_top(const struct table *table, struct shard *shard);

#endif
