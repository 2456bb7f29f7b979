/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_state.h"

static enum status
node_stop_run(struct run *run)
{
	enum status status = run_use_node(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = run_confirm(run, "Stop node %s (%s)?",
		    run->targets[0]->name, run_herd_name(run));
	return status == STATUS_OK ? fields_run_command(run) : status;
}

const struct command cmd_node_stop = {
	.path = "node stop",
	.summary = "stop a node's process",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_state_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = node_stop_run,
	.request = REQUEST(.method = "POST", .path = "/v1/stop"),
	.example = "node stop Riley --yes",
};
