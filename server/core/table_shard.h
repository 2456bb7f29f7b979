/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One shard of the table, for table*.c and outbox.c only: slots in chunks,
 * an open-addressing index over them, the FIFOs of the outboxes, and, once
 * the table is nearly full, a heap by time. All under the shard's lock.
 *
 * A slot is 88 bytes: with the index that is below 100 bytes per client with
 * an id of 20 bytes, outboxes included.
 */
#ifndef HERD_TABLE_SHARD_H
#define HERD_TABLE_SHARD_H

#include "core/table.h"

#define SLOT_INLINE 55u
#define SLOT_CHUNK 256u
#define SLOT_NONE UINT32_MAX
/* An index entry: the slot's number + 1 below, a tag of its hash above. */
#define ENTRY_SLOT_BITS 24u
#define ENTRY_SLOT_MASK ((1u << ENTRY_SLOT_BITS) - 1u)
#define SLOT_MAX (ENTRY_SLOT_MASK - 1u)

enum slot_state {
	SLOT_FREE = 0,
	SLOT_POSITION,
	SLOT_REMOVAL,
};

struct slot {
	uint64_t owed; /* membership bit of each outbox; outlives the record */
	uint64_t time_ns; /* free: number of the next free slot */
	uint32_t hash;
	uint32_t from;
	uint32_t blob_len;
	uint16_t client_len;
	uint16_t origin;           /* NAME_NONE: the blob's end has it */
	uint8_t state;             /* enum slot_state */
	uint8_t text[SLOT_INLINE]; /* the blob, or a pointer to it */
};

_Static_assert(sizeof(struct slot) == 88, "memory per client is promised");

/* A FIFO of slots: a ring that is freed when it is empty and large. */
struct fifo {
	uint32_t *ring;
	uint32_t size; /* power of two or 0 */
	uint32_t head; /* position of the oldest */
	uint32_t count;
	uint64_t appended;
	uint64_t popped;
};

/* A record as it was once: a lower bound of what its slot holds now. */
struct heap_entry {
	uint64_t time_ns;
	uint32_t slot;
	uint32_t mark; /* of the record: tells whether it is still that */
};

struct shard {
	pthread_mutex_t lock;
	struct slot **chunks;
	uint32_t chunk_count;
	uint32_t slot_count;         /* slots ever used */
	uint32_t free_slot;          /* first free one, SLOT_NONE */
	uint32_t *_Atomic index;     /* entries, 0 = free */
	_Atomic uint32_t index_size; /* power of two */
	uint32_t held;               /* records */
	uint32_t removals;
	uint32_t strange; /* origins without a number */
	uint64_t accepted;
	uint64_t stale;
	uint64_t equal;
	uint64_t expired;
	uint64_t evicted;
	uint64_t blob_bytes; /* blob_memory() of all blobs */
	uint64_t attached;   /* bit of each attached outbox */
	struct fifo fifos[TABLE_OUTBOXES];
	struct heap_entry *heap; /* NULL until the table is nearly full */
	uint32_t heap_count;
	uint32_t heap_size;
} __attribute__((aligned(64)));

struct table {
	struct siphash_key key;
	uint64_t max_clients;
	uint64_t expire_after_ns;
	_Atomic uint64_t records;
	_Atomic uint64_t removals; /* of them */
	_Atomic uint64_t replaced; /* see has_no_place(); not above removals */
	_Atomic uint64_t coming;   /* new clients that look for a place */
	_Atomic uint64_t bytes;    /* see table_bytes() */
	struct names names;
	pthread_mutex_t outbox_lock; /* of `outboxes` and their bits */
	struct outbox *_Atomic outboxes[TABLE_OUTBOXES];
	pthread_mutex_t evict_lock; /* taken before any shard's lock */
	struct shard shards[TABLE_SHARDS];
};

static inline struct slot *
shard_slot(const struct shard *shard, uint32_t slot)
{
	return &shard->chunks[slot / SLOT_CHUNK][slot % SLOT_CHUNK];
}

static inline uint32_t
entry_slot(uint32_t entry)
{
	return (entry & ENTRY_SLOT_MASK) - 1;
}

static inline uint32_t
hash_shard(uint64_t hash)
{
	return (uint32_t)(hash >> 58);
}

/* Under the lock, where index and size change: plain loads do. */
static inline uint32_t *
load_index(const struct shard *shard)
{
	return atomic_load_explicit(&shard->index, memory_order_relaxed);
}

static inline uint32_t
index_mask(const struct shard *shard)
{
	return atomic_load_explicit(&shard->index_size, memory_order_relaxed) -
	       1;
}

static inline bool
entry_has_tag(uint32_t entry, uint32_t hash)
{
	return ((entry ^ hash) >> ENTRY_SLOT_BITS) == 0;
}

/* --- memory (table_shard.c) ---------------------------------------------- */

/*
 * Every change of what table_bytes() tells comes through here. Threads add
 * without the same lock, so that it may be below 0 for a moment.
 */
static inline void
table_add_bytes(struct table *table, uint64_t before, uint64_t after)
{
	if (after != before)
		atomic_fetch_add_explicit(
		    &table->bytes, after - before, memory_order_relaxed);
}

/* Memory that a blob of that size takes outside its slot, malloc's included. */
uint64_t blob_memory(size_t size);

/* --- slots and index (table_shard.c) ------------------------------------- */

/* HERD_ENOMEM: nothing to release. */
HERD_MUST_CHECK enum herd_error shard_init(
    struct table *table, struct shard *shard);
void shard_release(struct table *table, struct shard *shard);

/*
 * The slot's bytes: client id, packed texts and, without a number for the
 * origin, the origin's text and its length in one byte.
 */
const uint8_t *slot_blob(const struct slot *slot);

/* The name of the origin: borrows the slot, or is a name's own text. */
struct span slot_origin(const struct table *table, const struct slot *slot);

/* Of slot_blob(): the client id and the packed texts. */
size_t slot_packed_len(const struct slot *slot);

#define SLOT_SCRATCH 256u
/*
 * The slot's record. Its texts borrow the slot and `scratch`, or *heap when
 * SLOT_SCRATCH bytes are too few; the caller frees *heap. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error slot_read(const struct table *table,
    const struct slot *slot, char scratch[SLOT_SCRATCH], char **heap,
    struct report *out);

/* A slot without a record; its bits may be set from an earlier life. */
HERD_MUST_CHECK enum herd_error shard_take_slot(
    struct table *table, struct shard *shard, uint32_t *out);
/* Back to the free ones. */
void shard_give_slot(struct table *table, struct shard *shard, uint32_t number);

/*
 * Writes the record into the slot and counts it; a failed call leaves the
 * slot as it was. The blob is in place before anything is owed. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error slot_write(struct table *table,
    struct shard *shard, struct slot *slot, const struct report *report,
    uint32_t from);

/*
 * Where the client's entry is, or the free one where it would go. The tag
 * saves a look at most slots of other clients, which are not in the cache.
 */
uint32_t shard_probe(
    const struct shard *shard, uint32_t hash, struct span client);

/* A new client's slot, in the index and the heap. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error shard_insert(struct table *table,
    struct shard *shard, uint32_t hash, const struct report *report,
    uint32_t from, uint32_t *out);

/* Takes the record out of index and slot; the slot's bits stay. */
void shard_remove(struct table *table, struct shard *shard, uint32_t number);

/* --- table.c ------------------------------------------------------------- */

/* Expired at `now` if the table expires at all. */
bool table_is_expired(
    const struct table *table, uint64_t time_ns, struct wall now);

/* --- fifo and owing (outbox.c) ------------------------------------------- */

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error fifo_append(
    struct table *table, struct fifo *fifo, uint32_t slot);
/* The oldest; count > 0. */
uint32_t fifo_peek(const struct fifo *fifo);
void fifo_pop(struct table *table, struct fifo *fifo);
void fifo_release(struct table *table, struct fifo *fifo);

/* The bit of the attached outbox whose owner `from` is; 0 if none. */
uint64_t shard_owner_bits(
    struct table *table, const struct shard *shard, uint32_t from);

/*
 * Owes slot `number` to every attached outbox in `mask` that does not have it
 * yet. An outbox whose FIFO can't grow is marked as failed: its consumer must
 * begin anew.
 */
void shard_owe(
    struct table *table, struct shard *shard, uint32_t number, uint64_t mask);

/* --- eviction (table_evict.c) -------------------------------------------- */

/*
 * A slot got its first record: the heap, if there is one, must know. Builds it
 * when the table is nearly full. Gives it up when it has no room; the next
 * record or the next eviction builds it anew.
 */
void shard_heap_add(struct table *table, struct shard *shard, uint32_t number);

/* The least record of the whole table, copied out of its shard. */
struct least {
	bool found;
	unsigned shard;
	uint32_t slot;
	struct report report; /* texts in `text` */
	char *text;
};

/*
 * Nothing is found in an empty table, or without memory. The caller holds
 * evict_lock and no shard's lock. `own` is the shard of whoever asks.
 */
void least_find(struct least *least, struct table *table, unsigned own);
void least_release(struct least *least);
/* Takes it out of the table, unless it changed: then false. */
bool least_remove(const struct least *least, struct table *table);

/*
 * Evicts the least records of the whole table until it is within its cap. No
 * shard's lock is held; the second one is for those who hold evict_lock.
 */
void table_evict(struct table *table, unsigned own);
void table_evict_locked(struct table *table, unsigned own);

#endif
