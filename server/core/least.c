/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/least.h"

#include <stdlib.h>

#include "core/mutant.h"
#include "core/outbox.h"
#include "core/shard.h"

static void
least_set(struct least *least, unsigned shard, uint32_t slot,
    const struct report *report)
{
	char *text = malloc(report_texts_len(report));

	if (text == NULL)
		return;
	free(least->text);
	*least = (struct least){ true, shard, slot, *report, text };
	report_take_texts(&least->report, text);
}

/* The shard's least, if it is less than what was found so far. */
static void
shard_offer_least(struct least *least, struct table *table, unsigned number)
{
	struct shard *shard = &table->shards[number];
	char scratch[SLOT_SCRATCH];
	struct report report;
	char *heap = NULL;

	pthread_mutex_lock(&shard->lock);
	if (heap_settle(table, shard) &&
	    (!least->found ||
		shard->heap[0].time_ns <= least->report.time_ns) &&
	    slot_read(table, shard_slot(shard, shard->heap[0].slot), scratch,
		&heap, &report) == HERD_OK &&
	    (!least->found ||
		(MUTANT(EVICTION_TIES)
			? report.time_ns < least->report.time_ns
			: report_compare_all(&report, &least->report) < 0)))
		least_set(least, number, shard->heap[0].slot, &report);
	pthread_mutex_unlock(&shard->lock);
	free(heap);
}

/* Counts it for the outboxes that were owed the record: see commit.h. */
static void
evict_note(struct table *table, const struct shard *shard, uint64_t owed)
{
	owed &= shard->attached;
	for (; owed != 0; owed &= owed - 1) {
		struct outbox *outbox =
		    atomic_load(&table->outboxes[__builtin_ctzll(owed)]);

		atomic_fetch_add(&outbox->evicted, 1);
	}
}

bool
least_remove(const struct least *least, struct table *table)
{
	struct shard *shard = &table->shards[least->shard];
	const struct slot *slot;
	char scratch[SLOT_SCRATCH];
	struct report report;
	char *heap = NULL;
	bool same;

	pthread_mutex_lock(&shard->lock);
	slot = shard_slot(shard, least->slot);
	same = slot->state != SLOT_FREE &&
	       slot_read(table, slot, scratch, &heap, &report) == HERD_OK &&
	       report_compare_all(&report, &least->report) == 0;
	free(heap);
	if (same) {
		if (shard->heap_count > 0 && shard->heap[0].slot == least->slot)
			heap_remove_top(table, shard);
		evict_note(table, shard, slot->owed);
		shard_remove(table, shard, least->slot);
		shard->evicted++;
	}
	pthread_mutex_unlock(&shard->lock);
	return same;
}

static bool
table_is_over(const struct table *table, unsigned number)
{
	uint64_t cap = table->max_clients;

	if (MUTANT(CAP_PER_SHARD))
		return table->shards[number].held >
		       (cap + TABLE_SHARDS - 1) / TABLE_SHARDS;
	return cap != 0 && atomic_load(&table->records) > cap;
}

void
least_find(struct least *least, struct table *table, unsigned own)
{
	memset(least, 0, sizeof(*least));
	if (MUTANT(CAP_PER_SHARD)) {
		shard_offer_least(least, table, own);
		return;
	}
	for (unsigned i = 0; i < TABLE_SHARDS; i++)
		shard_offer_least(least, table, i);
}

void
least_release(struct least *least)
{
	free(least->text);
}

void
least_evict_locked(struct table *table, unsigned own)
{
	bool found = true;

	while (found && table_is_over(table, own)) {
		struct least least;

		least_find(&least, table, own);
		found = least.found;
		if (found)
			(void)least_remove(&least, table);
		least_release(&least);
	}
}

void
least_evict(struct table *table, unsigned own)
{
	pthread_mutex_lock(&table->evict_lock);
	least_evict_locked(table, own);
	pthread_mutex_unlock(&table->evict_lock);
}

bool
least_time(struct table *table, uint64_t *time_ns)
{
	struct least least = { .found = false };
	uint64_t cap = table->max_clients;

	pthread_mutex_lock(&table->evict_lock);
	if (cap != 0 && atomic_load(&table->records) >= cap)
		least_find(&least, table, 0);
	pthread_mutex_unlock(&table->evict_lock);
	if (least.found)
		*time_ns = least.report.time_ns;
	least_release(&least);
	return least.found;
}
