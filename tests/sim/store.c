/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store: takes batches from its outbox, commits them later, or never. */
#include <stdlib.h>

#include "core/mutant.h"
#include "sim/sim.h"

#define STEP_NS (2 * SIM_MS)
#define COMMIT_NS (20 * SIM_MS)
#define RETRY_NS (20 * SIM_MS)

uint32_t *
sim_rows(const struct world *world)
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
	store->batch = sim_rows(world);
	store->disk = sim_rows(world);
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

	if (node->store.state == STORE_IDLE && !node->store.final)
		store_schedule(node, STEP_NS);
}

static enum outbox_scope
scope_of(const struct plan *plan)
{
	if (!plan->shared)
		return OUTBOX_ALL;
	return plan->write_all ? OUTBOX_LEARNED : OUTBOX_OWN;
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
		if (world->plan.shared || store->disk[i] == SIM_NONE)
			continue;
		report = &world->oracle.versions[store->disk[i]].report;
		(void)table_put(node->table, report, FROM_NOBODY,
		    (struct wall){ 0 }, NULL, NULL);
	}
	store->state = STORE_IDLE;
	store->scheduled = false;
	store->waiter_count = 0;
	store->pending = false;
	store->loaded = !world->plan.shared;
	store->final = false;
	store->load_at = 0;
	outbox_init(&store->outbox, node->table, FROM_NOBODY, on_wake, node);
	store->outbox.scope = scope_of(&world->plan);
	if (outbox_attach(&store->outbox) != HERD_OK)
		abort();
	commit_init(&store->commit, &store->outbox);
	if (!store->loaded)
		store_schedule(node, STEP_NS);
}

void
store_stop(struct node *node, bool lose_disk)
{
	struct world *world = node->world;

	if (world->plan.store == SIM_STORE_NONE)
		return;
	outbox_detach(&node->store.outbox);
	if (world->plan.shared && node->store.state == STORE_COMMITTING)
		database_on_crash(node);
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

/* The same batch again, later: only newer rows win. */
static void
store_retry(struct node *node)
{
	struct store *store = &node->store;

	store->state = STORE_IDLE;
	store->pending = true;
	store->final = MUTANT(FINAL_ON_LOSS);
	if (!store->final)
		store_schedule(node, RETRY_NS);
}

static void
store_commit(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	if (world->plan.shared && !database_write(node)) {
		store_retry(node);
		return;
	}
	store->pending = false;
	for (unsigned i = 0; i < world->plan.clients; i++) {
		if (store->batch[i] == SIM_NONE)
			continue;
		store->disk[i] = store->batch[i];
		store->batch[i] = SIM_NONE;
	}
	if (world->plan.expire_ns != 0 && !world->plan.shared)
		store_prune(node);
	world_trace(world, node, "store commits");
	store->state = STORE_IDLE;
	if (commit_publish(&store->commit))
		store_let_go(node);
	if (store->waiter_count > 0 || !store->loaded ||
	    !outbox_is_empty(&store->outbox))
		store_schedule(node, STEP_NS);
}

bool
store_is_settled(const struct node *node)
{
	const struct store *store = &node->store;

	return !node->world->plan.shared ||
	       (store->loaded && !store->pending &&
		   store->state == STORE_IDLE &&
		   outbox_is_empty(&store->outbox));
}

/*
 * What a shared store does first: it writes again what had no answer, loads
 * rows, and compares now and then. False: nothing is to be taken.
 */
static bool
store_may_take(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	if (!world->plan.shared)
		return true;
	if (!store->loaded && random_percent(&world->random, 50)) {
		store->loaded = database_load(node);
		store_schedule(node, RETRY_NS);
		return false;
	}
	if (store->pending) {
		store->state = STORE_COMMITTING;
		store_schedule(node, database_delay(world));
		return false;
	}
	if (!world->calm && random_percent(&world->random, 3))
		database_compare(node);
	if (outbox_is_empty(&store->outbox)) {
		if (!store->loaded)
			store_schedule(node, RETRY_NS);
		return false;
	}
	return true;
}

void
store_step(struct node *node)
{
	struct world *world = node->world;
	struct store *store = &node->store;

	store->scheduled = false;
	switch (store->state) {
	case STORE_IDLE:
		if (!store_may_take(node))
			break;
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
		store_schedule(node, node->world->plan.shared
					 ? database_delay(node->world)
					 : COMMIT_NS);
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
