/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An outbox: what the table owes to one consumer (a link, the store, a
 * watcher). Each shard has a FIFO of slots for it, and each slot one bit that
 * says whether it is in there, so that a slow consumer gets each client's
 * newest report once.
 */
#ifndef HERD_OUTBOX_H
#define HERD_OUTBOX_H

#include "core/table_walk.h"

/*
 * Called under a shard's lock when the outbox gets its first record, from any
 * thread, unless it is poised: wake the consumer. Must not block.
 */
typedef void outbox_wake(void *arg);

/*
 * Called under a shard's lock for each report that becomes owed, as it is
 * accepted, with the hash of its client (the low bits of table_hash()). Must
 * not block.
 */
typedef void outbox_note(
    void *arg, uint32_t hash, uint64_t time_ns, uint32_t from);

/* What put() owes to an outbox; what outbox_owe() owes is up to its caller. */
enum outbox_scope {
	OUTBOX_ALL,
	/*
	 * Not what came FROM_NOBODY: a store that others write too is not owed
	 * what it gave.
	 */
	OUTBOX_LEARNED,
	/*
	 * Only what came FROM_CLIENT, because each node tells that store what
	 * its own clients said. A repeated report, which may have come from
	 * elsewhere first, makes this node owe the record that is held if the
	 * caller of put() waits for it.
	 */
	OUTBOX_OWN,
};

struct outbox {
	struct table *table;
	outbox_wake *wake;
	outbox_note *note;       /* or NULL; set before it is attached */
	enum outbox_scope scope; /* OUTBOX_ALL; set before it is attached */
	void *arg;
	uint32_t owner; /* records `from` it are not sent to it */
	uint8_t bit;    /* membership bit in every slot */
	bool attached;
	uint8_t next_shard; /* where outbox_take() goes on */
	uint64_t turn_end;  /* of that shard: position in its FIFO, 0 = none */
	_Atomic uint64_t
	    owing;           /* one bit per shard with a record in its FIFO */
	_Atomic bool poised; /* its consumer will look without being woken */
	_Atomic bool failed; /* out of memory: a debt was not noted */
	_Atomic uint64_t evicted; /* owed records that the cap evicted */
	_Atomic uint64_t refused; /* reports that a full table did not take */
};

void outbox_init(struct outbox *outbox, struct table *table, uint32_t owner,
    outbox_wake *wake, void *arg);

/* From now on changes are owed. HERD_ELIMIT: all bits are taken. */
HERD_MUST_CHECK enum herd_error outbox_attach(struct outbox *outbox);

/* Forgets the debt. Once this returns, wake is not called any more. */
void outbox_detach(struct outbox *outbox);

/*
 * Offers one record to the consumer, under the shard's lock. If it returns
 * false, the record stays owed.
 */
typedef bool outbox_give(void *arg, const struct report *report);

/*
 * Takes up to `max` records of one shard with a debt, oldest first, and
 * gives those that still exist and did not come from `owner`. Returns how
 * many were popped; 0 when nothing is owed or `give` refused the first one.
 */
unsigned outbox_take(
    struct outbox *outbox, unsigned max, outbox_give *give, void *arg);

bool outbox_is_empty(const struct outbox *outbox);

/*
 * The consumer will look into the outbox at some moment, so it need not be
 * woken until then. When it is `poised` no more, it must look once again.
 */
void outbox_poise(struct outbox *outbox, bool poised);

/* A debt could not be noted for want of memory: detach, start again. */
bool outbox_has_failed(const struct outbox *outbox);

/* Records owed now. Looks at every shard. */
uint64_t outbox_owed(const struct outbox *outbox);

/*
 * One slice of a pass that owes records: visits at most `slots` slots from
 * *cursor on and owes those for which `wanted` returns true. Returns false when
 * the pass is over. `gives_back`: also those that came from the outbox's owner,
 * who may have lost them since.
 */
bool outbox_owe(struct outbox *outbox, struct table_cursor *cursor,
    unsigned slots, bool gives_back, table_visit *wanted, void *arg);

/* Owes the client's record; false: none is held. */
bool outbox_owe_client(struct outbox *outbox, struct span client);

/* Per shard: records ever appended to the FIFO, and popped from it. */
struct outbox_progress {
	uint64_t appended[TABLE_SHARDS];
	uint64_t popped[TABLE_SHARDS];
};

void outbox_progress(const struct outbox *outbox, struct outbox_progress *out);

/* --- for the table's own files ------------------------------------------- */

struct shard;

/*
 * The bits of attached outboxes that are not owed a record that comes `from`
 * there: its owner's, and those with another scope.
 */
uint64_t outbox_spared_bits(
    struct table *table, const struct shard *shard, uint32_t from);

/*
 * Owes slot `number` to every attached outbox in `mask` that does not have it
 * yet. An outbox whose FIFO cannot grow is marked as failed: its consumer must
 * start again.
 */
void outbox_owe_slot(
    struct table *table, struct shard *shard, uint32_t number, uint64_t mask);

#endif
