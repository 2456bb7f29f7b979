/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/node.h"

#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"

enum node_state
node_state(const struct node *node)
{
	return (enum node_state)atomic_load(&node->state);
}

/* Which state may follow which. */
static bool
may_follow(enum node_state from, enum node_state to)
{
	static const bool follows[NODE_STATES][NODE_STATES] = {
		[NODE_STARTING] = { [NODE_RUNNING] = true,
		    [NODE_STOPPING] = true },
		[NODE_RUNNING] = { [NODE_DRAINING] = true,
		    [NODE_STOPPING] = true },
		[NODE_DRAINING] = { [NODE_RUNNING] = true,
		    [NODE_STOPPING] = true },
	};

	assert((unsigned)from < NODE_STATES && (unsigned)to < NODE_STATES);
	return follows[from][to];
}

bool
node_set_state(struct node *node, enum node_state state)
{
	unsigned from = atomic_load(&node->state);

	do {
		if (!may_follow((enum node_state)from, state))
			return false;
	} while (!atomic_compare_exchange_weak(
	    &node->state, &from, (unsigned)state));
	if (node->on_state != NULL)
		node->on_state(node->on_state_arg, state);
	return true;
}

bool
node_run(struct node *node)
{
	bool changed = !atomic_load(&node->store_lost) &&
		       node_set_state(node, NODE_RUNNING);

	/* The store may have been lost between the two. */
	if (atomic_load(&node->store_lost))
		(void)node_set_state(node, NODE_DRAINING);
	return changed;
}

void
node_drain(struct node *node, bool drain, const char *who)
{
	bool changed =
	    drain ? node_set_state(node, NODE_DRAINING) : node_run(node);

	if (changed)
		LOG(node->log, LOG_INFO, drain ? "drain" : "undrain",
		    log_text("by", who));
}

void
node_lose_store(struct node *node)
{
	atomic_store(&node->store_lost, true);
	(void)node_set_state(node, NODE_DRAINING);
}

void
node_stop(struct node *node, const char *who)
{
	(void)node_set_state(node, NODE_STOPPING);
	LOG(node->log, LOG_INFO, "stop", log_text("by", who));
	event_base_loopexit(node->base, NULL);
}

bool
node_is_isolated(const struct node *node)
{
	const struct node_company *company = &node->company;
	struct mono since = { atomic_load(&company->alone_since_ns) };

	return atomic_load(&company->has_links) && since.ns != 0 &&
	       mono_since(clock_mono(), since) >
		   atomic_load(&node->limits.ready_after_ns);
}

/* Replies have waited for the store longer than they may. */
static bool
is_stalled(const struct node *node)
{
	struct mono since = { atomic_load(&node->waits.since_ns) };

	return node->waits.patience_ns != 0 && since.ns != 0 &&
	       mono_since(clock_mono(), since) >= node->waits.patience_ns;
}

static bool
is_in_company(const struct node *node)
{
	const struct node_company *company = &node->company;

	/*
	 * One neighbour is enough, because it has what the herd has. A node
	 * that has met one stays ready when its neighbours die: clients need
	 * it more then.
	 */
	return !atomic_load(&company->has_links) ||
	       atomic_load(&company->met_one) || node_is_isolated(node);
}

static const char *
running_word(const struct node *node)
{
	if (is_stalled(node))
		return "stalled";
	if (atomic_load(&node->waits.loads))
		return "loading";
	return is_in_company(node) ? "ready" : "syncing";
}

bool
node_is_ready(const struct node *node)
{
	return node_state(node) == NODE_RUNNING && is_in_company(node) &&
	       !is_stalled(node) && !atomic_load(&node->waits.loads);
}

const char *
node_state_word(const struct node *node)
{
	switch (node_state(node)) {
	case NODE_STARTING: return "starting";
	case NODE_RUNNING: return running_word(node);
	case NODE_DRAINING: return "draining";
	case NODE_STOPPING: return "stopping";
	}
	return "unknown";
}
