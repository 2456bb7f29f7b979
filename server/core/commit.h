/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When an answer may go with durability sync. table_put() gives each report
 * a ticket (struct put_info): a position in the FIFO of its shard. The store
 * takes records in batches and publishes, once a batch is committed, how far
 * each FIFO is durable; an answer waits until that covers its ticket.
 *
 * What the cap refuses, or throws out before the store took it, is durable
 * only when all that was owed at that moment is: what made it the least must
 * not be lost either, or it would be missed. So such a batch is published
 * late. If one of those is thrown out in its turn before it was taken, what
 * made that the least counts as well, and the wait is extended.
 * Source: herd-protocol(7), "Durability".
 */
#ifndef HERD_COMMIT_H
#define HERD_COMMIT_H

#include "core/outbox.h"

struct commit {
	const struct outbox *outbox;         /* the store's */
	_Atomic uint64_t done[TABLE_SHARDS]; /* published */

	/* the store's thread only */
	uint64_t evicted; /* outbox->evicted and ->refused as seen last */
	uint64_t refused;
	bool tainted; /* a batch since the last hold lost a record */
	bool holding; /* `held` waits for `until` */
	uint64_t batch[TABLE_SHARDS];   /* popped at the batch's end */
	uint64_t barrier[TABLE_SHARDS]; /* appended when it was tainted */
	uint64_t held[TABLE_SHARDS];
	uint64_t until[TABLE_SHARDS];
};

/*
 * Borrows the store's outbox, which is attached and stays so: what it has
 * taken so far counts as durable.
 */
void commit_init(struct commit *commit, const struct outbox *outbox);

/* The store's thread, after a batch's last outbox_take(). */
void commit_end_batch(struct commit *commit);

/*
 * The store's thread, when that batch is durable. Returns true if answers may
 * go that had to wait: wake who holds them. A batch that failed is never
 * published, nor is anything after it.
 */
bool commit_publish(struct commit *commit);

/*
 * Any thread: is what the ticket stands for durable? Always false once the
 * outbox failed for want of memory.
 */
bool commit_covers(const struct commit *commit, const struct put_info *ticket);

/*
 * Any thread: must the answer to a report wait for its ticket? All must, the
 * stale and repeated ones too: what made them stale may not be durable yet.
 */
bool commit_must_wait(const struct commit *commit, enum put_result result,
    const struct put_info *ticket);

#endif
