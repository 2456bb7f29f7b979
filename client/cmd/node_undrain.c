/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_state.h"

const struct command cmd_node_undrain = {
	.path = "node undrain",
	.summary = "take clients on a node again",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_state_view,
	.traits = COMMAND_WRITE,
	.run = fields_run_node,
	.request = REQUEST(.method = "POST", .path = "/v1/undrain"),
	.example = "node undrain Riley",
};
