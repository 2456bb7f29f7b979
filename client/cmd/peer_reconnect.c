/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/peer_change.h"

const struct command cmd_peer_reconnect = {
	.path = "peer reconnect",
	.summary = "close a node's link and make it again",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("PEER", .complete = COMPLETE_PEER)),
	.view = &peer_rows_view,
	.traits = COMMAND_WRITE,
	.run = peer_change,
	.example = "peer reconnect Jaquez -n Riley",
};
