/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network: bytes are late, stop or get lost, but keep their order. */
#include <stdlib.h>

#include "sim/sim.h"

#define PIPE_MAX (8u << 20)
/* On a slow link bytes arrive in portions of about a packet. */
#define PACKET 1400u

static void
pipe_schedule(struct world *world, unsigned number, unsigned to)
{
	struct conn *conn = world->conns[number];
	struct pipe *pipe = &conn->pipes[1 - to];
	uint64_t at;

	if (pipe->scheduled || conn_is_stuck(world, conn) ||
	    (pipe->count == 0 && !pipe->fin))
		return;
	if (pipe->count > 0)
		at = pipe->segments[pipe->head].at;
	else
		at = pipe->last_at;
	pipe->scheduled = true;
	world_after(world, at > world->now ? at - world->now : 0, EVENT_DELIVER,
	    number, to, 0);
}

static void
pipe_add_segment(struct pipe *pipe, uint64_t at, size_t len)
{
	if (pipe->head + pipe->count == pipe->size) {
		if (pipe->head > 0)
			memmove(pipe->segments, pipe->segments + pipe->head,
			    pipe->count * sizeof(*pipe->segments));
		pipe->head = 0;
		if (pipe->count == pipe->size) {
			pipe->size = pipe->size == 0 ? 16 : pipe->size * 2;
			pipe->segments = sim_grow(pipe->segments, pipe->size,
			    sizeof(*pipe->segments));
		}
	}
	pipe->segments[pipe->head + pipe->count++] =
	    (struct segment){ at, len };
}

static uint64_t
draw_jitter(struct world *world, const struct sim_edge *edge)
{
	return edge->jitter_ns == 0
		   ? 0
		   : random_below(&world->random, edge->jitter_ns);
}

bool
pipe_room(const struct world *world, const struct conn *conn, unsigned side)
{
	const struct pipe *pipe = &conn->pipes[side];

	return pipe->bytes.len + pipe->swallowed <
	       world->plan.edges[conn->edge].capacity;
}

size_t
pipe_write(struct world *world, struct conn *conn, unsigned side,
    const char *data, size_t len)
{
	const struct sim_edge *edge = &world->plan.edges[conn->edge];
	struct pipe *pipe = &conn->pipes[side];
	size_t used = pipe->bytes.len + pipe->swallowed;
	size_t room = used < edge->capacity ? edge->capacity - used : 0;
	size_t taken = len < room ? len : room;

	if (conn->dead) {
		pipe->swallowed += taken;
		return taken;
	}
	if (taken == 0 || buf_add(&pipe->bytes, data, taken) != HERD_OK)
		return 0;
	for (size_t left = taken; left > 0;) {
		size_t part = left;

		if (edge->rate != 0 && part > PACKET)
			part = PACKET;
		else if (random_percent(&world->random, 20))
			part = 1 + random_below(&world->random, left);
		if (pipe->busy_until < world->now)
			pipe->busy_until = world->now;
		if (edge->rate != 0)
			pipe->busy_until += part * SIM_S / edge->rate;
		if (pipe->last_at < pipe->busy_until + edge->latency_ns)
			pipe->last_at = pipe->busy_until + edge->latency_ns +
					draw_jitter(world, edge);
		pipe_add_segment(pipe, pipe->last_at, part);
		left -= part;
	}
	pipe_schedule(world, conn->ends[0].conn, 1 - side);
	return taken;
}

/* Takes out what has arrived by now. */
static size_t
pipe_arrived(struct world *world, struct pipe *pipe)
{
	size_t len = 0;

	while (pipe->count > 0 && pipe->segments[pipe->head].at <= world->now) {
		len += pipe->segments[pipe->head].len;
		pipe->head++;
		pipe->count--;
	}
	return len;
}

void
pipe_deliver(struct world *world, unsigned number, unsigned side)
{
	struct conn *conn = world->conns[number];
	struct pipe *pipe = &conn->pipes[1 - side];
	struct end *to = &conn->ends[side];
	struct end *from = &conn->ends[1 - side];
	size_t len;

	pipe->scheduled = false;
	if (conn_is_stuck(world, conn))
		return;
	len = pipe_arrived(world, pipe);
	if (to->open && len > 0)
		end_feed(to, span_of(buf_span(&pipe->bytes).data, len));
	buf_drain(&pipe->bytes, len);
	if (!to->open && len > 0 && from->open)
		world_after(world, world->plan.edges[conn->edge].latency_ns,
		    EVENT_LOST, number, 1 - side, 0);
	if (pipe->fin && pipe->count == 0) {
		pipe->fin = false;
		end_lost(to, "closed by the peer");
		return;
	}
	pipe_schedule(world, number, side);
	if (to->open)
		end_pump(to);
	if (to->open)
		link_conn_flush_early(
		    &to->node->driver, world_mono(world), node_clock(to->node));
	if (from->open && from->wants_room)
		end_pump(from);
}

void
pipe_resume(struct world *world, unsigned number)
{
	pipe_schedule(world, number, 0);
	pipe_schedule(world, number, 1);
}

void
pipe_hurry(struct world *world, unsigned number)
{
	struct conn *conn = world->conns[number];
	uint64_t soon = world->now + world->plan.edges[conn->edge].latency_ns;

	for (unsigned side = 0; side < 2; side++) {
		struct pipe *pipe = &conn->pipes[side];

		for (unsigned i = 0; i < pipe->count; i++) {
			struct segment *segment =
			    &pipe->segments[pipe->head + i];

			if (segment->at > soon)
				segment->at = soon;
		}
		if (pipe->last_at > soon)
			pipe->last_at = soon;
		pipe->busy_until = world->now;
		/* The scheduled delivery may come too late. */
		pipe->scheduled = false;
		pipe_schedule(world, number, 1 - side);
	}
}

bool
conn_is_stuck(const struct world *world, const struct conn *conn)
{
	return conn->dead || world->blocked[conn->edge] > 0;
}

void
pipe_release(struct pipe *pipe)
{
	buf_release(&pipe->bytes);
	free(pipe->segments);
}
