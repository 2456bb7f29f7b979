/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/table_walk.h"

#include <stdlib.h>

#include "core/least.h"
#include "core/mutant.h"
#include "core/shard.h"

struct shard *
table_walk_lock(struct table *table, struct table_cursor *cursor,
    unsigned slots, uint32_t *from, uint32_t *to)
{
	struct shard *shard;

	if (cursor->shard >= TABLE_SHARDS)
		return NULL;
	shard = &table->shards[cursor->shard];
	pthread_mutex_lock(&shard->lock);
	*from = cursor->slot;
	*to = shard->slot_count;
	if (*to > *from && *to - *from > slots)
		*to = *from + slots;
	return shard;
}

bool
table_walk_unlock(struct table_cursor *cursor, struct shard *shard, uint32_t to)
{
	cursor->slot = to;
	if (to >= shard->slot_count) {
		cursor->shard++;
		cursor->slot = 0;
	}
	pthread_mutex_unlock(&shard->lock);
	return cursor->shard < TABLE_SHARDS;
}

bool
table_visit_slot(const struct table *table, const struct slot *slot,
    struct table_cursor *cursor, table_visit *visit, void *arg, bool otherwise)
{
	char scratch[SLOT_SCRATCH];
	struct report report;
	char *heap;
	bool answer;

	if (slot_read(table, slot, scratch, &heap, &report) != HERD_OK) {
		cursor->skipped = true;
		return otherwise;
	}
	answer = visit(arg, &report, slot->from);
	free(heap);
	return answer;
}

static struct span
slot_client(const struct slot *slot)
{
	return span_of((const char *)slot_blob(slot), slot->client_len);
}

bool
table_walk_some(struct table *table, struct table_cursor *cursor,
    unsigned slots, table_choose *choose, table_visit *visit, void *arg)
{
	uint32_t from;
	uint32_t to;
	bool go_on = true;
	struct shard *shard = table_walk_lock(table, cursor, slots, &from, &to);

	if (shard == NULL)
		return false;
	for (; from < to && go_on; from++) {
		const struct slot *slot = shard_slot(shard, from);

		if (slot->state != SLOT_FREE &&
		    (choose == NULL || choose(arg, slot_client(slot))))
			go_on = table_visit_slot(
			    table, slot, cursor, visit, arg, true);
	}
	return table_walk_unlock(cursor, shard, from) && go_on;
}

bool
table_walk(struct table *table, struct table_cursor *cursor, unsigned slots,
    table_visit *visit, void *arg)
{
	return table_walk_some(table, cursor, slots, NULL, visit, arg);
}

bool
table_sweep(struct table *table, struct table_cursor *cursor, unsigned slots,
    struct wall now)
{
	uint64_t cap = table->max_clients;
	uint32_t from;
	uint32_t to;
	struct shard *shard;

	if (cap != 0 && atomic_load(&table->records) > cap)
		least_evict(table, 0);
	if (table->expire_after_ns == 0 && !MUTANT(REMOVAL_AT_ONCE))
		return false;
	shard = table_walk_lock(table, cursor, slots, &from, &to);
	if (shard == NULL)
		return false;
	for (uint32_t i = from; i < to; i++) {
		const struct slot *slot = shard_slot(shard, i);
		bool early =
		    slot->state == SLOT_REMOVAL &&
		    (MUTANT(REMOVAL_AT_ONCE) ||
			(MUTANT(REMOVAL_RETENTION) &&
			    table_is_expired(table,
				slot->time_ns - table->expire_after_ns / 8 * 7,
				now)));

		if (slot->state == SLOT_FREE ||
		    (!early && !table_is_expired(table, slot->time_ns, now)))
			continue;
		shard_remove(table, shard, i);
		shard->expired++;
	}
	return table_walk_unlock(cursor, shard, to);
}
