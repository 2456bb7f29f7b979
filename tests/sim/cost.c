/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an update costs: on the five-node herd at 10,000 updates/s, and a single
 * one on herds of any size, with all links and with the eager ones. And whom it
 * reaches when nodes are lost.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

#define COST_CLIENTS 1000u
#define COST_PER_S 10000u
#define COST_SECONDS 2u
/* 2E-(N-1) is 8. Less, because both ends of a link get some reports at once. */
#define COST_MOST 6.8

static void
plan_quiet(struct plan *plan, unsigned nodes, unsigned clients)
{
	*plan = (struct plan){ .nodes = nodes,
		.clients = clients,
		.ping_ns = 5 * SIM_S,
		.dead_ns = 15 * SIM_S,
		.stall_ns = 60 * SIM_S,
		.verify_ns = 600 * SIM_S,
		.flush_ns = 20 * SIM_MS,
		.redial_max_ns = SIM_S,
		.work_ns = WORK_CALM_NS,
		.work_slices = TABLE_SHARDS };
	plan->edges = sim_alloc(2 * nodes, sizeof(*plan->edges));
}

static void
set_speed(struct plan *plan)
{
	for (unsigned i = 0; i < plan->edge_count; i++) {
		struct sim_edge *edge = &plan->edges[i];

		*edge = (struct sim_edge){ .a = edge->a,
			.b = edge->b,
			.latency_ns = 50 * SIM_US,
			.jitter_ns = 50 * SIM_US,
			.capacity = 1u << 17 };
	}
}

static void
plan_five(struct plan *plan, unsigned clients)
{
	static const unsigned edges[][2] = { { 2, 4 }, { 3, 4 }, { 0, 2 },
		{ 0, 3 }, { 0, 1 }, { 1, 3 } };

	plan_quiet(plan, 5, clients);
	for (unsigned i = 0; i < HERD_ARRAY_LEN(edges); i++)
		plan->edges[plan->edge_count++] =
		    (struct sim_edge){ .a = edges[i][0], .b = edges[i][1] };
	set_speed(plan);
}

static bool
start_all(struct world *world)
{
	world_build(world);
	for (unsigned i = 0; i < world->plan.nodes; i++)
		node_start(&world->nodes[i]);
	return world_settle(world, 60 * SIM_S);
}

bool
cost_of_five(void)
{
	const uint64_t updates = COST_PER_S * COST_SECONDS;
	struct world world;
	uint64_t before;
	double cost;
	bool fine;

	world_open(&world, 5, false);
	plan_five(&world.plan, COST_CLIENTS);
	fine = start_all(&world);
	before = world.oracle.words[WORD_AT];
	for (uint64_t i = 0; i < updates && fine && !world.failed; i++) {
		struct node *node =
		    &world.nodes[random_below(&world.random, 5)];

		node_report(
		    node, (unsigned)(i % COST_CLIENTS), node_clock(node).ns);
		world_run_for(&world, SIM_S / COST_PER_S);
	}
	fine = fine && world_settle(&world, 5 * SIM_S) && !world.failed;
	cost = (double)(world.oracle.words[WORD_AT] - before) / (double)updates;
	printf("sim: five nodes, %u updates/s: %.2f messages per update\n",
	    COST_PER_S, cost);
	if (world.failed)
		printf("%s\n", world.failure);
	world_release(&world);
	return fine && cost <= COST_MOST;
}

/* --- one update ----------------------------------------------------------- */

#define COST_ONES 20u
#define COST_REACH_NS (2 * SIM_S)

static bool
open_herd(struct world *world, unsigned nodes, bool sparse)
{
	world_open(world, nodes, false);
	if (nodes == 5) {
		plan_five(&world->plan, 1);
	} else {
		plan_quiet(&world->plan, nodes, 1);
		plan_draw_ring(&world->plan, &world->random);
		set_speed(&world->plan);
	}
	world->plan.sparse = sparse;
	world->plan.rest_after_ns = SIM_S;
	if (!start_all(world))
		return false;
	stage_rest(world);
	return !world->failed;
}

/* Messages per update, one at a time. */
static bool
measure_ones(unsigned nodes, bool sparse, double *out, unsigned *links)
{
	struct world world;
	bool fine = open_herd(&world, nodes, sparse);
	uint64_t before = world.oracle.words[WORD_AT];

	for (unsigned i = 0; i < COST_ONES && fine; i++) {
		(void)flood_report(flood_draw_up(&world));
		world_run_for(&world, 100 * SIM_MS);
		fine = world_settle(&world, COST_REACH_NS) && !world.failed;
	}
	*links = flood_eager_count(&world);
	*out = (double)(world.oracle.words[WORD_AT] - before) / COST_ONES;
	if (world.failed)
		printf("%s\n", world.failure);
	fine = fine && *out <= 2.0 * *links - (nodes - 1);
	world_release(&world);
	return fine;
}

/* In percent of the nodes that can be reached at all, once `crashes` are lost.
 */
static double
measure_reach(unsigned nodes, bool sparse, unsigned crashes,
    enum end_death death, unsigned seed)
{
	struct world world;
	struct node *node;
	unsigned client;
	unsigned have;
	unsigned all;

	if (!open_herd(&world, nodes, sparse)) {
		world_release(&world);
		return -1;
	}
	world.random.state += seed;
	for (unsigned i = 0; i < crashes; i++)
		node_stop(flood_draw_up(&world), death, false);
	node = flood_draw_up(&world);
	client = flood_report(node);
	world_run_for(&world, COST_REACH_NS);
	all = flood_reach(&world, node, client, &have);
	world_release(&world);
	return 100.0 * have / all;
}

static bool
reach_of(unsigned crashes, unsigned runs)
{
	static const enum end_death deaths[] = { DEATH_SILENT, DEATH_RESET };
	double sums[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++) {
		for (unsigned run = 0; run < runs; run++) {
			double one =
			    measure_reach(100, true, crashes, deaths[i], run);

			if (one < 0)
				return false;
			sums[i] += one / runs;
		}
	}
	printf("sim: 100 nodes, sparse, %u lost: %.1f %% reached unseen, "
	       "%.1f %% once seen\n",
	    crashes, sums[0], sums[1]);
	return sums[1] > 99.999 && (crashes > 1 || sums[0] > 99.999);
}

bool
cost_of_flooding(void)
{
	static const unsigned sizes[] = { 5, 25, 100, 1000 };
	bool fine = true;

	for (size_t i = 0; i < HERD_ARRAY_LEN(sizes) && fine; i++) {
		unsigned links[2] = { 0, 0 };
		double cost[2] = { 0, 0 };

		fine = measure_ones(sizes[i], false, &cost[0], &links[0]) &&
		       measure_ones(sizes[i], true, &cost[1], &links[1]);
		printf("sim: %u nodes: %.1f messages per update over %u "
		       "links, %.1f over %u eager ones\n",
		    sizes[i], cost[0], links[0], cost[1], links[1]);
	}
	return fine && reach_of(1, 5) && reach_of(5, 5);
}
