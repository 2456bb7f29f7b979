/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connections under the driver of a node's links: they are dialled,
 * accepted, written to and lost. The driver itself is the server's.
 */
#include <stdlib.h>

#include "core/session_exchange.h"
#include "sim/drive.h"
#include "sim/sim.h"

#define CONNECT_TIMEOUT_NS (1 * SIM_S)
#define WAKE_MAX_NS (200 * SIM_US)

static struct end *
end_of(struct link_conn *link)
{
	return (struct end *)link;
}

static struct node_edge *
edge_of(struct link *link)
{
	return (struct node_edge *)link;
}

/* --- what an end has to do ------------------------------------------------ */

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
on_arm(void *arg, struct link_conn *link, bool wants_room)
{
	struct end *end = end_of(link);
	struct world *world = end->world;
	uint64_t at = link_conn_deadline(link).ns;

	(void)arg;
	if (at < world->now)
		at = world->now;
	if (at < end->tick_at) {
		end->tick_at = at;
		world_after(world, at - world->now, EVENT_TICK, end->conn,
		    end->side, 0);
	}
	if (!link->has_session)
		return;
	end->wants_room = wants_room;
	if (wants_room && pipe_room(world, world->conns[end->conn], end->side))
		on_wake(end);
	if (session_has_work(&link->session) && !end->work_due) {
		end->work_due = true;
		world_after(world,
		    random_below(&world->random, world->plan.work_ns),
		    EVENT_WORK, end->conn, end->side, 0);
	}
}

/* --- an end's life ------------------------------------------------------- */

static void
end_open(struct end *end)
{
	struct world *world = end->world;

	end->open = true;
	end->crossings =
	    sim_alloc(world->plan.clients, sizeof(*end->crossings));
	for (unsigned i = 0; i < world->plan.clients; i++)
		end->crossings[i].version = SIM_NONE;
	end->snapshot = sim_alloc(world->plan.clients, sizeof(uint32_t));
	link_conn_begin(&end->link, world_mono(world));
	end_pump(end);
}

/* Nodes of a herd refuse each other only when an operator told them to. */
static void
end_check_reason(struct end *end, enum session_reason reason, const char *error)
{
	bool is_ordered = reason == BYE_DISABLED ||
			  (reason == BYE_NOT_CONFIGURED &&
			      (end->world->plan.removals || end->link.knocks));

	if (reason == BYE_BAD_LINE || reason == BYE_MEMORY ||
	    (session_reason_is_refusal(reason) && !is_ordered))
		world_fail(end->world, "%s ends session with %s: %s %s",
		    end->node->name, end->link.session.peer,
		    session_reason_word(reason), error);
}

/* The socket is closed: its session and what was not sent are gone. */
static void
on_close(void *arg, struct link_conn *link, enum session_reason reason,
    const char *error)
{
	struct end *end = end_of(link);
	struct world *world = end->world;
	struct conn *conn = world->conns[end->conn];

	(void)arg;
	world_trace(world, end->node, "conn %u closed: %s", end->conn, error);
	if (end->open)
		end_check_reason(end, reason, error);
	link_conn_release(link);
	conn->pipes[end->side].fin = end->open && !end->dies;
	/* A dial that was given up: no socket is there when it arrives. */
	if (!end->open && end->side == 0)
		conn->given_up = true;
	end->open = false;
	end->closed = true;
	pipe_resume(world, end->conn);
}

static enum link_written
on_write(void *arg, struct link_conn *link, struct span data, size_t *len,
    const char **error)
{
	struct end *end = end_of(link);
	struct world *world = end->world;

	(void)arg;
	(void)error;
	/* Whole lines are added after the rest of the last ones. */
	if (data.len > end->tapped)
		oracle_tap(end,
		    span_of(data.data + end->tapped, data.len - end->tapped));
	*len = pipe_write(
	    world, world->conns[end->conn], end->side, data.data, data.len);
	end->tapped = data.len - *len;
	return *len > 0 ? LINK_WRITTEN : LINK_FULL;
}

void
end_lost(struct end *end, const char *why)
{
	struct world *world = end->world;

	if (!end->open)
		return;
	session_lost(&end->link.session, why);
	end_pump(end);
	oracle_observe(&world->nodes[end->node->number]);
}

void
end_kill(struct end *end, enum end_death death)
{
	struct world *world = end->world;
	struct conn *conn = world->conns[end->conn];

	conn->dead = conn->dead || death != DEATH_FIN;
	end->dies = true;
	if (death == DEATH_FIN)
		conn->pipes[end->side].fin = true;
	end->open = false;
	end->closed = true;
	link_conn_release(&end->link);
	if (death == DEATH_RESET)
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_LOST, end->conn, 1 - end->side, 0);
	pipe_resume(world, end->conn);
}

/* --- input and output ---------------------------------------------------- */

/* While a HELLO is held nothing is read, as from a socket. */
static void
feed_some(struct end *end, struct span data)
{
	struct world *world = end->world;
	struct session *session = &end->link.session;

	while (data.len > 0 && session->state != SESSION_CLOSED) {
		size_t part = data.len;

		if (random_percent(&world->random, 20))
			part = 1 + random_below(&world->random, data.len);
		session_feed(session, span_of(data.data, part),
		    world_mono(world), node_clock(end->node));
		data.data += part;
		data.len -= part;
		oracle_observe_end(end);
	}
}

void
end_feed(struct end *end, struct span data)
{
	end->busy = true;
	feed_some(end, data);
	end->busy = false;
}

/* A debt must wait for something. */
static void
check_not_forgotten(const struct end *end)
{
	const struct session *session = &end->link.session;

	if (end->wants_room || end->wake_due || !session->outbox.attached ||
	    outbox_is_empty(&session->outbox) ||
	    (session->flush_at.ns != 0 && end->tick_at <= session->flush_at.ns))
		return;
	world_fail(end->world, "%s owes %s and waits for nothing",
	    end->node->name, session->peer);
}

void
host_check_debts(const struct node *node)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link *link = node->driver.links[i];

		if (link != NULL && link->conn != NULL &&
		    link->conn->has_session)
			check_not_forgotten((const struct end *)link->conn);
	}
}

void
end_pump(struct end *end)
{
	struct world *world = end->world;
	bool lives;

	end->busy = true;
	lives = link_conn_settle(
	    &end->link, world_mono(world), node_clock(end->node));
	end->busy = false;
	if (!lives)
		return;
	oracle_observe_end(end);
	check_not_forgotten(end);
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
	while (slices-- > 1 && session_work(&end->link.session))
		;
	link_conn_work(
	    &end->link, world_mono(end->world), node_clock(end->node));
	end->busy = false;
	if (end->open)
		oracle_observe_end(end);
}

void
end_on_tick(struct end *end)
{
	struct world *world = end->world;

	if (!end->open || end->tick_at > world->now)
		return;
	end->tick_at = UINT64_MAX;
	end->busy = true;
	link_conn_on_time(&end->link, world_mono(world), node_clock(end->node));
	end->busy = false;
	if (!end->open)
		return;
	if (session_deadline(&end->link.session).ns <= world->now)
		world_fail(world, "%s: a tick leaves its deadline in the past",
		    end->node->name);
	oracle_observe_end(end);
}

/* --- dialling ------------------------------------------------------------ */

static struct conn *
conn_new(struct world *world, struct node *from, const struct node_edge *edge)
{
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
		end->tick_at = UINT64_MAX;
		buf_init(&conn->pipes[side].bytes, 8u << 20);
	}
	world->conns[world->conn_count++] = conn;
	return conn;
}

void
host_dial(struct node *node, struct link *link)
{
	struct world *world = node->world;
	const struct node_edge *edge = edge_of(link);
	struct conn *conn = conn_new(world, node, edge);
	unsigned id = conn->ends[0].conn;

	world_trace(world, node, "conn %u %s %s", id,
	    link->dials ? "dials" : "knocks at", link->peer);
	link_conn_init(
	    &conn->ends[0].link, &node->driver, link, world_mono(world));
	if (conn_is_stuck(world, conn))
		world_after(
		    world, CONNECT_TIMEOUT_NS, EVENT_DIAL_FAILED, id, 0, 0);
	else
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_ACCEPT, id, 0, 0);
}

static void
on_dial(void *arg, struct link *link)
{
	host_dial(arg, link);
}

void
host_accept(struct world *world, unsigned id)
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
	conn->acceptor_life = end->node->life;
	/* A stopped process accepts, but does not serve. */
	world_after(world,
	    end->node->frozen_until > world->now
		? end->node->frozen_until - world->now
		: 0,
	    EVENT_SERVE, id, 0, 0);
}

void
host_serve(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[1];

	if (!end->node->up || end->node->life != conn->acceptor_life) {
		/* The dialler is gone before it was served: its system resets.
		 */
		conn->dead = true;
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_LOST, id, 0, 0);
		return;
	}
	link_conn_init(&end->link, &end->node->driver, NULL, world_mono(world));
	end_open(end);
}

void
host_connected(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[0];

	if (end->node->life != conn->life || !end->node->up || conn->given_up) {
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
	end_open(end);
}

void
host_dial_failed(struct world *world, unsigned id)
{
	struct conn *conn = world->conns[id];
	struct end *end = &conn->ends[0];

	if (end->node->life != conn->life || !end->node->up || conn->given_up)
		return;
	world_trace(world, end->node, "conn %u: dial failed", id);
	link_conn_fail(&end->link, BYE_NONE, "dial failed", world_mono(world),
	    node_clock(end->node));
}

/* --- the driver's other actions ------------------------------------------ */

static void
on_cancel(void *arg, struct link *link)
{
	(void)arg; /* a dial always has its connection at once */
	(void)link;
}

static bool
on_dial_next(void *arg, struct link *link, const struct link_conn *conn,
    const char *error)
{
	(void)arg;
	(void)link;
	(void)conn;
	(void)error;
	return false;
}

static void
on_arm_link(void *arg, struct link *link)
{
	struct node *node = arg;
	struct world *world = node->world;
	struct node_edge *edge = edge_of(link);
	uint64_t at = link_deadline(link).ns;

	if (at == UINT64_MAX) {
		edge->due_at = UINT64_MAX;
		return;
	}
	if (at < world->now)
		at = world->now;
	if (at == edge->due_at)
		return;
	edge->due_at = at;
	world_after(world, at - world->now, EVENT_LINK, node->number,
	    (unsigned)(edge - node->edges), node->life);
}

void
host_on_link(struct node *node, unsigned number)
{
	struct node_edge *edge = &node->edges[number];

	if (edge->due_at > node->world->now)
		return;
	edge->due_at = UINT64_MAX;
	link_on_time(&edge->link, world_mono(node->world), node_clock(node));
}

static void
on_changed(void *arg, struct link *link)
{
	struct node *node = arg;

	world_trace(node->world, node, "link to %s is %s", link->peer,
	    link_state_word(link->state));
}

static void
on_tell(void *arg, struct link *link, enum link_notice notice,
    enum session_reason reason, const char *error, const char *next)
{
	struct node *node = arg;

	(void)reason;
	(void)next;
	if (notice == LINK_NOTICE_TWIN)
		world_fail(node->world, "%s takes %s for a twin: %s",
		    node->name, link->peer, error);
}

static uint64_t
on_random(void *arg)
{
	struct node *node = arg;

	return random_next(&node->world->random);
}

static const struct link_actions ACTIONS = {
	.dial = on_dial,
	.cancel = on_cancel,
	.dial_next = on_dial_next,
	.write = on_write,
	.arm = on_arm,
	.close = on_close,
	.arm_link = on_arm_link,
	.changed = on_changed,
	.tell = on_tell,
	.random = on_random,
};

void
host_open(struct node *node)
{
	const struct plan *plan = &node->world->plan;

	node->driver = (struct link_driver){ .actions = &ACTIONS,
		.arg = node,
		.wake = on_wake,
		.sessions = &node->shared,
		.redial_max_ns = plan->redial_max_ns,
		.rest_after_ns = plan->rest_after_ns };
	for (unsigned i = 0; i < node->edge_count; i++)
		node->edges[i].used = node->edges[i].edge != node->missing;
	flood_read_file(node);
	for (unsigned i = 0; i < node->edge_count; i++) {
		if (node->edges[i].used)
			host_add_link(node, i);
	}
	flood_begin(node);
}

void
host_add_link(struct node *node, unsigned number)
{
	struct world *world = node->world;
	struct node_edge *edge = &node->edges[number];

	memset(&edge->link, 0, sizeof(edge->link));
	edge->link.number = number;
	edge->link.dials = edge->dials;
	edge->due_at = UINT64_MAX;
	edge->used = true;
	memcpy(edge->link.peer, world->nodes[edge->peer].name,
	    sizeof(world->nodes[edge->peer].name));
	if (link_add(&node->driver, &edge->link, world_mono(world),
		node_clock(node)) != HERD_OK)
		abort();
}

void
host_remove_link(struct node *node, unsigned number)
{
	struct node_edge *edge = &node->edges[number];

	edge->used = false;
	flood_read_file(node);
	link_remove(&edge->link, world_mono(node->world), node_clock(node));
	flood_begin(node);
}

void
host_add_again(struct node *node, unsigned number)
{
	node->edges[number].used = true;
	flood_read_file(node);
	host_add_link(node, number);
	flood_begin(node);
}
