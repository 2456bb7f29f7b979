/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A node's life, and the clients that speak to it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mutant.h"
#include "core/session_hello.h"
#include "sim/sim.h"

#define SWEEP_EVERY_NS (300 * SIM_MS)
#define JUDGE_EVERY_NS (500 * SIM_MS)
#define MAX_LINE 65536u

void
node_init(struct node *node, struct world *world, unsigned number)
{
	const struct plan *plan = &world->plan;
	uint64_t spread = (uint64_t)plan->clock_spread_ms * SIM_MS;

	node->world = world;
	node->number = number;
	node->sparse = plan->sparse;
	node->missing = SIM_NONE;
	snprintf(node->name, sizeof(node->name), "N%04u", number);
	if (spread > 0)
		node->clock_ns =
		    (int64_t)random_below(&world->random, 2 * spread + 1) -
		    (int64_t)spread;
	node->held = sim_alloc(plan->clients, sizeof(*node->held));
	for (unsigned i = 0; i < plan->edge_count; i++) {
		if (plan->edges[i].a == number || plan->edges[i].b == number)
			node->edge_count++;
	}
	node->edges = sim_alloc(node->edge_count, sizeof(*node->edges));
	node->edge_count = 0;
	for (unsigned i = 0; i < plan->edge_count; i++) {
		const struct sim_edge *edge = &plan->edges[i];

		if (edge->a != number && edge->b != number)
			continue;
		node->edges[node->edge_count++] = (struct node_edge){ .edge = i,
			.peer = edge->a == number ? edge->b : edge->a,
			.dials = edge->a == number };
	}
	store_init(&node->store, world);
}

static void
node_free_table(struct node *node)
{
	outbox_detach(&node->watcher);
	mutant_release(node->table);
	table_free(node->table);
	roster_release(&node->roster);
	node->table = NULL;
}

void
node_release(struct node *node)
{
	if (node->up) {
		store_stop(node, false);
		node_free_table(node);
	}
	store_release(&node->store);
	free(node->edges);
	free(node->held);
}

struct wall
node_clock(const struct node *node)
{
	return (struct wall){ SIM_WALL_BASE_S * SIM_S + node->world->now +
			      (uint64_t)(node->clock_ns + node->step_ns) };
}

struct wall
node_judged(const struct node *node)
{
	return timekeeper_wall(&node->timekeeper, world_mono(node->world));
}

static struct wall
node_expiry(const struct node *node)
{
	return timekeeper_expiry(&node->timekeeper, world_mono(node->world));
}

void
node_set_clock(struct node *node, int64_t step_ns)
{
	if (step_ns > node->step_ns)
		node->set_at = node->world->now;
	node->step_ns = step_ns;
}

/* What was set and set right again before it looks is nothing to it. */
static void
note_step(struct node *node)
{
	if (node->step_ns > node->seen_step_ns)
		node->doubtful_at = node->set_at;
	node->seen_step_ns = node->step_ns;
}

void
node_judge_clock(struct node *node)
{
	struct world *world = node->world;
	struct timekeeper_news news;

	note_step(node);
	news = link_judge_clock(&node->driver, &node->timekeeper,
	    world_mono(world), node_clock(node));
	if (news.step_ns != 0 || news.changed)
		world_trace(world, node, "clock %s, ahead by %.3f s",
		    timekeeper_state_word(atomic_load(&node->timekeeper.state)),
		    (double)atomic_load(&node->timekeeper.ahead_ns) / 1e9);
	oracle_note_clock(node);
	world_after(world, random_below(&world->random, JUDGE_EVERY_NS),
	    EVENT_JUDGE, node->number, 0, node->life);
}

static void
on_watch(void *arg)
{
	(void)arg; /* the oracle looks after each event */
}

static void
node_share(struct node *node)
{
	const struct plan *plan = &node->world->plan;

	node->shared = (struct session_node){ .table = node->table,
		.board = &node->board,
		.timekeeper = &node->timekeeper,
		.roster = &node->roster,
		.herd = span_from("ucla"),
		.name = span_from(node->name),
		.params = session_params(
		    MAX_LINE, plan->max_clients, plan->expire_ns),
		.boot = random_next(&node->world->random) | 1,
		.lacks = plan_lacks(plan, node->number, node->life),
		.max_line = MAX_LINE,
		.expire_after_ns = plan->expire_ns,
		.ping_after_ns = plan->ping_ns,
		.dead_after_ns = plan->dead_ns,
		.stall_after_ns = plan->stall_ns,
		.verify_every_ns = plan->verify_ns,
		.flush_every_ns = plan->flush_ns };
}

void
node_start(struct node *node)
{
	struct world *world = node->world;
	const struct plan *plan = &world->plan;
	struct table_config config = { plan->max_clients, plan->expire_ns,
		{ random_next(&world->random), random_next(&world->random) } };

	if (node->up)
		return;
	world_trace(world, node, "starts");
	if (table_new(&config, &node->table) != HERD_OK)
		abort();
	/* Every other node is not in the herd file: its name is in records. */
	for (unsigned i = 0; i < plan->nodes; i += 2) {
		if (names_add(table_names(node->table),
			span_from(world->nodes[i].name)) != HERD_OK)
			abort();
	}
	node->up = true;
	node->frozen_until = 0;
	node->trusted_at = 0;
	node->judged_ns = 0;
	node->horizon_ns = 0;
	node->doubtful_at = world->now;
	node->seen_step_ns = node->step_ns;
	board_init(&node->board);
	timekeeper_init(&node->timekeeper, plan->expire_ns, world_mono(world),
	    node_clock(node));
	roster_init(&node->roster);
	node_share(node);
	outbox_init(&node->watcher, node->table, FROM_NOBODY, on_watch, node);
	if (outbox_attach(&node->watcher) != HERD_OK)
		abort();
	for (unsigned i = 0; i < plan->clients; i++)
		node->held[i] = SIM_NONE;
	store_start(node);
	oracle_observe(node);
	oracle_check_start(node);
	host_open(node);
	if (plan->expire_ns != 0)
		world_after(world, SWEEP_EVERY_NS, EVENT_SWEEP, node->number, 0,
		    node->life);
	world_after(world, random_below(&world->random, JUDGE_EVERY_NS),
	    EVENT_JUDGE, node->number, 0, node->life);
}

void
node_stop(struct node *node, enum end_death death, bool lose_disk)
{
	struct world *world = node->world;

	if (!node->up)
		return;
	world_trace(world, node, "stops%s", lose_disk ? ", disk lost" : "");
	node->up = false;
	node->life++;
	for (unsigned i = 0; i < world->conn_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			struct end *end = &world->conns[i]->ends[side];

			if (end->open && end->node == node)
				end_kill(end, death);
		}
	}
	store_stop(node, lose_disk);
	node_free_table(node);
}

void
node_sweep(struct node *node)
{
	struct world *world = node->world;
	unsigned slices = (unsigned)random_between(&world->random, 1, 128);

	/* The next time that we look, the clock may be doubtful. */
	oracle_note_clock(node);
	while (slices-- > 0) {
		if (!table_sweep(
			node->table, &node->sweep, 64, node_expiry(node))) {
			node->sweep = (struct table_cursor){ 0 };
			break;
		}
	}
	world_after(world, random_below(&world->random, SWEEP_EVERY_NS),
	    EVENT_SWEEP, node->number, 0, node->life);
}

/* --- clients ------------------------------------------------------------- */

static void
node_put(struct node *node, const struct report *report)
{
	struct world *world = node->world;
	struct put_info ticket = { 0, 0 };
	bool has_store = world->plan.store != SIM_STORE_NONE;
	enum put_result result;
	uint32_t version;

	version = oracle_note(world, report);
	result = table_put(node->table, report, FROM_CLIENT, node_expiry(node),
	    has_store ? &node->store.outbox : NULL, &ticket);
	world_trace(world, node, "client: %s %.*s v%u result %d",
	    report->kind == REPORT_REMOVAL ? "forget" : "IAMAT",
	    SPAN_ARG(report->client), version, (int)result);
	oracle_observe(node);
	host_check_debts(node);
	if (has_store)
		store_answer(node, result, &ticket, version);
}

void
node_report(struct node *node, unsigned client, uint64_t time_ns)
{
	struct world *world = node->world;
	struct sim_client *who = &world->oracle.clients[client];
	char time[TIME_FORMAT_MAX];
	char skew[SKEW_FORMAT_MAX];
	char place[48];
	size_t time_len = time_format(time_ns, time);
	size_t skew_len = skew_format(node_judged(node).ns, time_ns, skew);
	struct report report = { .client = span_from(who->id),
		.skew = span_of(skew, skew_len),
		.origin = span_from(node->name),
		.time_ns = time_ns,
		.kind = REPORT_POSITION };

	if (world->plan.max_ahead_ns != 0 &&
	    time_ns > node_judged(node).ns + world->plan.max_ahead_ns)
		return;
	/* The same value in other digits is another report. */
	while (time_len > 11 && time[time_len - 1] == '0' &&
	       random_percent(&world->random, 80))
		time_len--;
	if (time[time_len - 1] == '.')
		time_len--;
	report.time = span_of(time, time_len);
	snprintf(place, sizeof(place), "+%u.%06u-118.445127",
	    (unsigned)random_below(&world->random, 90),
	    (unsigned)random_below(&world->random, 1000000));
	report.location = span_from(place);
	if (time_ns > who->last_time_ns)
		who->last_time_ns = time_ns;
	node_put(node, &report);
}

void
node_forget(struct node *node, unsigned client)
{
	struct world *world = node->world;
	struct sim_client *who = &world->oracle.clients[client];
	struct record held;
	struct report report = { .client = span_from(who->id),
		.location = span_of("", 0),
		.skew = span_of("", 0),
		.origin = span_from(node->name),
		.kind = REPORT_REMOVAL };

	record_init(&held);
	if (table_get(node->table, report.client, &held) == HERD_OK) {
		report.time_ns = held.report.time_ns;
		report.time = held.report.time;
		node_put(node, &report);
	}
	record_release(&held);
}

/* Some are about as old as expire_after. */
static uint64_t
draw_old_time(struct world *world, uint64_t now)
{
	uint64_t expire = world->plan.expire_ns;

	if (expire != 0 && random_percent(&world->random, 50))
		return now - expire +
		       random_below(&world->random,
			   expire < 40 * SIM_S ? expire : 40 * SIM_S);
	return now - random_below(&world->random, 300 * SIM_S);
}

uint64_t
world_draw_time(struct world *world, unsigned client)
{
	const struct plan *plan = &world->plan;
	struct random *random = &world->random;
	uint64_t now = SIM_WALL_BASE_S * SIM_S + world->now;

	if (random_percent(random, plan->tie_percent)) {
		unsigned like =
		    random_percent(random, 50)
			? client
			: (unsigned)random_below(random, plan->clients);

		if (world->oracle.clients[like].last_time_ns != 0)
			return world->oracle.clients[like].last_time_ns;
	}
	if (random_percent(random, plan->old_percent))
		return draw_old_time(world, now);
	if (plan->max_ahead_ns != 0 && random_percent(random, 30))
		return now + random_below(random, plan->max_ahead_ns * 5 / 4);
	if (random_percent(random, 20))
		return now / SIM_S * SIM_S;
	return now - random_below(random, 200 * SIM_MS);
}

static void
draw_input(struct node *node)
{
	struct world *world = node->world;
	unsigned client =
	    (unsigned)random_below(&world->random, world->plan.clients);

	if (random_percent(&world->random, world->plan.forget_percent))
		node_forget(node, client);
	else
		node_report(node, client, world_draw_time(world, client));
}

void
world_input(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];
	unsigned burst = 1;

	if (world->plan.burst > 1)
		burst +=
		    (unsigned)random_below(&world->random, world->plan.burst);
	while (node->up && burst-- > 0)
		draw_input(node);
}
