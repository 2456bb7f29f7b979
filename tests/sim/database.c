/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A database that all nodes share as their store: it loses contact, is slow,
 * writes without an answer, and fails over to an older state. All chance is of
 * a stream of its own, so that runs without it stay what they are.
 */
#include <stdlib.h>

#include "core/mutant.h"
#include "sim/sim.h"

#define DOWN_NS (400 * SIM_MS)
#define PAGE 64u /* clients */

void
database_init(struct world *world)
{
	struct database *database = &world->database;

	if (!world->plan.shared)
		return;
	database->random.state = world->seed ^ UINT64_C(0x27d4eb2f165667c5);
	database->rows = sim_rows(world);
	database->older = sim_rows(world);
	database->lost = sim_rows(world);
}

void
database_release(struct world *world)
{
	free(world->database.rows);
	free(world->database.older);
	free(world->database.lost);
}

/* --- rows ----------------------------------------------------------------- */

/* Only a newer report replaces a row. */
static void
put_row(struct world *world, unsigned client, uint32_t version)
{
	uint32_t *row = &world->database.rows[client];
	int order = oracle_compare(world, version, *row);

	if (order < 0 && MUTANT(WRITE_NO_WHERE))
		world_fail(world, "a row of client %u went back", client);
	if (order > 0)
		*row = version;
}

/*
 * Rows up to this time are too old by a clock that was trusted for long, or by
 * the node's own where nobody has set it. The node may be sure of that one
 * earlier than the oracle: it has not seen a step that was soon taken back.
 */
static uint64_t
old_rows_ns(const struct node *node)
{
	const struct world *world = node->world;
	uint64_t expire = world->plan.expire_ns;
	uint64_t right =
	    SIM_WALL_BASE_S * SIM_S + world->now + (uint64_t)node->clock_ns;
	uint64_t old = world->oracle.disk_horizon_ns;

	return expire != 0 && right > expire && right - expire > old
		   ? right - expire
		   : old;
}

/* No node may delete what another one may need. */
static void
delete_row(struct node *node, unsigned client)
{
	struct world *world = node->world;
	uint32_t *row = &world->database.rows[client];

	if (*row == SIM_NONE)
		return;
	if (world->oracle.versions[*row].report.time_ns > old_rows_ns(node))
		world_fail(world, "%s deletes a row of client %u that is valid",
		    node->name, client);
	*row = SIM_NONE;
}

/* A standby that lacks the latest rows is the database now. */
static void
fail_over(struct world *world)
{
	struct database *database = &world->database;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t row = database->rows[i];

		if (oracle_compare(world, row, database->lost[i]) > 0)
			database->lost[i] = row;
		database->rows[i] = database->older[i];
	}
	world_trace(world, NULL, "the database fails over");
}

static void
note_older(struct world *world)
{
	memcpy(world->database.older, world->database.rows,
	    world->plan.clients * sizeof(*world->database.rows));
}

/* --- what nodes ask ------------------------------------------------------- */

bool
database_is_up(const struct world *world)
{
	return world->now >= world->database.down_until;
}

static void
go_down(struct world *world)
{
	world->database.down_until =
	    world->now + random_below(&world->database.random, DOWN_NS);
}

uint64_t
database_delay(struct world *world)
{
	struct random *random = &world->database.random;

	if (world->calm || !random_percent(random, 10))
		return 20 * SIM_MS;
	return SIM_S;
}

static void
write_batch(struct node *node)
{
	struct world *world = node->world;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		if (node->store.batch[i] != SIM_NONE)
			put_row(world, i, node->store.batch[i]);
	}
}

/*
 * A row that is too old by a clock that was trusted for long goes. It stays in
 * no older state either.
 */
static void
expire_rows(struct node *node)
{
	struct world *world = node->world;
	struct database *database = &world->database;
	uint64_t now =
	    timekeeper_expiry(&node->timekeeper, world_mono(world)).ns;
	uint64_t after = world->plan.expire_ns;

	oracle_note_clock(node);
	if (after == 0 || now <= after ||
	    !timekeeper_may_prune(&node->timekeeper, world_mono(world)))
		return;
	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t row = database->rows[i];

		if (row != SIM_NONE &&
		    world->oracle.versions[row].report.time_ns < now - after)
			delete_row(node, i);
	}
}

/* Mutant: as if the store was this node's own. */
static void
prune_by_table(struct node *node)
{
	struct record record;

	record_init(&record);
	for (unsigned i = 0; i < node->world->plan.clients; i++) {
		struct span id = span_from(node->world->oracle.clients[i].id);

		if (table_get(node->table, id, &record) == HERD_ENOTFOUND)
			delete_row(node, i);
	}
	record_release(&record);
}

bool
database_write(struct node *node)
{
	struct world *world = node->world;
	unsigned chance =
	    world->calm ? 100
			: (unsigned)random_below(&world->database.random, 100);
	bool answers = chance >= 16;

	if (!database_is_up(world))
		return false;
	if (chance >= 8)
		write_batch(node);
	if (chance < 3 || (chance >= 8 && chance < 11))
		fail_over(world);
	if (!answers) {
		go_down(world);
		return false;
	}
	if (chance >= 85)
		note_older(world);
	if (MUTANT(PRUNE_SHARED))
		prune_by_table(node);
	expire_rows(node);
	return true;
}

void
database_on_crash(struct node *node)
{
	/* A statement under way may be carried out all the same. */
	if (random_percent(&node->world->database.random, 50))
		write_batch(node);
}

/* --- loading and comparing ------------------------------------------------ */

static void
take_row(struct node *node, unsigned client)
{
	struct world *world = node->world;
	uint32_t row = world->database.rows[client];

	if (row != SIM_NONE)
		(void)table_put(node->table,
		    &world->oracle.versions[row].report, FROM_NOBODY,
		    timekeeper_expiry(&node->timekeeper, world_mono(world)),
		    NULL, NULL);
}

bool
database_load(struct node *node)
{
	struct world *world = node->world;
	unsigned page = PAGE;

	if (!database_is_up(world))
		return false;
	while (node->store.load_at < world->plan.clients && page-- > 0)
		take_row(node, node->store.load_at++);
	oracle_observe(node);
	return node->store.load_at == world->plan.clients;
}

void
database_compare(struct node *node)
{
	struct world *world = node->world;

	if (!node->up || !node->store.loaded || !database_is_up(world))
		return;
	world_trace(world, node, "compares");
	for (unsigned i = 0; i < world->plan.clients; i++)
		take_row(node, i);
	oracle_observe(node);
	for (unsigned i = 0; i < world->plan.clients; i++) {
		if (oracle_compare(
			world, node->held[i], world->database.rows[i]) > 0)
			(void)outbox_owe_client(&node->store.outbox,
			    span_from(world->oracle.clients[i].id));
	}
}

/* --- what must hold ------------------------------------------------------- */

/* The client's newest row that ever was, if a failover has lost it. */
static uint32_t
newest_row(const struct world *world, unsigned client)
{
	const struct database *database = &world->database;
	uint32_t row = database->rows[client];
	uint32_t lost = database->lost[client];

	return oracle_compare(world, lost, row) > 0 ? lost : row;
}

/* The rows are all that a full table would hold, and greater. */
static bool
is_beyond_cap(const struct world *world, const struct report *report)
{
	uint64_t greater = 0;

	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t row = newest_row(world, i);

		if (row != SIM_NONE &&
		    report_compare_all(
			&world->oracle.versions[row].report, report) > 0)
			greater++;
	}
	return world->plan.max_clients != 0 &&
	       greater >= world->plan.max_clients;
}

/* May the row be older than that version? */
static bool
is_excused(const struct world *world, uint32_t version)
{
	const struct version *wanted = &world->oracle.versions[version];

	return wanted->report.time_ns <= world->oracle.horizon_ns ||
	       is_beyond_cap(world, &wanted->report);
}

void
database_check_answer(struct node *node, uint32_t version)
{
	struct world *world = node->world;
	unsigned client = world->oracle.versions[version].client;

	if (oracle_compare(world, newest_row(world, client), version) < 0 &&
	    !is_excused(world, version))
		world_fail(world,
		    "%s answers v%u, which the database does not have",
		    node->name, version);
}

void
database_check_rows(struct world *world)
{
	const struct node *node = &world->nodes[0];

	for (unsigned i = 0; i < world->plan.clients; i++) {
		uint32_t row = world->database.rows[i];
		uint32_t held = node->held[i];
		const struct report *report =
		    held == SIM_NONE ? NULL
				     : &world->oracle.versions[held].report;

		if (report != NULL && oracle_compare(world, row, held) < 0 &&
		    report->time_ns > world->oracle.horizon_ns &&
		    !is_beyond_cap(world, report))
			world_fail(world, "the database lacks v%u of client %u",
			    held, i);
	}
}
