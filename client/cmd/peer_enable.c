/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/peer_change.h"

static enum status
peer_enable_run(struct run *run)
{
	return peer_change(run, "/enable");
}

const struct command cmd_peer_enable = {
	.path = "peer enable",
	.summary = "let a node use a link again",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("PEER", .complete = COMPLETE_PEER)),
	.view = &peer_rows_view,
	.traits = COMMAND_WRITE,
	.run = peer_enable_run,
	.example = "peer enable Jaquez -n Riley",
};
