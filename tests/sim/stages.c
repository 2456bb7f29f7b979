/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stages of a run: faults, healing, quiet, verification, an outage. */
#include <stdlib.h>

#include "sim/drive.h"
#include "sim/sim.h"

#define POLL_NS (10 * SIM_MS)
/* By then all faults before healing are noticed. */
#define LATE_NS (100 * SIM_MS)
#define CONVERGE_NS (5 * SIM_S)
/* From the start of a node to SYNCED, without the round trips. */
#define RETURN_NS (1 * SIM_S)
/* The first backoff, and that of the other side's knock. */
#define CUT_NS (250 * SIM_MS)
/* 80 reports of 100 bytes at 20 kB/s, and the batches' delay. */
#define FULL_NS (1 * SIM_S)
#define STEP_HOLD_MAX_NS (40 * SIM_S)
#define ENDING_EXPIRE_MAX_NS (15 * SIM_S)
#define ENDING_NS (100 * SIM_MS)
#define AWAY_NS (600 * SIM_S)
#define AWAY_TURNS 60u
#define DIAL_NS (1 * SIM_S) /* until a dial into silence fails */

bool
world_wait(struct world *world, world_holds *holds, uint64_t ns)
{
	uint64_t until = world->now + ns;

	while (!world->failed) {
		if (holds(world))
			return true;
		if (world->now >= until)
			break;
		world_run_for(world, POLL_NS);
	}
	return false;
}

static bool
has_strangers(const struct world *world)
{
	for (unsigned i = 0; i < world->conn_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct end *end = &world->conns[i]->ends[side];

			if (end->open && end->link.link == NULL)
				return true;
			/* An older connection of the link, or one too many. */
			if (end->open && end->link.admitted &&
			    end->link.link->conn != &end->link)
				return true;
		}
	}
	return false;
}

/* The other side has closed it, or will never hear of it again. */
static bool
is_half_open(const struct world *world, const struct end *end)
{
	const struct conn *conn = world->conns[end->conn];

	return conn->dead || !conn->ends[1 - end->side].open;
}

/*
 * Every edge has one connection, the same one on both sides and past HELLO,
 * and no dial under way that would replace it.
 */
static bool
links_are_up(struct world *world)
{
	if (has_strangers(world))
		return false;
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct node *node = &world->nodes[i];

		if (!node->up)
			return false;
		for (unsigned j = 0; j < node->edge_count; j++) {
			const struct link *link = &node->edges[j].link;
			const struct end *end = (const struct end *)link->conn;

			if (end == NULL || link->dialled != NULL ||
			    link->waiting != NULL || is_half_open(world, end) ||
			    end->link.session.state == SESSION_HELLO)
				return false;
		}
	}
	return true;
}

/* SYNCED everywhere, nothing owed, nothing under way. */
static bool
herd_is_settled(struct world *world)
{
	if (!links_are_up(world))
		return false;
	/* Until then rows of the database may come into tables. */
	for (unsigned i = 0; i < world->plan.nodes && world->plan.shared; i++) {
		if (!world->nodes[i].store.loaded)
			return false;
	}
	for (unsigned i = 0; i < world->conn_count; i++) {
		const struct conn *conn = world->conns[i];

		for (unsigned side = 0; side < 2; side++) {
			const struct end *end = &conn->ends[side];

			if (!end->open)
				continue;
			if (end->link.session.state != SESSION_SYNCED ||
			    !outbox_is_empty(&end->link.session.outbox) ||
			    end->link.out.len > 0 ||
			    end->link.session.stats.sent !=
				conn->ends[1 - side]
				    .link.session.stats.received)
				return false;
		}
	}
	return true;
}

static void
stage_begin(struct world *world)
{
	struct plan *plan = &world->plan;
	struct random *random = &world->random;

	for (unsigned i = 0; i < plan->nodes; i++)
		world_after(world,
		    random_below(
			random, plan->together ? 2 * SIM_MS : 300 * SIM_MS),
		    EVENT_START, i, 0, 0);
	for (unsigned i = 0; i < plan->inputs; i++)
		world_after(world, random_below(random, plan->fault_ns),
		    EVENT_INPUT, 0, 0, 0);
	for (unsigned i = 0; i < plan->faults; i++)
		world_after(world, random_below(random, plan->fault_ns),
		    EVENT_FAULT, 0, 0, 0);
	world_run_for(world, plan->fault_ns);
}

/* No node is about to compare again because it judges its clock otherwise. */
static bool
clocks_are_used(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		if (world->nodes[i].timekeeper.verifies)
			return false;
	}
	return true;
}

/* Faults end; within 5 s after the links are up all tables are equal. */
static void
stage_heal(struct world *world)
{
	const struct plan *plan = &world->plan;
	uint64_t patience = plan->dead_ns + SESSION_HELLO_NS +
			    4 * plan->redial_max_ns + 10 * SIM_S;

	fault_heal(world);
	oracle_expect(world);
	world_run_for(world, LATE_NS);
	/* An exchange may have used a clock that was just set right. */
	if (world->plan.step_percent != 0)
		world_run_for(world, TIMEKEEPER_VERIFY_NS + SIM_S);
	if (!world_wait(world, links_are_up, patience)) {
		world_fail(world, "links are not up after healing");
		return;
	}
	/* A clock that was judged again just now has yet to compare. */
	(void)world_wait(world, clocks_are_used, TIMEKEEPER_VERIFY_NS + SIM_S);
	if (!world_wait(world, herd_is_settled, CONVERGE_NS)) {
		world_fail(world, "not SYNCED and drained 5 s after healing");
		return;
	}
	oracle_check_equal(world);
}

static uint64_t
word_sum(const struct world *world, bool with_liveness)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < WORD_COUNT; i++) {
		if (with_liveness || (i != WORD_PING && i != WORD_PONG))
			sum += world->oracle.words[i];
	}
	return sum;
}

static uint64_t
repaired_sum(const struct world *world)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < world->conn_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct end *end = &world->conns[i]->ends[side];

			if (end->open)
				sum += end->link.session.stats.repaired;
		}
	}
	return sum;
}

static uint64_t
record_lines(const struct world *world)
{
	return world->oracle.words[WORD_AT] + world->oracle.words[WORD_GONE];
}

/* Nodes learn each other's clocks: a wrong one judges by the others. */
static void
stage_clocks(struct world *world)
{
	/* Clocks at the edge of the margin may be overruled as well. */
	if (world->plan.step_percent == 0 && world->plan.expire_ns == 0)
		return;
	world_run_for(
	    world, 2 * world->plan.ping_ns + SIM_S + TIMEKEEPER_VERIFY_NS);
	if (!world_wait(world, herd_is_settled, CONVERGE_NS))
		world_fail(world, "not SYNCED and drained after the clocks");
	oracle_check_clocks(world);
	oracle_check_equal(world);
}

/* Some node's clock may become trusted: then its links compare again. */
static bool
is_waiting(const struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct timekeeper *timekeeper =
		    &world->nodes[i].timekeeper;

		if (atomic_load(&timekeeper->state) == TIME_WAITING ||
		    timekeeper->verifies)
			return true;
	}
	return false;
}

/* Has a clock that became trusted, or right, made links compare again? */
static bool
has_verified_since(const struct world *world, uint64_t at)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		if (world->nodes[i].timekeeper.verified.ns >= at)
			return true;
	}
	return false;
}

/* No line but PING and PONG. */
static void
stage_quiet(struct world *world)
{
	uint64_t records = record_lines(world);
	uint64_t repaired = repaired_sum(world);
	uint64_t lines;
	uint64_t began = world->now;

	world_run_for(world, 2 * SESSION_ACK_NS);
	lines = word_sum(world, false);
	world_run_for(world, world->plan.ping_ns + SIM_S);
	if (record_lines(world) != records)
		world_fail(world, "a quiet herd sends records");
	else if (word_sum(world, false) != lines &&
		 !has_verified_since(world, began))
		world_fail(world, "a quiet herd sends more than PING, PONG");
	else if (repaired_sum(world) != repaired)
		world_fail(world, "a quiet herd repairs");
}

static uint64_t
fastest_clock(const struct world *world)
{
	uint64_t fastest = 0;

	for (unsigned i = 0; i < world->plan.nodes; i++) {
		uint64_t judged = node_judged(&world->nodes[i]).ns;

		fastest = judged > fastest ? judged : fastest;
	}
	return fastest;
}

/* Reports expire one after the other from now on, first by the fastest clock.
 */
static void
stage_ending(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	uint64_t fastest = fastest_clock(world);
	uint64_t expire = world->plan.expire_ns;

	if (expire < SIM_S || expire > ENDING_EXPIRE_MAX_NS)
		return;
	for (unsigned i = 0; i < world->plan.clients && i < 20; i++)
		node_report(
		    node, i, fastest - random_below(&world->random, ENDING_NS));
	world_run_for(world, expire - ENDING_NS);
}

/* All links compare again: there is nothing to send. */
static void
stage_verify(struct world *world)
{
	bool is_settled = world_wait(world, herd_is_settled, CONVERGE_NS);
	uint64_t records = record_lines(world);
	uint64_t repaired = repaired_sum(world);
	uint64_t checks = world->oracle.words[WORD_CHECK];

	if (!is_settled)
		world_fail(world, "not SYNCED and drained before verifying");
	for (unsigned i = 0; i < world->conn_count; i++) {
		struct end *end =
		    &world->conns[i]->ends[random_below(&world->random, 2)];

		if (!end->open)
			continue;
		session_verify(&end->link.session, world_mono(world));
		end_on_wake(end);
	}
	world_run_for(world, 10 * SIM_MS);
	if (!world_wait(world, herd_is_settled, CONVERGE_NS))
		world_fail(world, "verification does not end");
	else if (world->oracle.words[WORD_CHECK] == checks)
		world_fail(world, "nothing was verified");
	/* With a clock that is not trusted any more, less was compared. */
	else if (record_lines(world) != records && !is_waiting(world))
		world_fail(world, "verification of equal tables sends records");
	else if (repaired_sum(world) != repaired)
		world_fail(world, "verification repairs equal tables");
}

/* One report costs at most 2E-(N-1) messages over E links that do not rest, and
 * reaches all nodes. */
static void
stage_cost(struct world *world)
{
	const struct plan *plan = &world->plan;
	uint64_t most = 2u * flood_eager_count(world) - (plan->nodes - 1);
	uint64_t before = record_lines(world);

	(void)flood_report(
	    &world->nodes[random_below(&world->random, plan->nodes)]);
	world_run_for(world, 20 * SIM_MS);
	if (!world_wait(world, herd_is_settled, CONVERGE_NS))
		world_fail(world, "one report does not settle");
	if (record_lines(world) - before > most)
		world_fail(world, "one report cost %llu messages, not %llu",
		    (unsigned long long)(record_lines(world) - before),
		    (unsigned long long)most);
	oracle_expect(world);
	oracle_check_equal(world);
}

/* Long enough for connect, HELLO and an exchange over the slowest link. */
static uint64_t
round_trips_ns(const struct world *world)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < world->plan.edge_count; i++) {
		const struct sim_edge *edge = &world->plan.edges[i];

		if (edge->latency_ns + edge->jitter_ns > most)
			most = edge->latency_ns + edge->jitter_ns;
	}
	return 48 * most;
}

static void
expect_return(struct world *world, uint64_t ns, const char *what)
{
	if (!world_wait(world, herd_is_settled, ns + round_trips_ns(world)))
		world_fail(world, "%s: not SYNCED after %.2f s", what,
		    (double)(ns + round_trips_ns(world)) / 1e9);
}

/* A report of each client, up to some. */
static void
report_all(struct node *node)
{
	for (unsigned i = 0; i < node->world->plan.clients && i < 20; i++) {
		if (node->up)
			node_report(node, i, node_judged(node).ns);
	}
}

static void
set_capacity(struct world *world, size_t bytes)
{
	for (unsigned i = 0; i < world->plan.edge_count; i++)
		world->plan.edges[i].capacity = bytes;
}

/* A node that comes back, after any time, is soon complete. */
static void
stage_return(struct world *world)
{
	const struct plan *plan = &world->plan;
	struct node *node =
	    &world->nodes[random_below(&world->random, plan->nodes)];
	uint64_t away = random_percent(&world->random, 50)
			    ? random_below(&world->random, 2 * SIM_S)
			    : random_below(&world->random, 60 * plan->ping_ns);

	node_stop(node, (enum end_death)random_below(&world->random, 3),
	    plan->store == SIM_STORE_NONE);
	report_all(&world->nodes[plan->edges[0].a]);
	world_run_for(world, away);
	/*
	 * The exchange fills the socket again and again. That of a large table
	 * would take many round trips by itself.
	 */
	if (random_percent(&world->random, 50) && plan->clients <= 20)
		set_capacity(world, 2000);
	node_start(node);
	oracle_expect(world);
	expect_return(world, RETURN_NS, "a node that is back");
	oracle_check_equal(world);
	set_capacity(world, 65536);
}

static void
block_all(struct world *world, unsigned number, bool blocks)
{
	for (unsigned i = 0; i < world->plan.edge_count; i++) {
		const struct sim_edge *edge = &world->plan.edges[i];

		if (edge->a != number && edge->b != number)
			continue;
		if (blocks)
			world->blocked[i]++;
		else
			fault_unblock(world, i);
	}
}

/* The network is silent until all connections end, then works again. */
static void
stage_partition(struct world *world)
{
	unsigned number =
	    (unsigned)random_below(&world->random, world->plan.nodes);
	uint64_t redial = world->plan.redial_max_ns > DIAL_NS
			      ? world->plan.redial_max_ns
			      : DIAL_NS;

	block_all(world, number, true);
	world_run_for(world, world->plan.dead_ns + world->plan.ping_ns +
				 random_below(&world->random, 20 * SIM_S));
	block_all(world, number, false);
	expect_return(world, redial + SIM_S, "a healed partition");
}

/* A link that was up for long comes back at once after any fault. */
static void
stage_cut(struct world *world)
{
	/* Attempts that fail make the backoff long. */
	stage_partition(world);
	world_run_for(world, BACKOFF_RESET_NS);
	stage_verify(world);
	for (unsigned i = 0; i < world->conn_count && !world->failed; i++) {
		struct conn *conn = world->conns[i];

		if (!conn->ends[0].open || !conn->ends[1].open)
			continue;
		conn->dead = true;
		end_lost(&conn->ends[0], "cut");
		end_lost(&conn->ends[1], "cut");
		break;
	}
	expect_return(world, CUT_NS, "a link that was cut");
}

/* Lines that become due while a socket is full leave afterwards. */
static void
stage_full(struct world *world)
{
	const struct plan *plan = &world->plan;
	struct sim_edge *edge =
	    &world->plan.edges[random_below(&world->random, plan->edge_count)];
	struct sim_edge before = *edge;
	struct node *node =
	    &world->nodes[random_percent(&world->random, 50) ? edge->a
							     : edge->b];

	edge->capacity = 256;
	edge->rate = 20000;
	for (unsigned turn = 0; turn < 4; turn++) {
		report_all(node);
		world_run_for(world, 10 * SIM_MS);
	}
	/* A clock that becomes trusted meanwhile costs an exchange. */
	expect_return(world, is_waiting(world) ? 2 * FULL_NS : FULL_NS,
	    "a socket that was full");
	edge->capacity = before.capacity;
	edge->rate = before.rate;
}

/*
 * A clock that is set forward, for a moment or until it is trusted, must have
 * lost nothing 5 s after it is right again.
 */
static void
stage_step(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	struct node *other = &world->nodes[world->plan.edges[0].a];
	uint64_t hold = node->timekeeper.hold_ns;
	bool is_long =
	    hold < STEP_HOLD_MAX_NS && random_percent(&world->random, 70);

	if (node->step_ns != 0 || hold == 0)
		return;
	node_set_clock(node, (int64_t)(7200 * SIM_S));
	report_all(other);
	world_run_for(world, is_long ? hold + hold / 10 : 3 * SIM_S);
	report_all(other);
	world_run_for(world, SIM_S);
	oracle_expect(world);
	node_set_clock(node, 0);
	world_run_for(world, TIMEKEEPER_VERIFY_NS + SIM_S);
	expect_return(world, SIM_S, "a clock that is right again");
	oracle_check_equal(world);
}

/* At most one of them per run, because they take long. */
static void
stage_outage(struct world *world)
{
	static void (*const kinds[])(struct world *) = { stage_return,
		stage_cut, stage_partition, stage_full, stage_step };
	size_t kind = random_below(&world->random, 8);

	if (random_percent(&world->random, 60) && stage_losses(world))
		return;

	if (kind < HERD_ARRAY_LEN(kinds))
		kinds[kind](world);
}

/*
 * The database is away for ten minutes. Reports go on as ever, because nothing
 * waits for it, and a node owes it each client once.
 */
static void
stage_away(struct world *world)
{
	const struct plan *plan = &world->plan;

	if (!plan->shared || plan->store != SIM_STORE_ASYNC ||
	    plan->expire_ns != 0 ||
	    !random_percent(&world->database.random, 10))
		return;
	world->database.down_until = world->now + AWAY_NS;
	for (unsigned turn = 0; turn < AWAY_TURNS && !world->failed; turn++) {
		struct node *node = &world->nodes[turn % plan->nodes];

		node_report(node, turn % plan->clients, node_judged(node).ns);
		world_run_for(world, AWAY_NS / AWAY_TURNS);
		if (outbox_owed(&node->store.outbox) > plan->clients)
			world_fail(world, "%s owes more rows than clients",
			    node->name);
	}
	oracle_expect(world);
}

static bool
stores_are_settled(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		if (!store_is_settled(&world->nodes[i]))
			return false;
	}
	return herd_is_settled(world);
}

/* What dead origins never wrote, and what a failover lost, is there again. */
static void
stage_store(struct world *world)
{
	if (!world->plan.shared)
		return;
	if (!world_wait(world, stores_are_settled, CONVERGE_NS)) {
		world_fail(world, "the stores do not write what they owe");
		return;
	}
	database_compare(&world->nodes[0]);
	if (!world_wait(world, stores_are_settled, CONVERGE_NS))
		world_fail(world, "the stores do not settle");
	oracle_expect(world);
	oracle_check_equal(world);
	if (!world->failed)
		database_check_rows(world);
}

static void
stage_end(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes && !world->failed; i++) {
		const char *wrong = table_check(world->nodes[i].table);

		if (wrong != NULL)
			world_fail(
			    world, "%s: %s", world->nodes[i].name, wrong);
	}
}

bool
world_settle(struct world *world, uint64_t ns)
{
	return world_wait(world, herd_is_settled, ns);
}

bool
world_run(struct world *world, uint64_t seed, unsigned nodes, bool trace)
{
	void (*const stages[])(struct world *) = { stage_begin, stage_heal,
		stage_clocks, stage_rest, stage_quiet, stage_ending,
		stage_verify, stage_cost, stage_cost, stage_outage, stage_away,
		stage_store, stage_end };

	world_open(world, seed, trace);
	plan_draw(&world->plan, &world->random, nodes);
	world_build(world);
	for (size_t i = 0; i < HERD_ARRAY_LEN(stages) && !world->failed; i++)
		stages[i](world);
	return !world->failed;
}
