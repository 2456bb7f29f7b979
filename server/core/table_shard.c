/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One shard: its slots and the index over them. */
#include <assert.h>
#include <stdlib.h>

#include "core/mutant.h"
#include "core/pack.h"
#include "core/table_shard.h"

#define INDEX_SIZE_MIN 64u
#define BLOB_EXTRA 8u /* malloc's own bytes before a block */

/* --- life ---------------------------------------------------------------- */

uint64_t
blob_memory(size_t size)
{
	return size <= SLOT_INLINE ? 0 : (size + BLOB_EXTRA + 15u) / 16u * 16u;
}

uint64_t
table_bytes(const struct table *table)
{
	uint64_t bytes =
	    atomic_load_explicit(&table->bytes, memory_order_relaxed);

	return bytes > INT64_MAX ? 0 : bytes;
}

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

static void
slot_drop_blob(struct shard *shard, struct slot *slot)
{
	void *blob;

	shard->strange -= slot->origin == NAME_NONE;
	if (slot->blob_len > SLOT_INLINE) {
		memcpy(&blob, slot->text, sizeof(blob));
		free(blob);
		shard->blob_bytes -= blob_memory(slot->blob_len);
	}
	slot->blob_len = 0;
}

void
shard_release(struct table *table, struct shard *shard)
{
	for (uint32_t i = 0; i < shard->slot_count; i++) {
		if (shard_slot(shard, i)->state != SLOT_FREE)
			slot_drop_blob(shard, shard_slot(shard, i));
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

const uint8_t *
slot_blob(const struct slot *slot)
{
	const uint8_t *blob = slot->text;

	if (slot->blob_len > SLOT_INLINE)
		memcpy(&blob, slot->text, sizeof(blob));
	return blob;
}

size_t
slot_packed_len(const struct slot *slot)
{
	if (slot->origin != NAME_NONE)
		return slot->blob_len;
	return slot->blob_len - 1u - slot_blob(slot)[slot->blob_len - 1];
}

struct span
slot_origin(const struct table *table, const struct slot *slot)
{
	size_t at;

	if (slot->origin != NAME_NONE)
		return names_text(&table->names, slot->origin);
	at = slot_packed_len(slot);
	return span_of(
	    (const char *)slot_blob(slot) + at, slot->blob_len - 1u - at);
}

enum herd_error
slot_read(const struct table *table, const struct slot *slot,
    char scratch[SLOT_SCRATCH], char **heap, struct report *out)
{
	size_t need = pack_scratch(slot->blob_len, slot->client_len);

	*heap = NULL;
	if (need > SLOT_SCRATCH) {
		*heap = malloc(need);
		if (*heap == NULL)
			return HERD_ENOMEM;
		scratch = *heap;
	}
	pack_read(slot_blob(slot), slot_packed_len(slot), slot->client_len,
	    scratch, out);
	out->origin = slot_origin(table, slot);
	out->time_ns = slot->time_ns;
	out->kind =
	    slot->state == SLOT_REMOVAL ? REPORT_REMOVAL : REPORT_POSITION;
	return HERD_OK;
}

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

/* What the slot's record counts for beside the slot of a position. */
static uint64_t
slot_bytes(const struct slot *slot)
{
	switch ((enum slot_state)slot->state) {
	case SLOT_FREE: return 0;
	case SLOT_POSITION: return blob_memory(slot->blob_len);
	case SLOT_REMOVAL: return 0 - (uint64_t)sizeof(*slot);
	}
	return 0;
}

static void
add_removal(struct table *table, struct shard *shard)
{
	shard->removals++;
	atomic_fetch_add(&table->removals, 1);
}

static void
drop_removal(struct table *table, struct shard *shard)
{
	uint64_t left = atomic_fetch_sub(&table->removals, 1) - 1;
	uint64_t replaced = atomic_load(&table->replaced);

	shard->removals--;
	while (replaced > left &&
	       !atomic_compare_exchange_weak(&table->replaced, &replaced, left))
		;
}

/* The slot is about to be another record, or none. */
static void
slot_uncount(struct table *table, struct shard *shard, struct slot *slot)
{
	if (slot->state == SLOT_REMOVAL)
		drop_removal(table, shard);
	if (slot->state != SLOT_FREE)
		slot_drop_blob(shard, slot);
}

/* Most reports of a client come by the same node as the one before. */
static uint16_t
find_origin(
    const struct table *table, const struct slot *slot, struct span origin)
{
	if (slot->state != SLOT_FREE && slot->origin != NAME_NONE &&
	    span_equal(names_text(&table->names, slot->origin), origin))
		return slot->origin;
	return names_find(&table->names, origin);
}

enum herd_error
slot_write(struct table *table, struct shard *shard, struct slot *slot,
    const struct report *report, uint32_t from)
{
	uint16_t origin = find_origin(table, slot, report->origin);
	size_t packed = pack_size(report);
	size_t size =
	    packed + (origin == NAME_NONE ? report->origin.len + 1 : 0);
	uint64_t before = slot_bytes(slot);
	uint8_t *blob = slot->text;

	if (size > SLOT_INLINE) {
		blob = malloc(size);
		if (blob == NULL)
			return HERD_ENOMEM;
	}
	slot_uncount(table, shard, slot);
	shard->strange += origin == NAME_NONE;
	pack_write(report, blob);
	if (origin == NAME_NONE) {
		memcpy(blob + packed, report->origin.data, report->origin.len);
		blob[size - 1] = (uint8_t)report->origin.len;
	}
	if (size > SLOT_INLINE) {
		memcpy(slot->text, &blob, sizeof(blob));
		shard->blob_bytes += blob_memory(size);
	}
	slot->blob_len = (uint32_t)size;
	slot->client_len = (uint16_t)report->client.len;
	slot->time_ns = report->time_ns;
	slot->origin = origin;
	slot->from = from;
	slot->state =
	    report->kind == REPORT_REMOVAL ? SLOT_REMOVAL : SLOT_POSITION;
	if (slot->state == SLOT_REMOVAL)
		add_removal(table, shard);
	table_add_bytes(table, before, slot_bytes(slot));
	return HERD_OK;
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

/* The bits of the hash that its place in the index does not say. */
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
	shard_heap_add(table, shard, number);
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
	slot_uncount(table, shard, slot);
	shard->held--;
	atomic_fetch_sub(&table->records, 1);
	slot->state = SLOT_FREE;
	shard_give_slot(table, shard, number);
	if (MUTANT(CLEAR_ON_FREE))
		slot->owed = 0;
}
