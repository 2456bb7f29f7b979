/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual time: a queue of events, and what handles each. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

void *
sim_alloc(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size);

	if (memory == NULL) {
		fputs("sim: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *
sim_grow(void *old, size_t count, size_t size)
{
	void *memory = realloc(old, count * size);

	if (memory == NULL) {
		fputs("sim: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void
world_fail(struct world *world, const char *fmt, ...)
{
	va_list args;

	if (world->failed)
		return;
	world->failed = true;
	va_start(args, fmt);
	vsnprintf(world->failure, sizeof(world->failure), fmt, args);
	va_end(args);
	world_trace(world, NULL, "FAILED: %s", world->failure);
}

void
world_trace(
    const struct world *world, const struct node *node, const char *fmt, ...)
{
	va_list args;

	if (!world->trace)
		return;
	printf("%12.6f %-8s ", (double)(world->now - SIM_START_NS) / 1e9,
	    node == NULL ? "-" : node->name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* --- the queue: a heap by (time, order) ---------------------------------- */

static bool
event_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void
world_after(struct world *world, uint64_t delay_ns, enum event_kind kind,
    unsigned who, unsigned what, unsigned life)
{
	struct event_queue *queue = &world->queue;
	struct event event = { world->now + delay_ns, queue->scheduled++, kind,
		who, what, life };
	size_t at = queue->count++;

	if (queue->count > queue->size) {
		queue->size = queue->size == 0 ? 256 : queue->size * 2;
		queue->heap =
		    sim_grow(queue->heap, queue->size, sizeof(*queue->heap));
	}
	while (at > 0 && event_before(&event, &queue->heap[(at - 1) / 2])) {
		queue->heap[at] = queue->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	queue->heap[at] = event;
}

static struct event
queue_pop(struct event_queue *queue)
{
	struct event first = queue->heap[0];
	struct event last = queue->heap[--queue->count];
	size_t at = 0;

	for (;;) {
		size_t child = at * 2 + 1;

		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
		    event_before(&queue->heap[child + 1], &queue->heap[child]))
			child++;
		if (!event_before(&queue->heap[child], &last))
			break;
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	if (queue->count > 0)
		queue->heap[at] = last;
	return first;
}

/* --- handling ------------------------------------------------------------ */

static void
handle_end(struct world *world, const struct event *event)
{
	struct end *end = &world->conns[event->who]->ends[event->what];

	if (event->kind == EVENT_LOST)
		end_lost(end, "connection reset");
	else if (event->kind == EVENT_WAKE)
		end_on_wake(end);
	else if (event->kind == EVENT_WORK)
		end_on_work(end);
	else
		end_on_tick(end);
}

/* What does not end with a life of the node. */
static bool
handle_file(struct node *node, const struct event *event)
{
	bool calm = node->world->calm;

	if (event->kind == EVENT_CLOCK)
		fault_set_right(node);
	else if (event->kind == EVENT_RELOAD && !calm)
		flood_reload(node, event->what);
	else if (event->kind == EVENT_SPARSE)
		flood_switch(node, true);
	return event->kind == EVENT_CLOCK || event->kind == EVENT_RELOAD ||
	       event->kind == EVENT_SPARSE;
}

static void
handle_node(struct world *world, const struct event *event)
{
	struct node *node = &world->nodes[event->who];

	if (handle_file(node, event) || event->life != node->life)
		return;
	if (event->kind == EVENT_LINK)
		host_on_link(node, event->what);
	else if (event->kind == EVENT_ENABLE)
		fault_enable(node, event->what);
	else if (event->kind == EVENT_ADD)
		fault_add(node, event->what);
	else if (event->kind == EVENT_STORE)
		store_step(node);
	else if (event->kind == EVENT_SWEEP)
		node_sweep(node);
	else if (event->kind == EVENT_JUDGE)
		node_judge_clock(node);
	else if (event->kind == EVENT_CRASH)
		fault_crash_node(node, false);
	else
		node_start(node);
}

/* The node that has to do something for the event; NULL: the world itself. */
static struct node *
node_of(struct world *world, const struct event *event)
{
	switch (event->kind) {
	case EVENT_CONNECTED:
	case EVENT_DIAL_FAILED: return world->conns[event->who]->ends[0].node;
	case EVENT_DELIVER:
	case EVENT_LOST:
	case EVENT_WAKE:
	case EVENT_WORK:
	case EVENT_TICK:
		return world->conns[event->who]->ends[event->what].node;
	case EVENT_LINK:
	case EVENT_STORE:
	case EVENT_SWEEP:
	case EVENT_JUDGE: return &world->nodes[event->who];
	case EVENT_ACCEPT:
	case EVENT_SERVE:
	case EVENT_START:
	case EVENT_CRASH:
	case EVENT_ENABLE:
	case EVENT_ADD:
	case EVENT_CLOCK:
	case EVENT_RELOAD:
	case EVENT_SPARSE:
	case EVENT_INPUT:
	case EVENT_FAULT:
	case EVENT_UNBLOCK: break;
	}
	return NULL;
}

/* A stopped process handles its events when it goes on. */
static bool
is_frozen(struct world *world, const struct event *event)
{
	const struct node *node = node_of(world, event);

	if (node == NULL || node->frozen_until <= event->at)
		return false;
	world_after(world, node->frozen_until - world->now, event->kind,
	    event->who, event->what, event->life);
	return true;
}

static void
handle(struct world *world, const struct event *event)
{
	world->now = event->at;
	world->events++;
	if (is_frozen(world, event))
		return;
	switch (event->kind) {
	case EVENT_ACCEPT: host_accept(world, event->who); break;
	case EVENT_SERVE: host_serve(world, event->who); break;
	case EVENT_CONNECTED: host_connected(world, event->who); break;
	case EVENT_DIAL_FAILED: host_dial_failed(world, event->who); break;
	case EVENT_DELIVER: pipe_deliver(world, event->who, event->what); break;
	case EVENT_LOST:
	case EVENT_WAKE:
	case EVENT_WORK:
	case EVENT_TICK: handle_end(world, event); break;
	case EVENT_LINK:
	case EVENT_ENABLE:
	case EVENT_ADD:
	case EVENT_STORE:
	case EVENT_SWEEP:
	case EVENT_JUDGE:
	case EVENT_CLOCK:
	case EVENT_RELOAD:
	case EVENT_SPARSE:
	case EVENT_CRASH:
	case EVENT_START: handle_node(world, event); break;
	case EVENT_INPUT: world_input(world); break;
	case EVENT_FAULT: fault_happen(world); break;
	case EVENT_UNBLOCK: fault_unblock(world, event->who); break;
	}
}

void
world_run_for(struct world *world, uint64_t ns)
{
	struct event_queue *queue = &world->queue;
	uint64_t until = world->now + ns;

	while (
	    !world->failed && queue->count > 0 && queue->heap[0].at <= until) {
		struct event event = queue_pop(queue);

		handle(world, &event);
	}
	if (!world->failed)
		world->now = until;
}

/* --- life ---------------------------------------------------------------- */

void
world_open(struct world *world, uint64_t seed, bool trace)
{
	memset(world, 0, sizeof(*world));
	world->seed = seed;
	world->random.state = seed * UINT64_C(0x2545f4914f6cdd1d);
	world->now = SIM_START_NS;
	world->gone = SIM_NONE;
	world->trace = trace;
}

void
world_build(struct world *world)
{
	world->blocked =
	    sim_alloc(world->plan.edge_count, sizeof(*world->blocked));
	world->nodes = sim_alloc(world->plan.nodes, sizeof(*world->nodes));
	oracle_init(world);
	database_init(world);
	for (unsigned i = 0; i < world->plan.nodes; i++)
		node_init(&world->nodes[i], world, i);
}

static void
conn_release(struct conn *conn)
{
	for (unsigned side = 0; side < 2; side++) {
		struct end *end = &conn->ends[side];

		if (!end->closed)
			link_conn_release(&end->link);
		free(end->snapshot);
		free(end->crossings);
		pipe_release(&conn->pipes[side]);
	}
	free(conn);
}

void
world_release(struct world *world)
{
	for (unsigned i = 0; i < world->conn_count; i++)
		conn_release(world->conns[i]);
	free(world->conns);
	for (unsigned i = 0; i < world->plan.nodes; i++)
		node_release(&world->nodes[i]);
	free(world->nodes);
	free(world->blocked);
	eager_release(&world->eager[0]);
	eager_release(&world->eager[1]);
	free(world->queue.heap);
	database_release(world);
	oracle_release(world);
	plan_release(&world->plan);
}
