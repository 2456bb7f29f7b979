/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/node_rows.h"

static enum status
node_show_run(struct run *run)
{
	enum status status = run_use_node(run, run_word(run, 0));

	return status == STATUS_OK ? node_rows_run(run, NULL) : status;
}

const struct command cmd_node_show = {
	.path = "node show",
	.summary = "show a node",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE)),
	.view = &node_rows_record,
	.traits = COMMAND_READ,
	.run = node_show_run,
	.example = "node show Riley",
};
