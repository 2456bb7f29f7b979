/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One shard of the table, and the table that holds all of them, for the files
 * of the table only: slots in chunks, an open-addressing index over them, the
 * FIFOs of the outboxes, and, once the table is nearly full, a heap by time.
 * All under the shard's lock.
 */
#ifndef HERD_SHARD_H
#define HERD_SHARD_H

#include "core/fifo.h"
#include "core/heap.h"
#include "core/slot.h"
#include "core/table.h"

#define SLOT_CHUNK 256u
/* An index entry: the slot's number + 1 below, a tag of its hash above. */
#define ENTRY_SLOT_BITS 24u
#define ENTRY_SLOT_MASK ((1u << ENTRY_SLOT_BITS) - 1u)
#define SLOT_MAX (ENTRY_SLOT_MASK - 1u)

struct shard {
	/* A report needs two cache lines, and the FIFOs of its outboxes. */
	pthread_mutex_t lock;
	struct slot **chunks;
	uint32_t *_Atomic index;     /* entries, 0 = free */
	_Atomic uint32_t index_size; /* power of two */
	uint32_t held;               /* records */
	uint64_t attached;           /* bit of each attached outbox */
	uint64_t accepted;
	uint64_t equal;
	struct fifo fifos[TABLE_OUTBOXES];
	uint32_t chunk_count;
	uint32_t slot_count; /* slots ever used */
	uint32_t free_slot;  /* first free one, SLOT_NONE */
	uint32_t removals;
	uint32_t strange; /* origins without a number */
	uint64_t stale;
	uint64_t expired;
	uint64_t evicted;
	uint64_t blob_bytes;     /* slot_blob_memory() of all blobs */
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
	return (uint32_t)(hash >> (64u - TABLE_SHARD_BITS));
}

/* Under the lock, which guards both, plain loads are enough. */
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

/*
 * The only place that changes what table_bytes() returns. Threads add under
 * different locks, so it may be below 0 for a moment.
 */
static inline void
table_add_bytes(struct table *table, uint64_t before, uint64_t after)
{
	if (after != before)
		atomic_fetch_add_explicit(
		    &table->bytes, after - before, memory_order_relaxed);
}

/* Expired at `now` if the table expires at all. */
static inline bool
table_is_expired(const struct table *table, uint64_t time_ns, struct wall now)
{
	uint64_t after = table->expire_after_ns;

	return after != 0 && now.ns > after && time_ns < now.ns - after;
}

/* HERD_ENOMEM: nothing to release. */
HERD_MUST_CHECK enum herd_error shard_init(
    struct table *table, struct shard *shard);
void shard_release(struct table *table, struct shard *shard);

/* A slot without a record; its bits may be set from an earlier life. */
HERD_MUST_CHECK enum herd_error shard_take_slot(
    struct table *table, struct shard *shard, uint32_t *out);
/* Puts the slot back into the free list. */
void shard_give_slot(struct table *table, struct shard *shard, uint32_t number);

/*
 * Where the client's entry is, or the free one where it would go. The tag saves
 * reading most slots of other clients, which are not in the cache.
 */
uint32_t shard_probe(
    const struct shard *shard, uint32_t hash, struct span client);

/* A new client's slot, in the index and the heap. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error shard_insert(struct table *table,
    struct shard *shard, uint32_t hash, const struct report *report,
    uint32_t from, uint32_t *out);

/* Takes the record out of index and slot; the slot's bits stay. */
void shard_remove(struct table *table, struct shard *shard, uint32_t number);

#endif
