/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_state.h"

const struct command cmd_node_drain = {
	.path = "node drain",
	.summary = "stop taking new clients on a node",
	.help = "It closes its client listener, finishes what it has, and "
		"keeps its links. `node undrain' takes that back.",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_state_view,
	.traits = COMMAND_WRITE,
	.run = fields_run_node,
	.request = REQUEST(.method = "POST", .path = "/v1/drain"),
	.example = "node drain Riley",
};
