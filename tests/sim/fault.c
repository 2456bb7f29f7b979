/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes wrong while a run is young. */
#include <stdlib.h>

#include "sim/sim.h"

#define VERIFY_CALM_NS (600 * SIM_S)

static struct conn *
draw_conn(struct world *world)
{
	if (world->conn_count == 0)
		return NULL;
	/* Most of the older ones are closed. */
	for (unsigned i = 0; i < 8; i++) {
		unsigned back = (unsigned)random_below(&world->random,
		    world->conn_count < 16 ? world->conn_count : 16);
		struct conn *conn = world->conns[world->conn_count - 1 - back];

		if (conn->ends[0].open || conn->ends[1].open)
			return conn;
	}
	return NULL;
}

static uint64_t
draw_length(struct world *world)
{
	return random_percent(&world->random, 70)
		   ? random_below(&world->random, 500 * SIM_MS)
		   : random_below(&world->random, world->plan.fault_ns);
}

/* Both sides learn that the connection is gone, not at once. */
static void
fault_cut(struct world *world)
{
	struct conn *conn = draw_conn(world);

	if (conn == NULL)
		return;
	world_trace(world, NULL, "fault: cut conn %u", conn->ends[0].conn);
	conn->dead = random_percent(&world->random, 50);
	for (unsigned side = 0; side < 2; side++)
		world_after(world, random_below(&world->random, 50 * SIM_MS),
		    EVENT_LOST, conn->ends[0].conn, side, 0);
}

/* One side learns it, the other one not. */
static void
fault_half_open(struct world *world)
{
	struct conn *conn = draw_conn(world);

	if (conn == NULL)
		return;
	world_trace(
	    world, NULL, "fault: half-open conn %u", conn->ends[0].conn);
	conn->dead = true;
	world_after(world, 0, EVENT_LOST, conn->ends[0].conn,
	    (unsigned)random_below(&world->random, 2), 0);
}

static void
block(struct world *world, unsigned edge, uint64_t ns)
{
	world->blocked[edge]++;
	world_after(world, ns, EVENT_UNBLOCK, edge, 0, 0);
}

static void
fault_block(struct world *world)
{
	unsigned edge =
	    (unsigned)random_below(&world->random, world->plan.edge_count);

	world_trace(world, NULL, "fault: edge %u blocked", edge);
	block(world, edge, draw_length(world));
}

static void
fault_partition(struct world *world)
{
	const struct plan *plan = &world->plan;
	uint64_t ns = draw_length(world);
	uint64_t sides = random_next(&world->random);

	world_trace(
	    world, NULL, "fault: partition %llx", (unsigned long long)sides);
	for (unsigned i = 0; i < plan->edge_count; i++) {
		if ((sides >> plan->edges[i].a % 64 & 1) !=
		    (sides >> plan->edges[i].b % 64 & 1))
			block(world, i, ns);
	}
}

void
fault_unblock(struct world *world, unsigned edge)
{
	if (world->blocked[edge] == 0 || --world->blocked[edge] > 0)
		return;
	world_trace(world, NULL, "edge %u works", edge);
	for (unsigned i = 0; i < world->conn_count; i++) {
		if (world->conns[i]->edge == edge)
			pipe_resume(world, i);
	}
}

void
fault_crash_node(struct node *node, bool lose_disk)
{
	struct world *world = node->world;

	if (!node->up || world->calm)
		return;
	node_stop(
	    node, (enum end_death)random_below(&world->random, 3), lose_disk);
	if (random_percent(&world->random, 30))
		node->clock_ns +=
		    (int64_t)random_below(&world->random, 2 * SIM_MS) -
		    (int64_t)SIM_MS;
	world_after(world, draw_length(world), EVENT_START, node->number, 0,
	    node->life);
}

static void
fault_crash(struct world *world)
{
	fault_crash_node(
	    &world->nodes[random_below(&world->random, world->plan.nodes)],
	    random_percent(&world->random, 20));
}

/* SIGTERM: a BYE to everybody. */
static void
fault_stop(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];

	if (!node->up)
		return;
	for (unsigned i = 0; i < node->edge_count; i++) {
		while (node->edges[i].ends != NULL)
			end_bye(node->edges[i].ends, BYE_STOP);
	}
	node_stop(node, DEATH_FIN, false);
	world_after(world, draw_length(world), EVENT_START, node->number, 0,
	    node->life);
}

/* Another connection on an edge that has one. */
static void
fault_dial_again(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	unsigned edge;

	if (!node->up || node->edge_count == 0)
		return;
	edge = (unsigned)random_below(&world->random, node->edge_count);
	if (node->edges[edge].dials && !node->edges[edge].dialling) {
		node->edges[edge].dialling = true;
		link_dial(world, node->number, edge);
	}
}

static void
fault_slow(struct world *world)
{
	struct sim_edge *edge =
	    &world->plan
		 .edges[random_below(&world->random, world->plan.edge_count)];

	edge->rate = random_percent(&world->random, 50)
			 ? random_between(&world->random, 300, 20000)
			 : 0;
	edge->capacity = (size_t)1 << random_between(&world->random, 10, 16);
}

static void
fault_verify(struct world *world)
{
	struct conn *conn = draw_conn(world);
	struct end *end;

	if (conn == NULL)
		return;
	end = &conn->ends[random_below(&world->random, 2)];
	if (!end->open)
		return;
	session_verify(&end->session, world_mono(world));
	end_on_wake(end);
}

void
fault_happen(struct world *world)
{
	static void (*const kinds[])(struct world *) = { fault_cut, fault_cut,
		fault_half_open, fault_block, fault_partition, fault_crash,
		fault_crash, fault_crash, fault_stop, fault_dial_again,
		fault_slow, fault_verify };

	if (!world->calm)
		kinds[random_below(&world->random, HERD_ARRAY_LEN(kinds))](
		    world);
}

/* Verification goes on at its usual pace. */
static void
slow_verification(struct world *world)
{
	uint64_t at = world->now + VERIFY_CALM_NS;

	for (unsigned i = 0; i < world->plan.nodes; i++)
		world->nodes[i].shared.verify_every_ns = VERIFY_CALM_NS;
	world->plan.verify_ns = VERIFY_CALM_NS;
	for (unsigned i = 0; i < world->conn_count; i++) {
		world->conns[i]->ends[0].session.verify_at.ns = at;
		world->conns[i]->ends[1].session.verify_at.ns = at;
	}
}

/* Everything works from now on. */
void
fault_heal(struct world *world)
{
	struct plan *plan = &world->plan;

	world_trace(world, NULL, "heals");
	world->calm = true;
	plan->work_ns = WORK_CALM_NS;
	plan->work_slices = TABLE_SHARDS;
	for (unsigned i = 0; i < plan->edge_count; i++) {
		if (world->blocked[i] > 0) {
			world->blocked[i] = 1;
			fault_unblock(world, i);
		}
		plan->edges[i].rate = 0;
		if (plan->edges[i].latency_ns > LATENCY_CALM_NS)
			plan->edges[i].latency_ns = LATENCY_CALM_NS;
		if (plan->edges[i].jitter_ns > LATENCY_CALM_NS)
			plan->edges[i].jitter_ns = LATENCY_CALM_NS;
		plan->edges[i].capacity = 65536;
	}
	for (unsigned i = 0; i < world->conn_count; i++)
		pipe_hurry(world, i);
	for (unsigned i = 0; i < plan->nodes; i++) {
		if (!world->nodes[i].up)
			node_start(&world->nodes[i]);
	}
	slow_verification(world);
}
