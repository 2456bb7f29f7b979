/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/peer_rows.h"

const struct command cmd_peer_ls = {
	.path = "peer ls",
	.summary = "list a node's links",
	.group = GROUP_LINKS,
	.view = &peer_rows_view,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/peers", .list = "peers",
	    .hook = peer_rows_derive, .counts = "link"),
	.example = "peer ls --where 'state != synced'",
};
