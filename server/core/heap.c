/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/heap.h"

#include <stdlib.h>

#include "core/mutant.h"
#include "core/shard.h"

/* A hash of what the slot holds: tells whether an entry is up to date. */
static uint32_t
slot_mark(const struct table *table, const struct slot *slot)
{
	uint64_t mark = siphash(&table->key, slot_blob(slot), slot->blob_len);

	return (uint32_t)(mark ^ mark >> 32) ^ (uint32_t)slot->origin << 8 ^
	       slot->state;
}

static struct heap_entry
entry_of(const struct table *table, const struct shard *shard, uint32_t number)
{
	const struct slot *slot = shard_slot(shard, number);

	return (
	    struct heap_entry){ slot->time_ns, number, slot_mark(table, slot) };
}

static bool
entry_is_stale(const struct table *table, const struct shard *shard,
    const struct heap_entry *entry)
{
	const struct slot *slot = shard_slot(shard, entry->slot);

	return slot->state == SLOT_FREE || slot->time_ns != entry->time_ns ||
	       slot_mark(table, slot) != entry->mark;
}

/* The order over the whole table; without memory all are equal. */
static int
slot_compare_all(
    const struct table *table, const struct slot *a, const struct slot *b)
{
	char scratch_a[SLOT_SCRATCH];
	char scratch_b[SLOT_SCRATCH];
	char *heap_a = NULL;
	char *heap_b = NULL;
	struct report report_a;
	struct report report_b;
	int order = 0;

	if (slot_read(table, a, scratch_a, &heap_a, &report_a) == HERD_OK &&
	    slot_read(table, b, scratch_b, &heap_b, &report_b) == HERD_OK)
		order = report_compare_all(&report_a, &report_b);
	free(heap_a);
	free(heap_b);
	return order;
}

static bool
entry_before(const struct table *table, const struct shard *shard,
    const struct heap_entry *a, const struct heap_entry *b)
{
	if (a->time_ns != b->time_ns || MUTANT(EVICTION_TIES))
		return a->time_ns < b->time_ns;
	if (entry_is_stale(table, shard, b))
		return false;
	return entry_is_stale(table, shard, a) ||
	       slot_compare_all(table, shard_slot(shard, a->slot),
		   shard_slot(shard, b->slot)) < 0;
}

static void
heap_sift_down(const struct table *table, struct shard *shard, uint32_t at)
{
	struct heap_entry *heap = shard->heap;
	struct heap_entry entry = heap[at];

	for (;;) {
		uint32_t child = at * 2 + 1;

		if (child >= shard->heap_count)
			break;
		if (child + 1 < shard->heap_count &&
		    entry_before(table, shard, &heap[child + 1], &heap[child]))
			child++;
		if (!entry_before(table, shard, &heap[child], &entry))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = entry;
}

/*
 * Entries of the same time that are out of date keep their old places, and
 * their order says nothing. So the new entry is compared with the first one
 * above it that is up to date, and passes all between them.
 */
static void
heap_sift_up(const struct table *table, struct shard *shard, uint32_t at)
{
	struct heap_entry *heap = shard->heap;
	struct heap_entry entry = heap[at];
	uint32_t above = at;

	while (above > 0) {
		above = (above - 1) / 2;
		if (heap[above].time_ns == entry.time_ns &&
		    entry_is_stale(table, shard, &heap[above]))
			continue;
		if (!entry_before(table, shard, &entry, &heap[above]))
			break;
		for (; at != above; at = (at - 1) / 2)
			heap[at] = heap[(at - 1) / 2];
	}
	heap[at] = entry;
}

void
heap_remove_top(const struct table *table, struct shard *shard)
{
	shard->heap[0] = shard->heap[--shard->heap_count];
	if (shard->heap_count > 0)
		heap_sift_down(table, shard, 0);
}

static void
heap_give_up(struct table *table, struct shard *shard)
{
	table_add_bytes(table, shard->heap_size * sizeof(*shard->heap), 0);
	free(shard->heap);
	shard->heap = NULL;
	shard->heap_count = 0;
	shard->heap_size = 0;
}

static void
heap_build(struct table *table, struct shard *shard)
{
	uint32_t size = shard->slot_count + SLOT_CHUNK;

	heap_give_up(table, shard);
	shard->heap = malloc((size_t)size * sizeof(*shard->heap));
	if (shard->heap == NULL)
		return;
	shard->heap_size = size;
	table_add_bytes(table, 0, size * sizeof(*shard->heap));
	for (uint32_t i = 0; i < shard->slot_count; i++) {
		if (shard_slot(shard, i)->state != SLOT_FREE)
			shard->heap[shard->heap_count++] =
			    entry_of(table, shard, i);
	}
	for (uint32_t i = shard->heap_count / 2; i > 0; i--)
		heap_sift_down(table, shard, i - 1);
}

/* With the last eighth each shard has time to build its heap. */
static bool
table_is_nearly_full(const struct table *table)
{
	uint64_t cap = table->max_clients;

	return cap != 0 && atomic_load(&table->records) >= cap - cap / 8;
}

void
heap_add(struct table *table, struct shard *shard, uint32_t number)
{
	if (shard->heap == NULL) {
		if (table_is_nearly_full(table))
			heap_build(table, shard);
		return;
	}
	/* Full of entries whose slots expiry freed: build it again later. */
	if (shard->heap_count == shard->heap_size) {
		heap_give_up(table, shard);
		return;
	}
	shard->heap[shard->heap_count] = entry_of(table, shard, number);
	heap_sift_up(table, shard, shard->heap_count++);
}

bool
heap_settle(struct table *table, struct shard *shard)
{
	if (shard->heap == NULL)
		heap_build(table, shard);
	while (shard->heap != NULL && shard->heap_count > 0) {
		uint32_t number = shard->heap[0].slot;

		if (!entry_is_stale(table, shard, &shard->heap[0]))
			return true;
		if (shard_slot(shard, number)->state == SLOT_FREE) {
			heap_remove_top(table, shard);
		} else {
			shard->heap[0] = entry_of(table, shard, number);
			heap_sift_down(table, shard, 0);
		}
	}
	return false;
}
