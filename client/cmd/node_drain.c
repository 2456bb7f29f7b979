/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node drain: no new clients; with --wait until those that are there have left.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>

#include "base/xbuf.h"
#include "cmd/node_state.h"
#include "cmd/wait_goal.h"
#include "net/standing.h"

static const struct fields_request drain_request = {
	.method = "POST",
	.path = "/v1/drain",
};

/* The session's own connection, which does not leave. */
static double
own_connections(const struct run *run)
{
	const struct standing *standing = run->app->standing;

	return standing != NULL && standing_is_up(standing) &&
	       standing_leads_to(standing, &run->targets[0]->clients,
		   run->targets[0]->clients_tls);
}

static enum wait_step
look(const void *arg, const struct answer *answer, struct buf *lacks)
{
	const struct run *run = arg;
	double left = fields_number(answer->json, "connections", -1);

	if (answer->status != STATUS_OK)
		return WAIT_NOT_YET;
	if (left < 0) {
		put_text(lacks, "the answer has no connections");
		return WAIT_NOT_YET;
	}
	left -= own_connections(run);
	if (left <= 0)
		return WAIT_REACHED;
	putf(lacks, "%.0f %s left", left,
	    left > 1 ? "connections are" : "connection is");
	return WAIT_NOT_YET;
}

/* The node's row, with the connections that it said last. */
static void
add_row(struct run *run, const struct wait_node *node)
{
	if (node->answer.status != STATUS_OK) {
		out_failure(&run->out, node->target->name, "unreachable",
		    node->answer.message == NULL ? "no answer in time"
						 : node->answer.message);
		return;
	}
	out_raw(&run->out, buf_span(&node->answer.body));
	fields_set_node(&run->out, node->target->name);
	fields_fill_row(&run->out, node->answer.json);
	out_row(&run->out);
}

static enum status
wait_until_empty(struct run *run)
{
	struct wait_goal goal = { .path = "/v1/status",
		.what = "the last client to leave",
		.look = look,
		.arg = run };
	enum status status = wait_goal_run(run, &goal);

	if (status == STATUS_OK || status == STATUS_TIMEOUT) {
		add_row(run, &goal.nodes[0]);
		out_end(&run->out);
	}
	if (status == STATUS_TIMEOUT)
		wait_goal_fail(run, &goal);
	wait_goal_release(&goal);
	return status;
}

static enum status
node_drain_run(struct run *run)
{
	struct answers answers;
	enum status status = run_use_node(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = fields_ask(run, &drain_request, &answers);
	if (status != STATUS_OK)
		return status;
	if (run_flag(run, "wait") != NULL &&
	    answers_status(&answers) == STATUS_OK) {
		answers_release(&answers);
		return wait_until_empty(run);
	}
	fields_rows(run, &answers, NULL, NULL);
	return fields_finish(run, &answers);
}

const struct command cmd_node_drain = {
	.path = "node drain",
	.summary = "stop taking new clients on a node",
	.help = "It closes its client listener, finishes what it has, and "
		"keeps its links. With --wait until no client is connected any "
		"more, for at most --timeout (0: for ever); the exit status "
		"is 4 when some are left. `node undrain' takes that back.",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.flags =
	    FLAGS(FLAG("wait", .help = "wait until no client is connected")),
	.view = &node_state_view,
	.traits = COMMAND_WRITE,
	.run = node_drain_run,
	.request = &drain_request,
	.example = "node drain Riley --wait --timeout 10m",
};
