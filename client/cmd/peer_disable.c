/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/peer_change.h"

static enum status
peer_disable_run(struct run *run)
{
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_confirm(run, "Disable the link to %s on %s (%s)?",
		    run_word(run, 0), run_where(run), run_herd_name(run));
	return status == STATUS_OK ? peer_change(run) : status;
}

const struct command cmd_peer_disable = {
	.path = "peer disable",
	.summary = "close a node's link and keep it closed",
	.help = "Until `peer enable', or a restart of the node.",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("PEER", .complete = COMPLETE_PEER)),
	.view = &peer_rows_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = peer_disable_run,
	.example = "peer disable Jaquez -n Riley --yes",
};
