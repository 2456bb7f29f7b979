/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_rows.h"

const struct command cmd_node_ls = {
	.path = "node ls",
	.summary = "list the nodes of the herd",
	.group = GROUP_LINKS,
	.view = &node_rows_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/node", .hook = node_rows_set_clock,
	    .counts = "node"),
	.example = "node ls --sort uptime:desc",
};
