/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's state: every transition, the lost store, and readiness. */
#include "node/node.h"

#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

/* A node without rooms; what its state tells, in order. */
struct probe {
	struct node node;
	enum node_state told[8];
	unsigned count;
};

static void
on_state(void *arg, enum node_state state)
{
	struct probe *probe = arg;

	assert_true(probe->count < 8);
	probe->told[probe->count++] = state;
}

static void
probe_open(struct probe *probe)
{
	memset(probe, 0, sizeof(*probe));
	assert_int_equal(
	    log_open(STDERR_FILENO, LOG_ERROR, LOG_LOGFMT, &probe->node.log),
	    HERD_OK);
	probe->node.on_state = on_state;
	probe->node.on_state_arg = probe;
}

static void
probe_close(struct probe *probe)
{
	log_close(probe->node.log);
}

/* Brings a starting node into that state. */
static void
go_to(struct node *node, enum node_state state)
{
	if (state == NODE_DRAINING)
		assert_true(node_set_state(node, NODE_RUNNING));
	if (state != NODE_STARTING)
		assert_true(node_set_state(node, state));
}

static void
test_state_follows_its_table(void **arg HERD_UNUSED)
{
	static const bool may[NODE_STATES][NODE_STATES] = {
		/* starting, running, draining, stopping */
		{ false, true, false, true },
		{ false, false, true, true },
		{ false, true, false, true },
		{ false, false, false, false },
	};

	for (unsigned from = 0; from < NODE_STATES; from++) {
		for (unsigned to = 0; to < NODE_STATES; to++) {
			struct probe probe;
			unsigned told;

			probe_open(&probe);
			go_to(&probe.node, (enum node_state)from);
			told = probe.count;
			assert_int_equal(
			    node_set_state(&probe.node, (enum node_state)to),
			    may[from][to]);
			assert_int_equal(
			    node_state(&probe.node), may[from][to] ? to : from);
			/* It is told once, if it changed. */
			assert_int_equal(probe.count - told, may[from][to]);
			probe_close(&probe);
		}
	}
}

static void
test_lost_store_keeps_draining(void **arg HERD_UNUSED)
{
	struct probe probe;

	probe_open(&probe);
	/* Lost before the node runs. */
	node_lose_store(&probe.node);
	assert_int_equal(node_state(&probe.node), NODE_STARTING);
	assert_false(node_run(&probe.node));
	assert_int_equal(node_state(&probe.node), NODE_STARTING);
	probe_close(&probe);

	probe_open(&probe);
	assert_true(node_run(&probe.node));
	node_lose_store(&probe.node);
	assert_int_equal(node_state(&probe.node), NODE_DRAINING);
	node_drain(&probe.node, false, "test");
	assert_int_equal(node_state(&probe.node), NODE_DRAINING);
	assert_string_equal(node_state_word(&probe.node), "draining");
	probe_close(&probe);
}

static void
test_drain_and_back(void **arg HERD_UNUSED)
{
	struct probe probe;

	probe_open(&probe);
	assert_string_equal(node_state_word(&probe.node), "starting");
	assert_true(node_run(&probe.node));
	assert_false(node_run(&probe.node));
	node_drain(&probe.node, true, "test");
	node_drain(&probe.node, true, "test");
	assert_int_equal(node_state(&probe.node), NODE_DRAINING);
	assert_false(node_is_ready(&probe.node));
	node_drain(&probe.node, false, "test");
	assert_int_equal(node_state(&probe.node), NODE_RUNNING);
	assert_int_equal(probe.count, 3);
	probe_close(&probe);
}

static void
test_ready_with_company(void **arg HERD_UNUSED)
{
	struct probe probe;
	struct node *node = &probe.node;

	probe_open(&probe);
	assert_false(node_is_ready(node));
	assert_true(node_run(node));
	/* Without links it serves at once. */
	assert_true(node_is_ready(node));
	/* With links it waits for a neighbour, or for ready_after alone. */
	atomic_store(&node->limits.ready_after_ns, UINT64_MAX);
	atomic_store(&node->company.has_links, true);
	atomic_store(&node->company.alone_since_ns, clock_mono().ns);
	assert_false(node_is_ready(node));
	assert_string_equal(node_state_word(node), "syncing");
	atomic_store(&node->limits.ready_after_ns, 0);
	atomic_store(&node->company.alone_since_ns, 1);
	assert_true(node_is_isolated(node) && node_is_ready(node));
	/* A node that met one stays ready, also when its neighbours die. */
	atomic_store(&node->limits.ready_after_ns, UINT64_MAX);
	assert_false(node_is_isolated(node));
	assert_false(node_is_ready(node));
	atomic_store(&node->company.met_one, true);
	assert_true(node_is_ready(node));
	/* A session lives. */
	atomic_store(&node->limits.ready_after_ns, 0);
	atomic_store(&node->company.alone_since_ns, 0);
	assert_false(node_is_isolated(node));
	assert_string_equal(node_state_word(node), "ready");
	probe_close(&probe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_follows_its_table),
		cmocka_unit_test(test_lost_store_keeps_draining),
		cmocka_unit_test(test_drain_and_back),
		cmocka_unit_test(test_ready_with_company),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
