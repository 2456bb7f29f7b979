/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sparse flooding: the nodes' herd files, which may differ for a while, and the
 * stages in which links rest, nodes and eager links are lost, and links wake.
 */
#include <stdlib.h>

#include "core/link_flood.h"
#include "core/mutant.h"
#include "sim/sim.h"

#define WAKE_NS (2 * SIM_S)
#define BREAK_TRIES 20u

/* --- herd files ----------------------------------------------------------- */

/* The links that do not rest, but for one. */
static void
study_without(struct world *world, const bool *rests, unsigned one,
    struct graph_facts *out)
{
	const struct plan *plan = &world->plan;
	struct graph_edge *kept = sim_alloc(plan->edge_count, sizeof(*kept));
	unsigned count = 0;

	for (unsigned i = 0; i < plan->edge_count; i++) {
		if (!rests[i] && i != one)
			kept[count++] = (struct graph_edge){ plan->edges[i].a,
				plan->edges[i].b };
	}
	if (graph_study(plan->nodes, kept, count, out) != HERD_OK)
		abort();
	free(kept);
}

/* new-bridge: the parts stay. new-cut: and there are no new bridges. */
static void
mutant_thin(struct world *world, struct eager *out)
{
	bool *rests = out->rests;
	struct graph_facts before, after;

	out->count = 0;
	memset(rests, 0, world->plan.edge_count * sizeof(*rests));
	study_without(world, rests, SIM_NONE, &before);
	for (unsigned i = world->plan.edge_count; i-- > 0;) {
		study_without(world, rests, i, &after);
		rests[i] = after.parts == before.parts &&
			   (MUTANT(NEW_BRIDGE) ||
			       after.bridge_count == before.bridge_count);
		out->count += !rests[i];
		graph_facts_release(&after);
	}
	graph_facts_release(&before);
}

/* The eager links of a herd file that lacks that edge, or none. */
static void
find_eager(struct world *world, unsigned missing, struct eager *out)
{
	const struct plan *plan = &world->plan;
	const char **names = sim_alloc(plan->nodes, sizeof(*names));
	struct graph_edge *links = sim_alloc(plan->edge_count, sizeof(*links));
	unsigned count = 0;

	for (unsigned i = 0; i < plan->nodes; i++)
		names[i] = world->nodes[i].name;
	for (unsigned i = 0; i < plan->edge_count; i++) {
		if (i != missing)
			links[count++] = (struct graph_edge){ plan->edges[i].a,
				plan->edges[i].b };
	}
	if (eager_find(names, plan->nodes, links, count, out) != HERD_OK)
		abort();
	if (missing == SIM_NONE && (MUTANT(NEW_BRIDGE) || MUTANT(NEW_CUT)))
		mutant_thin(world, out);
	free(names);
	free(links);
}

/* A file lacks one edge at most: that of an operator, or of a rolling reload.
 */
static unsigned
missing_of(const struct node *node)
{
	for (unsigned i = 0; i < node->edge_count; i++) {
		if (!node->edges[i].used)
			return node->edges[i].edge;
	}
	return node->missing;
}

static const struct eager *
eager_of(struct world *world, unsigned missing)
{
	unsigned at = missing != SIM_NONE;

	if (world->eager[at].part == NULL ||
	    world->eager_missing[at] != missing) {
		eager_release(&world->eager[at]);
		find_eager(world, missing, &world->eager[at]);
		world->eager_missing[at] = missing;
	}
	return &world->eager[at];
}

bool
flood_is_eager(struct world *world, unsigned missing, unsigned edge)
{
	/* Edges after the missing one come one place earlier. */
	return edge != missing &&
	       !eager_of(world, missing)
		    ->rests[edge - (missing != SIM_NONE && edge > missing)];
}

void
flood_read_file(struct node *node)
{
	struct world *world = node->world;
	const struct eager *eager = eager_of(world, missing_of(node));
	roster_name *names = sim_alloc(world->plan.nodes, sizeof(*names));
	unsigned count = 0;

	for (unsigned i = 0; i < world->plan.nodes; i++) {
		if (eager->part[i] == eager->part[node->number])
			memcpy(names[count++], world->nodes[i].name,
			    sizeof(world->nodes[i].name));
	}
	if (link_flood_set(&node->driver, names, count, eager->hash) != HERD_OK)
		abort();
	free(names);
}

void
flood_begin(struct node *node)
{
	struct world *world = node->world;
	unsigned missing = missing_of(node);

	for (unsigned i = 0; i < node->edge_count; i++) {
		struct node_edge *edge = &node->edges[i];

		if (edge->used)
			link_set_eager(&edge->link,
			    flood_is_eager(world, missing, edge->edge),
			    world_mono(world));
	}
	link_flood_begin(&node->driver, node->sparse, world_mono(world));
}

/* The node's own link of that edge, SIM_NONE if it has none. */
static unsigned
own_link(const struct node *node, unsigned edge)
{
	for (unsigned i = 0; i < node->edge_count; i++) {
		if (node->edges[i].edge == edge)
			return i;
	}
	return SIM_NONE;
}

void
flood_reload(struct node *node, unsigned missing)
{
	unsigned old = own_link(node, node->missing);
	unsigned own = own_link(node, missing);

	/* A file lacks one link at most. */
	if (node->up && missing != SIM_NONE && missing_of(node) != SIM_NONE)
		return;
	node->missing = missing;
	if (!node->up)
		return;
	if (old != SIM_NONE && old != own)
		fault_add(node, old);
	if (own != SIM_NONE && node->edges[own].used)
		host_remove_link(node, own);
	flood_read_file(node);
	flood_begin(node);
}

void
flood_switch(struct node *node, bool sparse)
{
	node->sparse = sparse;
	if (node->up)
		flood_begin(node);
}

/* A herd file without a link, then the whole one, node by node. */
void
fault_roll(struct world *world)
{
	struct random *random = &world->random;
	unsigned edge = (unsigned)random_below(random, world->plan.edge_count);
	uint64_t spread = random_below(random, world->plan.fault_ns / 2);
	uint64_t later = random_below(random, world->plan.fault_ns / 2);

	if (!world->plan.removals || !world->plan.sparse)
		return;
	world_trace(world, NULL, "fault: edge %u leaves the files", edge);
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		uint64_t at = random_below(random, spread + 1);

		world_after(world, at, EVENT_RELOAD, i, edge, 0);
		world_after(world, at + 1 + random_below(random, later + 1),
		    EVENT_RELOAD, i, SIM_NONE, 0);
	}
}

void
fault_switch(struct world *world)
{
	struct node *node =
	    &world->nodes[random_below(&world->random, world->plan.nodes)];

	if (!world->plan.sparse)
		return;
	world_trace(world, node, "fault: floods on all links");
	flood_switch(node, false);
	world_after(world,
	    random_below(&world->random, world->plan.fault_ns / 2 + 1),
	    EVENT_SPARSE, node->number, 0, 0);
}

/* --- resting -------------------------------------------------------------- */

/* Must links rest, once nothing has happened for a while? */
static bool
will_rest(const struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct node *node = &world->nodes[i];

		if (!node->up || !node->sparse ||
		    (node->shared.lacks & SESSION_SPARSE) != 0)
			return false;
	}
	return true;
}

unsigned
flood_eager_count(struct world *world)
{
	return will_rest(world) ? (unsigned)eager_of(world, SIM_NONE)->count
				: world->plan.edge_count;
}

static bool
rests_as_it_must(struct world *world)
{
	bool rests = will_rest(world);

	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct node *node = &world->nodes[i];

		for (unsigned j = 0; j < node->edge_count; j++) {
			const struct node_edge *edge = &node->edges[j];
			bool must = rests && !flood_is_eager(
						 world, SIM_NONE, edge->edge);

			if (edge->link.conn == NULL ||
			    session_is_resting(&edge->link.conn->session) !=
				must)
				return false;
		}
	}
	return true;
}

void
stage_rest(struct world *world)
{
	/* Words cross the herd, and a wake may have begun just now. */
	world_run_for(world, world->plan.rest_after_ns + SIM_S);
	if (!world_wait(
		world, rests_as_it_must, WAKE_NS + flood_trip_ns(world)))
		world_fail(world, "links do not rest as they must");
}

/* From one end of the herd to the other. */
uint64_t
flood_trip_ns(struct world *world)
{
	uint64_t hop = 2 * LATENCY_CALM_NS + 3 * world->plan.flush_ns;

	return (eager_of(world, SIM_NONE)->diameter + 2) * hop;
}

/* --- losses --------------------------------------------------------------- */

/*
 * Numbers the parts that are left of the herd; a node that is down is alone.
 * With `eager` the eager links alone.
 */
static unsigned
find_parts(struct world *world, bool eager, size_t *part)
{
	const struct plan *plan = &world->plan;
	struct graph_edge *links = sim_alloc(plan->edge_count, sizeof(*links));
	unsigned count = 0;
	size_t parts;

	for (unsigned i = 0; i < plan->edge_count; i++) {
		const struct sim_edge *edge = &plan->edges[i];

		if (world->blocked[i] == 0 && i != world->gone &&
		    world->nodes[edge->a].up && world->nodes[edge->b].up &&
		    (!eager || flood_is_eager(world, SIM_NONE, i)))
			links[count++] =
			    (struct graph_edge){ edge->a, edge->b };
	}
	parts = graph_parts(plan->nodes, links, count, part);
	free(links);
	for (unsigned i = 0; i < plan->nodes; i++)
		parts -= !world->nodes[i].up;
	return (unsigned)parts;
}

unsigned
flood_count_parts(struct world *world, bool eager)
{
	size_t *part = sim_alloc(world->plan.nodes, sizeof(*part));
	unsigned count = find_parts(world, eager, part);

	free(part);
	return count;
}

unsigned
flood_reach(struct world *world, const struct node *node, unsigned client,
    unsigned *have)
{
	size_t *part = sim_alloc(world->plan.nodes, sizeof(*part));
	unsigned count = 0;

	*have = 0;
	(void)find_parts(world, false, part);
	for (unsigned i = 0; i < world->plan.nodes; i++) {
		const struct node *other = &world->nodes[i];

		if (!other->up || part[i] != part[node->number])
			continue;
		count++;
		*have += oracle_compare(world, other->held[client],
			     node->held[client]) >= 0;
	}
	free(part);
	return count;
}

static bool
has_spread(struct world *world, const struct node *node, unsigned client)
{
	unsigned have;

	return flood_reach(world, node, client, &have) == have;
}

void
flood_expect_spread(struct world *world, const struct node *node,
    unsigned client, uint64_t ns, const char *what)
{
	uint64_t until = world->now + ns;

	while (!world->failed && world->now < until &&
	       !has_spread(world, node, client))
		world_run_for(world, 10 * SIM_MS);
	if (!has_spread(world, node, client))
		world_fail(world, "%s: a report of %s does not reach all", what,
		    node->name);
}

struct node *
flood_draw_up(struct world *world)
{
	struct node *node;

	do {
		node = &world->nodes[random_below(
		    &world->random, world->plan.nodes)];
	} while (!node->up);
	return node;
}

unsigned
flood_report(struct node *node)
{
	struct world *world = node->world;
	unsigned client =
	    (unsigned)random_below(&world->random, world->plan.clients);
	uint64_t at = node_judged(node).ns;

	if (at <= world->oracle.clients[client].last_time_ns)
		at = world->oracle.clients[client].last_time_ns + 1;
	node_report(node, client, at);
	return client;
}

static void
start_again(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes; i++)
		node_start(&world->nodes[i]);
}

/* Parts into which the herd falls without the node. */
static unsigned
parts_without(struct world *world, struct node *node, bool eager)
{
	unsigned count;

	node->up = false;
	count = flood_count_parts(world, eager);
	node->up = true;
	return count;
}

/*
 * A node without which the eager links are in more parts than the herd. There
 * should be none: then any.
 */
static struct node *
find_critical(struct world *world)
{
	struct node *critical = flood_draw_up(world);

	for (unsigned i = 0; i < world->plan.nodes; i++) {
		struct node *node = &world->nodes[i];

		if (node->up && parts_without(world, node, true) >
				    parts_without(world, node, false))
			critical = node;
	}
	return critical;
}

/*
 * A node is gone and nobody has noticed: what is left of the eager links must
 * reach all that can be reached at all.
 */
static void
stage_crash(struct world *world)
{
	const struct plan *plan = &world->plan;
	uint64_t patience = plan->dead_ns - plan->ping_ns;
	struct node *node = find_critical(world);
	struct node *other;
	unsigned client;

	node_stop(node, DEATH_SILENT, plan->store == SIM_STORE_NONE);
	other = flood_draw_up(world);
	client = flood_report(other);
	if (patience > flood_trip_ns(world))
		flood_expect_spread(world, other, client, flood_trip_ns(world),
		    "right after a crash");
}

void
flood_lose_edge(struct world *world, unsigned edge)
{
	bool one_knows = random_percent(&world->random, 30);

	world->blocked[edge]++;
	for (unsigned i = 0; i < world->conn_count; i++) {
		struct conn *conn = world->conns[i];

		if (conn->edge != edge || !conn->ends[0].open ||
		    !conn->ends[1].open)
			continue;
		conn->dead = true;
		end_lost(&conn->ends[one_knows], "cut");
		if (!one_knows)
			end_lost(&conn->ends[1], "cut");
	}
}

/*
 * Several nodes and eager links are lost, and what is left hangs together only
 * by links that rested. They must wake.
 */
static void
break_herd(struct world *world)
{
	const struct plan *plan = &world->plan;
	size_t *part = sim_alloc(plan->nodes, sizeof(*part));
	unsigned crashes = plan->nodes < 6 ? 0 : 1 + plan->nodes / 20;

	for (unsigned i = 0; i < crashes; i++) {
		struct node *node = flood_draw_up(world);

		node_stop(node, DEATH_RESET, false);
		if (find_parts(world, false, part) > 1)
			node_start(node);
	}
	for (unsigned i = 0; i < BREAK_TRIES; i++) {
		unsigned edge =
		    (unsigned)random_below(&world->random, plan->edge_count);

		if (find_parts(world, true, part) > 1)
			break;
		if (world->blocked[edge] > 0 ||
		    !flood_is_eager(world, SIM_NONE, edge))
			continue;
		world->blocked[edge]++;
		if (find_parts(world, false, part) > 1) {
			world->blocked[edge]--;
			continue;
		}
		world->blocked[edge]--;
		flood_lose_edge(world, edge);
	}
	free(part);
}

static void
stage_wake(struct world *world)
{
	struct node *node;
	unsigned client;

	break_herd(world);
	node = flood_draw_up(world);
	client = flood_report(node);
	/* The loss is seen at once by one side; that has to do. */
	flood_expect_spread(world, node, client,
	    WAKE_NS + 8 * flood_trip_ns(world), "after losses");
	node = flood_draw_up(world);
	client = flood_report(node);
	flood_expect_spread(world, node, client, WAKE_NS + flood_trip_ns(world),
	    "on links that woke");
}

/* Everything is back: links rest again. */
static void
stage_mend(struct world *world)
{
	const struct plan *plan = &world->plan;

	for (unsigned i = 0; i < plan->edge_count; i++)
		fault_unblock(world, i);
	start_again(world);
	oracle_expect(world);
	if (!world_settle(world, plan->dead_ns + 4 * plan->redial_max_ns +
				     SESSION_HELLO_NS + 10 * SIM_S))
		world_fail(world, "not SYNCED after losses");
	oracle_check_equal(world);
	if (!world->failed)
		stage_rest(world);
}

bool
stage_losses(struct world *world)
{
	bool mends = true;

	/* A full table may refuse the report, and an old one is not compared.
	 */
	if (world->plan.max_clients != 0 ||
	    (world->plan.expire_ns != 0 &&
		world->plan.expire_ns < 30 * SIM_S) ||
	    !will_rest(world) ||
	    flood_eager_count(world) == world->plan.edge_count)
		return false;
	if (random_percent(&world->random, 25))
		mends = stage_unrest(world);
	else if (random_percent(&world->random, 50))
		stage_crash(world);
	else
		stage_wake(world);
	if (!world->failed && mends)
		stage_mend(world);
	return true;
}
