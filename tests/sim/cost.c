/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an update costs on the five-node herd at 10,000 updates/s. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

#define COST_CLIENTS 1000u
#define COST_PER_S 10000u
#define COST_SECONDS 2u
/* 2E-(N-1) is 8. Less, because both ends of a link get some reports at once. */
#define COST_MOST 6.8

static void
plan_five(struct plan *plan)
{
	static const unsigned edges[][2] = { { 2, 4 }, { 3, 4 }, { 0, 2 },
		{ 0, 3 }, { 0, 1 }, { 1, 3 } };

	*plan = (struct plan){ .nodes = 5,
		.clients = COST_CLIENTS,
		.edge_count = HERD_ARRAY_LEN(edges),
		.ping_ns = 5 * SIM_S,
		.dead_ns = 15 * SIM_S,
		.stall_ns = 60 * SIM_S,
		.verify_ns = 600 * SIM_S,
		.flush_ns = 20 * SIM_MS,
		.redial_max_ns = SIM_S,
		.work_ns = WORK_CALM_NS,
		.work_slices = TABLE_SHARDS };
	plan->edges = sim_alloc(plan->edge_count, sizeof(*plan->edges));
	for (unsigned i = 0; i < plan->edge_count; i++)
		plan->edges[i] = (struct sim_edge){ .a = edges[i][0],
			.b = edges[i][1],
			.latency_ns = 50 * SIM_US,
			.jitter_ns = 50 * SIM_US,
			.capacity = 1u << 17 };
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
	plan_five(&world.plan);
	world_build(&world);
	for (unsigned i = 0; i < world.plan.nodes; i++)
		node_start(&world.nodes[i]);
	fine = world_settle(&world, 5 * SIM_S);
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
