/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections of a node, as the server handles them: dial, accept, I/O. */
#include <stdlib.h>

#include "sim/sim.h"

#define CONNECT_TIMEOUT_NS (1 * SIM_S)
#define WAKE_MAX_NS (200 * SIM_US)
#define PUMP_TURNS 16u

/* --- an end's life ------------------------------------------------------- */

static void
on_wake(void *arg)
{
	struct end *end = arg;

	if (end->wake_due)
		return;
	end->wake_due = true;
	world_after(end->world, random_below(&end->world->random, WAKE_MAX_NS),
	    EVENT_WAKE, end->conn, end->side, 0);
}

static void
edge_add(struct end *end, unsigned edge)
{
	struct node_edge *own = &end->node->edges[edge];

	end->edge = edge;
	end->next = own->ends;
	own->ends = end;
}

static void
edge_remove(struct end *end)
{
	struct end **at = &end->node->edges[end->edge].ends;

	while (*at != end)
		at = &(*at)->next;
	*at = end->next;
	end->next = NULL;
}

/* An accepted HELLO closes the edge's other connections. */
static enum session_reason
on_admit(void *arg, struct span peer, unsigned *out)
{
	struct end *end = arg;
	struct node *node = end->node;
	unsigned edge = 0;

	while (edge < node->edge_count &&
	       !span_is(peer, end->world->nodes[node->edges[edge].peer].name))
		edge++;
	if (edge == node->edge_count)
		return BYE_NOT_CONFIGURED;
	*out = edge;
	if (end->edge == SIM_NONE)
		edge_add(end, edge);
	for (struct end *other = node->edges[edge].ends; other != NULL;) {
		struct end *next = other->next;

		if (other != end)
			end_bye(other, BYE_REPLACED);
		other = next;
	}
	return BYE_NONE;
}

static void
end_open(struct end *end)
{
	struct world *world = end->world;
	struct session_config config = { .node = &end->node->shared,
		.admit = on_admit,
		.wake = on_wake,
		.arg = end,
		.random = random_next(&world->random) };

	if (end->side == 0)
		config.peer = span_from(
		    world->nodes[end->node->edges[end->edge].peer].name);
	for (unsigned i = 0; i < SESSION_NONCE_LEN; i++)
		config.nonce[i] = (uint8_t)random_next(&world->random);
	end->open = true;
	end->tick_at = UINT64_MAX;
	end->crossings =
	    sim_alloc(world->plan.clients, sizeof(*end->crossings));
	for (unsigned i = 0; i < world->plan.clients; i++)
		end->crossings[i].version = SIM_NONE;
	end->snapshot = sim_alloc(world->plan.clients, sizeof(uint32_t));
	buf_init(&end->out, SIM_OUT_MAX);
	session_init(&end->session, &config, world_mono(world));
	end_pump(end);
}

/* Honest nodes have no reason to refuse each other. */
static void
end_check_reason(struct end *end)
{
	const struct session *session = &end->session;

	if (session->reason == BYE_BAD_LINE || session->reason == BYE_MEMORY ||
	    session_reason_is_refusal(session->reason))
		world_fail(end->world, "%s ends session with %s: %s %s",
		    end->node->name, session->peer,
		    session_reason_word(session->reason), session->error);
}

/* The socket is closed: its session and what was not sent are gone. */
static void
end_close(struct end *end)
{
	struct node *node = end->node;
	unsigned edge = end->edge;

	world_trace(end->world, node, "conn %u closed: %s", end->conn,
	    end->session.error);
	end_check_reason(end);
	if (edge != SIM_NONE) {
		if (end->session.synced_at.ns != 0 &&
		    mono_since(world_mono(end->world),
			end->session.synced_at) >= BACKOFF_RESET_NS)
			backoff_reset(&node->edges[edge].backoff);
		edge_remove(end);
	}
	session_release(&end->session);
	buf_release(&end->out);
	end->open = false;
	if (edge != SIM_NONE)
		link_consider(node, edge);
}

static void
end_close_with_fin(struct end *end)
{
	struct world *world = end->world;
	struct conn *conn = world->conns[end->conn];

	conn->pipes[end->side].fin = true;
	end_close(end);
	pipe_resume(world, conn->ends[0].conn);
}

void
end_bye(struct end *end, enum session_reason reason)
{
	session_bye(&end->session, reason, "of the simulation");
	end_pump(end);
}

void
end_lost(struct end *end, const char *why)
{
	if (!end->open)
		return;
	session_lost(&end->session, why);
	end_close_with_fin(end);
}

void
end_kill(struct end *end, enum end_death death)
{
	struct world *world = end->world;
	struct conn *conn = world->conns[end->conn];

	if (death == DEATH_FIN) {
		end_close_with_fin(end);
		return;
	}
	conn->dead = true;
	end_close(end);
	if (death == DEATH_RESET)
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_LOST, end->conn, 1 - end->side, 0);
}

/* --- input and output ---------------------------------------------------- */

void
end_feed(struct end *end, struct span data)
{
	struct world *world = end->world;

	end->busy = true;
	while (data.len > 0 && end->session.state != SESSION_CLOSED) {
		size_t part = data.len;

		if (random_percent(&world->random, 20))
			part = 1 + random_below(&world->random, data.len);
		session_feed(&end->session, span_of(data.data, part),
		    world_mono(world), node_clock(end->node));
		data.data += part;
		data.len -= part;
		oracle_observe_end(end);
	}
	end->busy = false;
}

/* True while the socket takes what there is. */
static bool
end_write(struct end *end)
{
	struct world *world = end->world;
	struct span out = buf_span(&end->out);
	size_t n = pipe_write(
	    world, world->conns[end->conn], end->side, out.data, out.len);

	if (n > 0) {
		session_sent(&end->session, n, world_mono(world));
		buf_drain(&end->out, n);
	}
	return end->out.len == 0;
}

static void
end_arm(struct end *end)
{
	struct world *world = end->world;
	uint64_t at = session_deadline(&end->session).ns;

	if (at < world->now)
		at = world->now;
	if (at < end->tick_at) {
		end->tick_at = at;
		world_after(world, at - world->now, EVENT_TICK, end->conn,
		    end->side, 0);
	}
	if (session_has_work(&end->session) && !end->work_due) {
		end->work_due = true;
		world_after(world,
		    random_below(&world->random, world->plan.work_ns),
		    EVENT_WORK, end->conn, end->side, 0);
	}
}

void
end_pump(struct end *end)
{
	struct world *world = end->world;
	unsigned turns = 0;
	bool more = true;

	end->busy = true;
	while (end->out.len == 0 || end_write(end)) {
		if (!more)
			break;
		if (turns++ == PUMP_TURNS) {
			on_wake(end);
			break;
		}
		more = session_fill(&end->session, &end->out, world_mono(world),
		    node_clock(end->node));
		oracle_tap(end, buf_span(&end->out));
	}
	end->busy = false;
	oracle_observe_end(end);
	if (end->session.state == SESSION_CLOSED)
		end_close_with_fin(end);
	else
		end_arm(end);
}

void
end_on_wake(struct end *end)
{
	end->wake_due = false;
	if (end->open)
		end_pump(end);
}

void
end_on_work(struct end *end)
{
	unsigned slices = (unsigned)random_between(
	    &end->world->random, 1, end->world->plan.work_slices);

	end->work_due = false;
	if (!end->open)
		return;
	end->busy = true;
	while (
	    slices-- > 0 && session_work(&end->session, world_mono(end->world)))
		;
	end->busy = false;
	end_pump(end);
}

void
end_on_tick(struct end *end)
{
	struct world *world = end->world;

	if (!end->open || end->tick_at != world->now)
		return;
	end->tick_at = UINT64_MAX;
	session_tick(&end->session, world_mono(world), node_clock(end->node));
	if (session_deadline(&end->session).ns <= world->now)
		world_fail(world, "%s: a tick leaves its deadline in the past",
		    end->node->name);
	end_pump(end);
}

/* --- dialling ------------------------------------------------------------ */

void
link_consider(struct node *node, unsigned number)
{
	struct node_edge *edge = &node->edges[number];
	struct world *world = node->world;

	if (!node->up || !edge->dials || edge->dialling || edge->ends != NULL)
		return;
	edge->dialling = true;
	world_after(world,
	    backoff_next(&edge->backoff, random_next(&world->random)),
	    EVENT_DIAL, node->number, number, node->life);
}

static struct conn *
conn_new(struct world *world, struct node *from, unsigned number)
{
	const struct node_edge *edge = &from->edges[number];
	struct conn *conn = sim_alloc(1, sizeof(*conn));
	struct node *nodes[2] = { from, &world->nodes[edge->peer] };

	if (world->conn_count == world->conn_size) {
		world->conn_size =
		    world->conn_size == 0 ? 64 : world->conn_size * 2;
		world->conns = sim_grow(
		    world->conns, world->conn_size, sizeof(struct conn *));
	}
	conn->edge = edge->edge;
	conn->life = from->life;
	for (unsigned side = 0; side < 2; side++) {
		struct end *end = &conn->ends[side];

		end->world = world;
		end->node = nodes[side];
		end->conn = world->conn_count;
		end->side = side;
		end->edge = SIM_NONE;
		buf_init(&conn->pipes[side].bytes, 8u << 20);
	}
	world->conns[world->conn_count++] = conn;
	return conn;
}

void
link_dial(struct world *world, unsigned number, unsigned edge)
{
	struct node *node = &world->nodes[number];
	struct conn *conn = conn_new(world, node, edge);
	unsigned id = conn->ends[0].conn;

	conn->ends[0].edge = edge;
	world_trace(world, node, "conn %u dials %s", id,
	    world->nodes[node->edges[edge].peer].name);
	if (conn_is_stuck(world, conn))
		world_after(
		    world, CONNECT_TIMEOUT_NS, EVENT_DIAL_FAILED, id, 0, 0);
	else
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_ACCEPT, id, 0, 0);
}

void
link_accept(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[1];
	uint64_t latency = world->plan.edges[conn->edge].latency_ns;

	if (conn_is_stuck(world, conn)) {
		world_after(
		    world, CONNECT_TIMEOUT_NS, EVENT_DIAL_FAILED, id, 0, 0);
		return;
	}
	if (!end->node->up) {
		world_after(world, latency, EVENT_DIAL_FAILED, id, 0, 0);
		return;
	}
	world_trace(world, end->node, "conn %u accepted", id);
	world_after(world, latency, EVENT_CONNECTED, id, 0, 0);
	end_open(end);
}

void
link_connected(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[0];

	if (end->node->life != conn->life || !end->node->up) {
		conn->dead = true;
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_LOST, id, 1, 0);
		return;
	}
	if (conn_is_stuck(world, conn)) {
		/* The acceptor waits for a HELLO that never comes. */
		conn->dead = true;
		world_after(
		    world, CONNECT_TIMEOUT_NS, EVENT_DIAL_FAILED, id, 0, 0);
		return;
	}
	world_trace(world, end->node, "conn %u connected", id);
	end->node->edges[end->edge].dialling = false;
	edge_add(end, end->edge);
	end_open(end);
}

void
link_dial_failed(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[0];

	if (end->node->life != conn->life || !end->node->up)
		return;
	world_trace(world, end->node, "conn %u: dial failed", id);
	end->node->edges[end->edge].dialling = false;
	link_consider(end->node, end->edge);
}
