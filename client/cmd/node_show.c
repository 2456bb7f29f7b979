/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_rows.h"

const struct command cmd_node_show = {
	.path = "node show",
	.summary = "show a node",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_rows_record,
	.traits = COMMAND_READ,
	.run = fields_run_node,
	.request = REQUEST(.path = "/v1/node", .hook = node_rows_set_clock),
	.example = "node show Riley",
};
