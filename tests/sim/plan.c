/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a seed decides before its run begins. */
#include <stdlib.h>

#include "core/session_hello.h"
#include "sim/sim.h"

#define EDGES_PER_NODE 2u /* of large herds: 4-regular */
#define MESH_NODES 12u

static void
draw_edge(struct plan *plan, struct random *random, unsigned a, unsigned b)
{
	struct sim_edge *edge;

	if (a == b)
		return;
	for (unsigned i = 0; i < plan->edge_count; i++) {
		edge = &plan->edges[i];
		if ((edge->a == a && edge->b == b) ||
		    (edge->a == b && edge->b == a))
			return;
	}
	edge = &plan->edges[plan->edge_count++];
	*edge = (struct sim_edge){ a < b ? a : b, a < b ? b : a, 0, 0, 0, 0 };
	edge->latency_ns = random_between(random, 10 * SIM_US, LATENCY_CALM_NS);
	if (random_percent(random, 10))
		edge->latency_ns *= 10;
	edge->jitter_ns = random_below(random, edge->latency_ns + 1);
	edge->capacity = (size_t)1 << random_between(random, 11, 17);
	if (random_percent(random, 15))
		edge->rate = random_between(random, 20000, 500000);
}

/* A tree, so that the herd is connected, and some edges more. */
static void
draw_small_graph(struct plan *plan, struct random *random)
{
	unsigned more = (unsigned)random_below(random, plan->nodes + 1);

	for (unsigned i = 1; i < plan->nodes; i++)
		draw_edge(plan, random, (unsigned)random_below(random, i), i);
	while (more-- > 0)
		draw_edge(plan, random,
		    (unsigned)random_below(random, plan->nodes),
		    (unsigned)random_below(random, plan->nodes));
}

void
plan_draw_ring(struct plan *plan, struct random *random)
{
	for (unsigned i = 0; i < plan->nodes; i++) {
		draw_edge(plan, random, i, (i + 1) % plan->nodes);
		draw_edge(plan, random, i,
		    (unsigned)random_below(random, plan->nodes));
	}
}

/* So nodes have many links that rest, and that wake at once. */
static void
draw_mesh(struct plan *plan, struct random *random)
{
	for (unsigned i = 1; i < plan->nodes; i++) {
		for (unsigned j = 0; j < i; j++)
			draw_edge(plan, random, j, i);
	}
}

/* From a stream of its own, whether it is a mesh. */
static void
draw_graph(struct plan *plan, struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0x94d049bb133111eb) };
	bool is_mesh = plan->nodes > 5 && plan->nodes <= MESH_NODES &&
		       random_percent(&own, 25);
	size_t most = EDGES_PER_NODE * plan->nodes + 1;

	if (is_mesh)
		most = plan->nodes * (plan->nodes - 1) / 2;
	plan->edges = sim_alloc(most, sizeof(*plan->edges));
	if (is_mesh)
		draw_mesh(plan, random);
	else if (plan->nodes <= 5)
		draw_small_graph(plan, random);
	else
		plan_draw_ring(plan, random);
}

static unsigned
draw_node_count(struct random *random)
{
	if (random_below(random, 1000) == 0)
		return (unsigned)random_between(random, 6, 50);
	if (random_percent(random, 5))
		return (unsigned)random_between(random, 6, 10);
	return (unsigned)random_between(random, 2, 5);
}

/* Most runs are short and small; some are long, or have many clients. */
static void
draw_size(struct plan *plan, struct random *random)
{
	unsigned kind = (unsigned)random_below(random, 100);

	plan->fault_ns = random_between(random, 1, 12) * SIM_S;
	plan->clients = (unsigned)random_between(random, 1, 12);
	plan->inputs = (unsigned)random_between(random, 4, 60);
	plan->burst = random_percent(random, 30)
			  ? (unsigned)random_between(random, 2, 12)
			  : 1;
	if (kind < 4) {
		plan->fault_ns = random_between(random, 30, 250) * SIM_S;
	} else if (kind < 6) {
		plan->clients = (unsigned)random_between(random, 100, 1500);
		plan->inputs = (unsigned)random_between(random, 2, 12);
		plan->burst = plan->clients;
	} else if (kind < 8) {
		plan->clients = (unsigned)random_between(random, 60, 300);
		plan->burst = (unsigned)random_between(random, 1, 40);
	}
}

static void
draw_times(struct plan *plan, struct random *random)
{
	bool quick = random_percent(random, 50);

	plan->ping_ns =
	    quick ? random_between(random, 1, 5) * 200 * SIM_MS : 5 * SIM_S;
	plan->dead_ns = 3 * plan->ping_ns;
	plan->stall_ns =
	    quick ? random_between(random, 4, 8) * SIM_S : 60 * SIM_S;
	plan->verify_ns = random_percent(random, 40)
			      ? random_between(random, 100 * SIM_MS, 3 * SIM_S)
			      : 600 * SIM_S;
	plan->redial_max_ns = random_between(random, 100 * SIM_MS, 2 * SIM_S);
	plan->flush_ns = random_percent(random, 50)
			     ? random_between(random, 0, 60 * SIM_MS)
			     : 20 * SIM_MS;
	plan->together = random_percent(random, 50);
}

/*
 * Slow passes over the table, so that reports come in while they last. Drawn
 * from a stream of its own, so that the rest of a seed does not change.
 */
static void
draw_work(struct plan *plan, const struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0x9e3779b97f4a7c15) };

	plan->work_ns = WORK_CALM_NS;
	plan->work_slices = TABLE_SHARDS;
	if (!random_percent(&own, 25))
		return;
	plan->work_ns = random_between(&own, 1, 20) * SIM_MS;
	plan->work_slices = (unsigned)random_between(&own, 1, 8);
}

/*
 * Clocks are off by half a margin at most, so that all agree but those that are
 * set wrong. From a stream of its own.
 */
static void
draw_clocks(struct plan *plan, const struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0xc2b2ae3d27d4eb4f) };
	uint64_t most;

	if (plan->expire_ns != 0 && random_percent(&own, 40))
		plan->expire_ns = random_between(&own, 1, 40) * SIM_S;
	/* Long enough for a clock to become trusted. */
	if (plan->expire_ns != 0 && random_percent(&own, 15)) {
		plan->expire_ns = random_between(&own, 4, 10) * SIM_S;
		plan->fault_ns += 2 * plan->expire_ns;
	}
	most = timekeeper_margin_ns(plan->expire_ns) / 2 / SIM_MS;
	if (plan->clock_spread_ms > most)
		plan->clock_spread_ms = (unsigned)most;
	if (random_percent(&own, plan->expire_ns != 0 ? 60 : 15))
		plan->step_percent = (unsigned)random_between(&own, 10, 60);
}

/*
 * An update node by node: some lives of some nodes are of an older edition,
 * with dense DIGESTs and no short cut. From a stream of its own.
 */
static void
draw_older(struct plan *plan, const struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0x165667b19e3779f9) };

	if (random_percent(&own, 15))
		plan->older = UINT64_MAX;
	else if (random_percent(&own, 40))
		plan->older = random_next(&own);
}

/* Sparse flooding, and lives of an edition that floods on all links. */
static void
draw_flood(struct plan *plan, const struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0x27d4eb2f165667c5) };

	plan->sparse = random_percent(&own, 75);
	plan->rest_after_ns = random_percent(&own, 10)
				  ? 10 * SIM_S
				  : random_between(&own, 50, 1500) * SIM_MS;
	/* Their words are many, so one herd in three of the largest ones. */
	if (plan->nodes > 200)
		plan->sparse = random_percent(&own, 34);
	if (random_percent(&own, 10)) {
		plan->eldest = random_next(&own);
		plan->eldest &= random_next(&own);
	}
}

static bool
has_bit(uint64_t bits, unsigned node, unsigned life)
{
	return (bits >> (node + 7 * life) % 64 & 1) != 0;
}

unsigned
plan_lacks(const struct plan *plan, unsigned node, unsigned life)
{
	unsigned lacks = 0;

	if (has_bit(plan->older, node, life))
		lacks |= SESSION_PAIRS;
	if (has_bit(plan->eldest, node, life))
		lacks |= SESSION_SPARSE;
	return lacks;
}

static void
draw_content(struct plan *plan, struct random *random)
{
	plan->store = (enum sim_store)random_below(random, 3);
	if (plan->clients > 2 && random_percent(random, 25))
		plan->max_clients =
		    random_between(random, 1, plan->clients - 1);
	if (random_percent(random, 25))
		plan->expire_ns = random_between(random, 1, 600) * SIM_S;
	if (random_percent(random, 25))
		plan->max_ahead_ns = random_between(random, 1, 20) * SIM_S;
	if (random_percent(random, 50))
		plan->clock_spread_ms =
		    (unsigned)(1u << random_between(random, 0, 14));
	if (random_percent(random, 30))
		plan->forget_percent = (unsigned)random_between(random, 5, 30);
	if (random_percent(random, 40))
		plan->tie_percent = (unsigned)random_between(random, 5, 60);
	if (random_percent(random, 40))
		plan->old_percent = (unsigned)random_between(random, 5, 60);
	plan->long_ids = random_percent(random, 10);
	if (plan->fault_ns > 12 * SIM_S && random_percent(random, 50)) {
		plan->expire_ns = random_between(random, 200, 600) * SIM_S;
		plan->forget_percent = 20;
	}
	if (plan->expire_ns != 0 && random_percent(random, 50)) {
		plan->clock_spread_ms =
		    (unsigned)random_between(random, 1000, 60000);
		plan->old_percent = 50;
	}
	draw_clocks(plan, random);
}

/*
 * Evictions and commits overlap: a full table, a store that answers wait for,
 * many reports in a short time, and crashes among them.
 */
static void
draw_rush(struct plan *plan, struct random *random)
{
	plan->store = SIM_STORE_SYNC;
	plan->clients = (unsigned)random_between(random, 8, 16);
	plan->max_clients = random_between(random, 2, 3);
	plan->inputs = (unsigned)random_between(random, 200, 600);
	plan->burst = (unsigned)random_between(random, 2, 6);
	plan->fault_ns = random_between(random, 500, 2000) * SIM_MS;
	plan->faults = 12;
}

/*
 * A store that all nodes share. With a cap and answers that wait, each node has
 * to write what the records are that push others out. From a stream of its own.
 */
static void
draw_shared(struct plan *plan, const struct random *random)
{
	struct random own = { random->state ^ UINT64_C(0x85ebca77c2b2ae63) };

	if (plan->store == SIM_STORE_NONE || !random_percent(&own, 25))
		return;
	plan->shared = true;
	plan->write_all = plan->max_clients != 0 || random_percent(&own, 30);
}

void
plan_draw(struct plan *plan, struct random *random, unsigned nodes)
{
	memset(plan, 0, sizeof(*plan));
	plan->nodes = nodes != 0 ? nodes : draw_node_count(random);
	draw_graph(plan, random);
	draw_size(plan, random);
	draw_times(plan, random);
	draw_work(plan, random);
	draw_older(plan, random);
	draw_flood(plan, random);
	draw_content(plan, random);
	plan->faults = (unsigned)random_between(random, 1, 12);
	plan->removals = random_percent(random, 30);
	if (random_percent(random, 5))
		draw_rush(plan, random);
	draw_shared(plan, random);
	if (plan->nodes > 50) {
		plan->faults = plan->nodes / 20;
		plan->clients = 8;
		plan->inputs = 40;
		plan->burst = 1;
		plan->fault_ns = 10 * SIM_S;
		plan->verify_ns = 600 * SIM_S;
		plan->ping_ns = 5 * SIM_S;
		plan->dead_ns = 15 * SIM_S;
		plan->stall_ns = 60 * SIM_S;
	}
}

void
plan_release(struct plan *plan)
{
	free(plan->edges);
}
