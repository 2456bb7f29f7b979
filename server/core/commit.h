/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When an answer may go with durability sync. table_put() gives each report
 * a ticket (struct put_info): a position in the FIFO of its shard. The store
 * takes records in batches. Once a batch is committed it publishes how far
 * each FIFO is durable. An answer waits until that covers its ticket.
 *
 * The cap may refuse a report, or evict a record before the store took it. It
 * was the least because of other records. If those were lost in a crash, it
 * would be missing. So it counts as durable only when all is durable that was
 * owed at that moment, and its batch is published late. If one of the others
 * is evicted too before it was taken, the wait is extended in the same way.
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
 * Borrows the store's outbox, which is attached and stays so. All that it has
 * taken so far counts as durable.
 */
void commit_init(struct commit *commit, const struct outbox *outbox);

/* The store's thread, after a batch's last outbox_take(). */
void commit_end_batch(struct commit *commit);

/*
 * The store's thread, when that batch is durable. Returns true if waiting
 * answers may go: wake their threads. A batch that failed is never published,
 * nor is any later one.
 */
bool commit_publish(struct commit *commit);

/*
 * Any thread: is the ticket's report durable? Always false once the outbox
 * failed for want of memory.
 */
bool commit_covers(const struct commit *commit, const struct put_info *ticket);

/*
 * Any thread: must the answer to a report wait for its ticket? Stale and
 * repeated reports wait too, because the record that is held may not be
 * durable yet.
 */
bool commit_must_wait(const struct commit *commit, enum put_result result,
    const struct put_info *ticket);

#endif
