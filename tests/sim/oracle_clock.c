/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold of the nodes' clocks. */
#include "sim/sim.h"

static bool
is_near(uint64_t a, uint64_t b, uint64_t most)
{
	return (a > b ? a - b : b - a) <= most;
}

/* May it let reports expire? Without a majority only after the wait. */
static bool
is_trusted(const struct node *node, uint64_t offset)
{
	const struct timekeeper *timekeeper = &node->timekeeper;

	switch ((enum timekeeper_state)atomic_load(&timekeeper->state)) {
	case TIME_WAITING: return false;
	case TIME_ALONE:
		return offset <= node->judged_ns + TIMEKEEPER_STEP_NS ||
		       node->world->now - node->doubtful_at >=
			   timekeeper->hold_ns;
	case TIME_BACKED:
	case TIME_OVERRULED: break;
	}
	return true;
}

void
oracle_note_clock(struct node *node)
{
	const struct world *world = node->world;
	struct oracle *oracle = &node->world->oracle;
	const struct timekeeper *timekeeper = &node->timekeeper;
	uint64_t expire = world->plan.expire_ns;
	uint64_t judged = node_judged(node).ns;
	uint64_t offset = judged - world->now;

	if (expire == 0)
		return;
	if (!is_trusted(node, offset)) {
		node->trusted_at = 0;
		return;
	}
	if (node->trusted_at == 0 ||
	    !is_near(offset, node->judged_ns, TIMEKEEPER_STEP_NS))
		node->trusted_at = world->now;
	node->judged_ns = offset;
	if (judged - expire > node->horizon_ns)
		node->horizon_ns = judged - expire;
	if (judged - expire > oracle->horizon_ns)
		oracle->horizon_ns = judged - expire;
	if (world->now - node->trusted_at >= timekeeper->hold_ns &&
	    judged - expire > oracle->disk_horizon_ns)
		oracle->disk_horizon_ns = judged - expire;
}

/* The wall clocks that a node can see: its own, and over SYNCED links. */
static unsigned
clocks_of(const struct node *node, uint64_t *clocks)
{
	unsigned count = 0;

	clocks[count++] = node_clock(node).ns;
	for (unsigned i = 0; i < node->edge_count; i++) {
		const struct link *link = &node->edges[i].link;

		if (link->conn != NULL && link->conn->session.synced)
			clocks[count++] =
			    node_clock(&node->world->nodes[node->edges[i].peer])
				.ns;
	}
	return count;
}

/* How many of them are within `width` from `from` on. */
static unsigned
count_clocks(
    const uint64_t *clocks, unsigned count, uint64_t from, uint64_t width)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		found += clocks[i] >= from && clocks[i] - from <= width;
	return found;
}

/* Do most of at least three clocks agree, with `slack_ns` to spare? */
static bool
has_majority(const struct node *node, uint64_t *clocks, unsigned *count,
    uint64_t slack_ns)
{
	uint64_t width = node->timekeeper.margin_ns - slack_ns;

	*count = clocks_of(node, clocks);
	for (unsigned i = 0; *count >= 3 && i < *count; i++) {
		if (count_clocks(clocks, *count, clocks[i], width) * 2 > *count)
			return true;
	}
	return false;
}

static void
check_clock(const struct node *node)
{
	struct world *world = node->world;
	/* An overruled clock needs three quarters; the rest is jitter. */
	uint64_t margin = node->timekeeper.margin_ns;
	uint64_t slack = margin / 4 + 500 * SIM_MS;
	uint64_t clocks[LINKS_MAX + 1];
	uint64_t judged = node_judged(node).ns;
	const struct node *seer = node;
	unsigned count;
	unsigned near = 0;

	/* A node that sees two clocks believes a neighbour that sees three. */
	if (node->edge_count == 1 && node->edges[0].link.conn != NULL)
		seer = &world->nodes[node->edges[0].peer];
	if (!has_majority(seer, clocks, &count, slack))
		return;
	/* It knows what the neighbour judges, and no more. */
	if (seer != node && is_near(node_judged(seer).ns, judged, margin))
		return;
	for (unsigned i = 0; i < count; i++)
		near += is_near(clocks[i], judged, margin + slack);
	if (near * 2 <= count)
		world_fail(world, "%s judges by a clock that most others lack",
		    node->name);
}

void
oracle_check_clocks(struct world *world)
{
	for (unsigned i = 0; i < world->plan.nodes && !world->failed; i++)
		check_clock(&world->nodes[i]);
}
