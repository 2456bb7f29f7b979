/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store: takes batches from its outbox, commits them later, or never. */
#include <stdlib.h>

#include "core/mutant.h"
#include "sim/sim.h"

#define STEP_NS (2 * SIM_MS)
#define COMMIT_NS (20 * SIM_MS)

static uint32_t *
rows_new(const struct world *world)
{
	uint32_t *rows = sim_alloc(world->plan.clients, sizeof(*rows));

	for (unsigned i = 0; i < world->plan.clients; i++)
		rows[i] = SIM_NONE;
	return rows;
}

void
store_init(struct store *store, const struct world *world)
{
	if (world->plan.store == SIM_STORE_NONE)
		return;
	store->batch = rows_new(world);
	store->disk = rows_new(world);
}

void
store_release(struct store *store)
{
	free(store->batch);
	free(store->disk);
	free(store->waiters);
}

static void
store_schedule(struct node *node, uint64_t most_ns)
{
	struct world *world = node->world;

	if (node->store.scheduled)
		return;
	node->store.scheduled = true;
	world_after(world, random_below(&world->random, most_ns), EVENT_STORE,
	    node->number, 0, node->life);
}

static void
on_wake(void *arg)
{
	struct node *node = arg;

	if (node->store.state == STORE_IDLE)
		store_schedule(node, STEP_NS);
}

/* Loads the disk before any outbox is attached. */
void
store_start(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	if (world->plan.store == SIM_STORE_NONE)
		return;
	for (unsigned i = 0; i < world->plan.clients; i++) {
		const struct report *report;

		store->batch[i] = SIM_NONE;
		if (store->disk[i] == SIM_NONE)
			continue;
		report = &world->oracle.versions[store->disk[i]].report;
		(void)table_put(node->table, report, FROM_NOBODY,
		    (struct wall){ 0 }, NULL, NULL);
	}
	store->state = STORE_IDLE;
	store->scheduled = false;
	store->waiter_count = 0;
	outbox_init(&store->outbox, node->table, FROM_NOBODY, on_wake, node);
	if (outbox_attach(&store->outbox) != HERD_OK)
		abort();
	commit_init(&store->commit, &store->outbox);
}

void
store_stop(struct node *node, bool lose_disk)
{
	struct world *world = node->world;

	if (world->plan.store == SIM_STORE_NONE)
		return;
	outbox_detach(&node->store.outbox);
	if (!lose_disk)
		return;
	node->disk_lives++;
	for (unsigned i = 0; i < world->plan.clients; i++)
		node->store.disk[i] = SIM_NONE;
}

static bool
on_give(void *arg, const struct report *report)
{
	struct node *node = arg;
	uint32_t version = oracle_find(node->world, report);

	if (version == SIM_NONE)
		world_fail(
		    node->world, "%s stores what nobody accepted", node->name);
	else
		node->store
		    .batch[node->world->oracle.versions[version].client] =
		    version;
	return true;
}

static void
store_let_go(struct node *node)
{
	struct store *store = &node->store;
	unsigned kept = 0;

	for (unsigned i = 0; i < store->waiter_count; i++) {
		const struct waiter *waiter = &store->waiters[i];

		if (commit_covers(&store->commit, &waiter->ticket))
			oracle_answered(node, waiter->version);
		else
			store->waiters[kept++] = *waiter;
	}
	store->waiter_count = kept;
}

/*
 * Drops rows that the table does not hold. Not with a cap, because the record
 * that evicted another one may not be on disk itself.
 */
static void
store_prune(struct node *node)
{
	struct world *world = node->world;
	uint32_t *disk = node->store.disk;
	struct record record;

	oracle_note_clock(node);
	if (world->plan.max_clients != 0 ||
	    !timekeeper_may_prune(&node->timekeeper, world_mono(world)))
		return;
	record_init(&record);
	for (unsigned i = 0; i < world->plan.clients; i++) {
		struct span id = span_from(world->oracle.clients[i].id);

		if (disk[i] != SIM_NONE &&
		    table_get(node->table, id, &record) == HERD_ENOTFOUND)
			disk[i] = SIM_NONE;
	}
	record_release(&record);
}

static void
store_commit(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		if (store->batch[i] == SIM_NONE)
			continue;
		store->disk[i] = store->batch[i];
		store->batch[i] = SIM_NONE;
	}
	if (world->plan.expire_ns != 0)
		store_prune(node);
	world_trace(world, node, "store commits");
	store->state = STORE_IDLE;
	if (commit_publish(&store->commit))
		store_let_go(node);
	if (store->waiter_count > 0 || !outbox_is_empty(&store->outbox))
		store_schedule(node, STEP_NS);
}

void
store_step(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	store->scheduled = false;
	switch (store->state) {
	case STORE_IDLE:
		store->state = STORE_TAKING;
		store->takes = (unsigned)random_between(&world->random, 1, 6);
		store_schedule(node, STEP_NS);
		break;
	case STORE_TAKING:
		(void)outbox_take(&store->outbox,
		    (unsigned)random_between(&world->random, 1, 4), on_give,
		    node);
		if (--store->takes > 0 && !outbox_is_empty(&store->outbox)) {
			store_schedule(node, STEP_NS);
			break;
		}
		commit_end_batch(&store->commit);
		if (MUTANT_BUILD)
			store_let_go(node);
		store->state = STORE_COMMITTING;
		store_schedule(node, COMMIT_NS);
		break;
	case STORE_COMMITTING: store_commit(node); break;
	}
}

void
store_answer(struct node *node, enum put_result result,
    const struct put_info *ticket, uint32_t version)
{
	struct store *store = &node->store;

	/* A report that is too old is answered, but held nowhere. */
	if (node->world->plan.store != SIM_STORE_SYNC || result == PUT_EXPIRED)
		return;
	if (!commit_must_wait(&store->commit, result, ticket)) {
		oracle_answered(node, version);
		return;
	}
	if (store->waiter_count == store->waiter_size) {
		store->waiter_size =
		    store->waiter_size == 0 ? 16 : store->waiter_size * 2;
		store->waiters = sim_grow(store->waiters, store->waiter_size,
		    sizeof(*store->waiters));
	}
	store->waiters[store->waiter_count++] =
	    (struct waiter){ *ticket, version };
}
