/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes wrong while a run is young. */
#include <stdlib.h>

#include "sim/drive.h"
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

/* Only one side learns it. */
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
	node->driver.stopping = true;
	for (unsigned i = 0; i < node->edge_count; i++) {
		struct link_conn *conn = node->edges[i].link.conn;

		if (node->edges[i].used && conn != NULL)
			link_conn_end(conn, BYE_STOP, "the node stops",
			    world_mono(world), node_clock(node));
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
	if (node->edges[edge].used && node->edges[edge].dials &&
	    node->edges[edge].link.dialled == NULL)
		host_dial(node, &node->edges[edge].link);
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
	session_verify(&end->link.session, world_mono(world));
	end_on_wake(end);
}

/* --- operators ----------------------------------------------------------- */

static struct node_edge *
draw_link(struct world *world, struct node **out)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	struct node_edge *edge;

	if (!node->up || node->edge_count == 0)
		return NULL;
	edge = &node->edges[random_below(&world->random, node->edge_count)];
	*out = node;
	return edge->used ? edge : NULL;
}

static void
command(struct node *node, struct node_edge *edge, enum link_verb verb)
{
	link_command(
	    &edge->link, verb, world_mono(node->world), node_clock(node));
}

static void
fault_disable(struct world *world)
{
	struct node *node;
	struct node_edge *edge = draw_link(world, &node);

	if (edge == NULL)
		return;
	world_trace(world, node, "fault: %s is disabled", edge->link.peer);
	command(node, edge, LINK_DISABLE);
	world_after(world, draw_length(world), EVENT_ENABLE, node->number,
	    (unsigned)(edge - node->edges), node->life);
}

void
fault_enable(struct node *node, unsigned edge)
{
	if (node->edges[edge].used)
		command(node, &node->edges[edge], LINK_ENABLE);
}

static void
fault_reconnect(struct world *world)
{
	struct node *node;
	struct node_edge *edge = draw_link(world, &node);

	if (edge != NULL)
		command(node, edge, LINK_RECONNECT);
}

/* The herd file of one node lacks the link for a while. */
static void
fault_remove(struct world *world)
{
	struct node *node;
	struct node_edge *edge = draw_link(world, &node);

	if (edge == NULL || !world->plan.removals)
		return;
	/* A file lacks one link at most. */
	if (node->missing != SIM_NONE)
		return;
	for (unsigned i = 0; i < node->edge_count; i++) {
		if (!node->edges[i].used)
			return;
	}
	world_trace(world, node, "fault: %s leaves the file", edge->link.peer);
	host_remove_link(node, (unsigned)(edge - node->edges));
	world_after(world, draw_length(world), EVENT_ADD, node->number,
	    (unsigned)(edge - node->edges), node->life);
}

void
fault_add(struct node *node, unsigned edge)
{
	if (!node->edges[edge].used)
		host_add_again(node, edge);
}

/* SIGSTOP, and SIGCONT later: connections are accepted but not served. */
static void
fault_freeze(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];

	if (!node->up)
		return;
	node->frozen_until = world->now + draw_length(world);
	/* Healing ends this too. */
	if (node->frozen_until > SIM_START_NS + world->plan.fault_ns)
		node->frozen_until = SIM_START_NS + world->plan.fault_ns;
	world_trace(world, node, "fault: stops for %.3f s",
	    (double)(node->frozen_until - world->now) / 1e9);
}

/* --- clocks -------------------------------------------------------------- */

/* Far beyond all margins, or hardly a step. */
static int64_t
draw_step(struct world *world)
{
	static const uint64_t most[] = { 3 * SIM_S, 60 * SIM_S,
		2 * 3600 * SIM_S, UINT64_C(10) * 365 * 86400 * SIM_S };
	uint64_t size = random_between(&world->random, 1100 * SIM_MS,
	    most[random_below(&world->random, HERD_ARRAY_LEN(most))]);

	return random_percent(&world->random, 65) ? (int64_t)size
						  : -(int64_t)size;
}

/*
 * Sets a node's wall clock wrong: for ever, or until before a store may act on
 * it.
 */
static void
fault_clock(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	uint64_t most = node->timekeeper.hold_ns / 2 * 3;
	uint64_t length = draw_length(world);

	if (node->step_ns != 0)
		return;
	node_set_clock(node, draw_step(world));
	node->step_ends = random_percent(&world->random, 65);
	world_trace(world, node, "fault: clock set by %.3f s%s",
	    (double)node->step_ns / 1e9, node->step_ends ? "" : ", for ever");
	if (node->step_ends)
		world_after(world, most != 0 && length > most ? most : length,
		    EVENT_CLOCK, node->number, 0, 0);
}

void
fault_set_right(struct node *node)
{
	if (node->step_ends && node->step_ns != 0)
		world_trace(node->world, node, "clock set right");
	if (node->step_ends)
		node_set_clock(node, 0);
}

void
fault_happen(struct world *world)
{
	static void (*const kinds[])(struct world *) = { fault_cut, fault_cut,
		fault_half_open, fault_block, fault_partition, fault_crash,
		fault_crash, fault_crash, fault_stop, fault_dial_again,
		fault_slow, fault_verify, fault_disable, fault_reconnect,
		fault_remove, fault_freeze, fault_roll, fault_switch };

	if (world->calm)
		return;
	if (world->plan.step_percent != 0 &&
	    random_percent(&world->random, world->plan.step_percent))
		fault_clock(world);
	else
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
		world->conns[i]->ends[0].link.session.verify_at.ns = at;
		world->conns[i]->ends[1].link.session.verify_at.ns = at;
	}
}

/* Everything works from now on. */
void
fault_heal(struct world *world)
{
	struct plan *plan = &world->plan;

	world_trace(world, NULL, "heals");
	world->calm = true;
	world->database.down_until = 0;
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
		struct node *node = &world->nodes[i];

		fault_set_right(node);
		flood_reload(node, SIM_NONE);
		flood_switch(node, plan->sparse);
		if (!node->up)
			node_start(node);
		for (unsigned j = 0; j < node->edge_count; j++) {
			fault_add(node, j);
			fault_enable(node, j);
		}
	}
	slow_verification(world);
}
