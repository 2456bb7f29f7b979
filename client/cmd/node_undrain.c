/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_state.h"

static enum status
node_undrain_run(struct run *run)
{
	return node_state_change(run, "/v1/undrain");
}

const struct command cmd_node_undrain = {
	.path = "node undrain",
	.summary = "take clients on a node again",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_state_view,
	.traits = COMMAND_WRITE,
	.run = node_undrain_run,
	.example = "node undrain Riley",
};
