/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cap: which record goes when the table is full. It is the least in the
 * total order over the whole table, so that all nodes keep the same set.
 */
#ifndef HERD_LEAST_H
#define HERD_LEAST_H

#include "herd/report.h"

struct table;

/* The least record of the whole table, copied out of its shard. */
struct least {
	bool found;
	unsigned shard;
	uint32_t slot;
	struct report report; /* texts in `text` */
	char *text;
};

/*
 * Finds nothing in an empty table, or without memory. The caller holds
 * evict_lock and no shard's lock. `own` is the caller's shard.
 */
void least_find(struct least *least, struct table *table, unsigned own);
void least_release(struct least *least);
/* Takes it out of the table, unless it changed: then false. */
bool least_remove(const struct least *least, struct table *table);

/*
 * Evicts the least records of the whole table until it is within its cap. The
 * caller holds no shard's lock, and for the second one evict_lock.
 */
void least_evict(struct table *table, unsigned own);
void least_evict_locked(struct table *table, unsigned own);

/*
 * The time of a full table's least record: what is older has no place in it.
 * False: the table is not full, or has no cap. The caller holds no lock.
 */
bool least_time(struct table *table, uint64_t *time_ns);

#endif
