/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/table_check.h"

#include <stdlib.h>

/* It tests the inside, so it may look there. */
#include "core/shard.h"

static const char *
check_free_list(const struct shard *shard)
{
	uint32_t free_slots = 0;
	uint32_t counted = 0;

	for (uint32_t i = 0; i < shard->slot_count; i++)
		free_slots += shard_slot(shard, i)->state == SLOT_FREE;
	for (uint32_t at = shard->free_slot; at != SLOT_NONE;
	     at = (uint32_t)shard_slot(shard, at)->time_ns) {
		if (at >= shard->slot_count ||
		    shard_slot(shard, at)->state != SLOT_FREE ||
		    ++counted > free_slots)
			return "the free list is broken";
	}
	return counted == free_slots ? NULL : "a free slot is lost";
}

static const char *
check_index(const struct shard *shard)
{
	uint32_t held = 0;
	uint32_t removals = 0;
	uint32_t indexed = 0;

	for (uint32_t i = 0; i < shard->slot_count; i++) {
		const struct slot *slot = shard_slot(shard, i);
		uint32_t at = slot->hash & (shard->index_size - 1);

		if (slot->state == SLOT_FREE)
			continue;
		held++;
		removals += slot->state == SLOT_REMOVAL;
		while (
		    shard->index[at] != 0 && entry_slot(shard->index[at]) != i)
			at = (at + 1) & (shard->index_size - 1);
		if (shard->index[at] == 0)
			return "a record is not in the index";
	}
	for (uint32_t i = 0; i < shard->index_size; i++)
		indexed += shard->index[i] != 0;
	if (held != shard->held || indexed != held)
		return "the count of records is wrong";
	return removals == shard->removals ? NULL
					   : "the count of removals is wrong";
}

/* Each slot at most once, and exactly those whose bit is set. */
static const char *
check_fifo(const struct shard *shard, unsigned bit)
{
	const struct fifo *fifo = &shard->fifos[bit];
	uint64_t mask = UINT64_C(1) << bit;
	uint32_t owed = 0;
	uint8_t *seen;
	const char *wrong = NULL;

	for (uint32_t i = 0; i < shard->slot_count; i++)
		owed += (shard_slot(shard, i)->owed & mask) != 0;
	if (owed != fifo->count)
		return "an outbox's bits and FIFO differ in number";
	if (fifo->appended - fifo->popped != fifo->count)
		return "an outbox's positions are wrong";
	if (fifo->count == 0)
		return NULL;
	seen = calloc(shard->slot_count, 1);
	if (seen == NULL)
		abort();
	for (uint32_t i = 0; i < fifo->count && wrong == NULL; i++) {
		uint32_t slot = fifo->ring[(fifo->head + i) & (fifo->size - 1)];

		if (slot >= shard->slot_count || seen[slot]++)
			wrong = "an outbox holds a slot twice";
		else if ((shard_slot(shard, slot)->owed & mask) == 0)
			wrong = "an outbox holds a slot without its bit";
	}
	free(seen);
	return wrong;
}

static const char *
check_heap(const struct shard *shard)
{
	for (uint32_t i = 1; i < shard->heap_count; i++) {
		if (shard->heap[(i - 1) / 2].time_ns > shard->heap[i].time_ns)
			return "a heap is out of order";
	}
	return NULL;
}

/* What the shard adds to table_bytes(), counted one by one. */
static uint64_t
sum_bytes(const struct shard *shard)
{
	uint64_t sum = shard->index_size * sizeof(*shard->index) +
		       shard->heap_size * sizeof(*shard->heap) +
		       shard->chunk_count * SLOT_CHUNK * sizeof(struct slot);

	for (unsigned bit = 0; bit < TABLE_OUTBOXES; bit++)
		sum += shard->fifos[bit].size * sizeof(uint32_t);
	for (uint32_t i = 0; i < shard->slot_count; i++) {
		const struct slot *slot = shard_slot(shard, i);

		if (slot->state == SLOT_POSITION)
			sum += slot_blob_memory(slot->blob_len);
		else
			sum -= sizeof(*slot);
	}
	return sum;
}

const char *
table_check(struct table *table)
{
	const char *wrong = NULL;
	uint64_t held = 0;
	uint64_t removals = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < TABLE_SHARDS && wrong == NULL; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		held += shard->held;
		removals += shard->removals;
		bytes += sum_bytes(shard);
		wrong = check_free_list(shard);
		if (wrong == NULL)
			wrong = check_index(shard);
		for (unsigned bit = 0; bit < TABLE_OUTBOXES && wrong == NULL;
		     bit++) {
			if ((shard->attached >> bit & 1) != 0)
				wrong = check_fifo(shard, bit);
		}
		if (wrong == NULL)
			wrong = check_heap(shard);
		pthread_mutex_unlock(&shard->lock);
	}
	if (wrong == NULL && held != atomic_load(&table->records))
		wrong = "the table's count of records is wrong";
	if (wrong == NULL && removals != atomic_load(&table->removals))
		wrong = "the table's count of removals is wrong";
	if (wrong == NULL && bytes != table_bytes(table))
		wrong = "the table's count of bytes is wrong";
	return wrong;
}

void
table_set_limits(
    struct table *table, uint64_t max_clients, uint64_t expire_after_ns)
{
	table->max_clients = max_clients;
	table->expire_after_ns = expire_after_ns;
}
