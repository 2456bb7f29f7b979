/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_rows.h"

static enum status
node_ls_run(struct run *run)
{
	return node_rows_run(run, "node");
}

const struct command cmd_node_ls = {
	.path = "node ls",
	.summary = "list the nodes of the herd",
	.group = GROUP_LINKS,
	.view = &node_rows_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = node_ls_run,
	.example = "node ls --sort uptime:desc",
};
