/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/peer_rows.h"

static enum status
peer_ls_run(struct run *run)
{
	return fields_run(run, &(struct fields_request){ .path = "/v1/peers",
				   .list = "peers",
				   .hook = peer_rows_derive,
				   .counts = "link" });
}

const struct command cmd_peer_ls = {
	.path = "peer ls",
	.summary = "list a node's links",
	.group = GROUP_LINKS,
	.view = &peer_rows_view,
	.traits = COMMAND_READ,
	.run = peer_ls_run,
	.example = "peer ls --where 'state != synced'",
};
