/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mutant.h"

#define INDEX_SIZE_MIN 64u

enum herd_error
shard_init(struct table *table, struct shard *shard)
{
	shard->index_size = INDEX_SIZE_MIN;
	shard->index = calloc(shard->index_size, sizeof(*shard->index));
	if (shard->index == NULL)
		return HERD_ENOMEM;
	if (pthread_mutex_init(&shard->lock, NULL) != 0) {
		free(shard->index);
		return HERD_ENOMEM;
	}
	shard->free_slot = SLOT_NONE;
	table_add_bytes(table, 0, INDEX_SIZE_MIN * sizeof(*shard->index));
	return HERD_OK;
}

void
shard_release(struct table *table, struct shard *shard)
{
	for (uint32_t i = 0; i < shard->slot_count; i++) {
		slot_drop(table, shard, shard_slot(shard, i));
	}
	for (uint32_t i = 0; i < shard->chunk_count; i++)
		free(shard->chunks[i]);
	free(shard->chunks);
	free(shard->index);
	free(shard->heap);
	for (unsigned i = 0; i < TABLE_OUTBOXES; i++)
		fifo_release(table, &shard->fifos[i]);
	pthread_mutex_destroy(&shard->lock);
}

/* --- slots --------------------------------------------------------------- */

static enum herd_error
shard_add_chunk(struct table *table, struct shard *shard)
{
	struct slot **chunks;
	struct slot *chunk;

	if (shard->slot_count > SLOT_MAX - SLOT_CHUNK)
		return HERD_ENOMEM;
	chunk = calloc(SLOT_CHUNK, sizeof(*chunk));
	if (chunk == NULL)
		return HERD_ENOMEM;
	chunks = realloc(
	    shard->chunks, (shard->chunk_count + 1) * sizeof(*shard->chunks));
	if (chunks == NULL) {
		free(chunk);
		return HERD_ENOMEM;
	}
	shard->chunks = chunks;
	shard->chunks[shard->chunk_count++] = chunk;
	table_add_bytes(table, 0, SLOT_CHUNK * sizeof(*chunk));
	return HERD_OK;
}

enum herd_error
shard_take_slot(struct table *table, struct shard *shard, uint32_t *out)
{
	if (shard->free_slot != SLOT_NONE) {
		*out = shard->free_slot;
		shard->free_slot =
		    (uint32_t)shard_slot(shard, shard->free_slot)->time_ns;
		table_add_bytes(table, 0, sizeof(struct slot));
		return HERD_OK;
	}
	if (shard->slot_count == shard->chunk_count * SLOT_CHUNK &&
	    shard_add_chunk(table, shard) != HERD_OK)
		return HERD_ENOMEM;
	*out = shard->slot_count++;
	return HERD_OK;
}

void
shard_give_slot(struct table *table, struct shard *shard, uint32_t number)
{
	shard_slot(shard, number)->time_ns = shard->free_slot;
	shard->free_slot = number;
	table_add_bytes(table, sizeof(struct slot), 0);
}

/* --- index --------------------------------------------------------------- */

static bool
slot_is_client(const struct slot *slot, uint32_t hash, struct span client)
{
	return slot->hash == hash && slot->client_len == client.len &&
	       memcmp(slot_blob(slot), client.data, client.len) == 0;
}

uint32_t
shard_probe(const struct shard *shard, uint32_t hash, struct span client)
{
	const uint32_t *index = load_index(shard);
	uint32_t mask = index_mask(shard);
	uint32_t at = hash & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t entry = index[at];

		if (entry == 0)
			return at;
		if (entry_has_tag(entry, hash) &&
		    slot_is_client(
			shard_slot(shard, entry_slot(entry)), hash, client))
			return at;
	}
}

static enum herd_error
shard_grow_index(struct table *table, struct shard *shard)
{
	uint32_t size = shard->index_size * 2;
	uint32_t *index;

	/* There are fewer than 2^24 slots. */
	assert(size > shard->index_size);
	index = calloc(size, sizeof(*index));
	if (index == NULL)
		return HERD_ENOMEM;
	for (uint32_t i = 0; i < shard->index_size; i++) {
		uint32_t entry = shard->index[i];
		uint32_t at;

		if (entry == 0)
			continue;
		at = shard_slot(shard, entry_slot(entry))->hash & (size - 1);
		while (index[at] != 0)
			at = (at + 1) & (size - 1);
		index[at] = entry;
	}
	free(shard->index);
	table_add_bytes(
	    table, shard->index_size * sizeof(*index), size * sizeof(*index));
	shard->index = index;
	shard->index_size = size;
	return HERD_OK;
}

/* Linear probing without tombstones: later entries of the run move up. */
static void
shard_index_remove(struct shard *shard, uint32_t hole)
{
	uint32_t mask = shard->index_size - 1;
	uint32_t at = hole;

	for (;;) {
		uint32_t home;

		at = (at + 1) & mask;
		if (shard->index[at] == 0)
			break;
		home = shard_slot(shard, entry_slot(shard->index[at]))->hash &
		       mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			shard->index[hole] = shard->index[at];
			hole = at;
		}
	}
	shard->index[hole] = 0;
}

/* The bits of the hash that its place in the index does not tell. */
static uint32_t
hash_tag(uint32_t hash)
{
	return hash >> ENTRY_SLOT_BITS << ENTRY_SLOT_BITS;
}

enum herd_error
shard_insert(struct table *table, struct shard *shard, uint32_t hash,
    const struct report *report, uint32_t from, uint32_t *out)
{
	struct slot *slot;
	uint32_t number;

	if (shard->held >= shard->index_size / 4 * 3 &&
	    shard_grow_index(table, shard) != HERD_OK)
		return HERD_ENOMEM;
	if (shard_take_slot(table, shard, &number) != HERD_OK)
		return HERD_ENOMEM;
	slot = shard_slot(shard, number);
	if (slot_write(table, shard, slot, report, from) != HERD_OK) {
		shard_give_slot(table, shard, number);
		return HERD_ENOMEM;
	}
	slot->hash = hash;
	shard->index[shard_probe(shard, hash, report->client)] =
	    hash_tag(hash) | (number + 1);
	shard->held++;
	atomic_fetch_add(&table->records, 1);
	heap_add(table, shard, number);
	*out = number;
	return HERD_OK;
}

void
shard_remove(struct table *table, struct shard *shard, uint32_t number)
{
	struct slot *slot = shard_slot(shard, number);
	struct span client =
	    span_of((const char *)slot_blob(slot), slot->client_len);

	shard_index_remove(shard, shard_probe(shard, slot->hash, client));
	table_add_bytes(table, slot_bytes(slot), 0);
	slot_drop(table, shard, slot);
	shard->held--;
	atomic_fetch_sub(&table->records, 1);
	slot->state = SLOT_FREE;
	shard_give_slot(table, shard, number);
	if (MUTANT(CLEAR_ON_FREE))
		slot->owed = 0;
}
