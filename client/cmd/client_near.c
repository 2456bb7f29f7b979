/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "cmd/client_list.h"

static enum status
client_near_run(struct run *run)
{
	struct buf query = XBUF;
	enum status status;

	status =
	    client_list_near(run, run_word(run, 0), run_word(run, 1), &query);
	if (status == STATUS_OK)
		status = client_list(run, text_of(&query), false, NULL);
	buf_release(&query);
	return status;
}

const struct command cmd_client_near = {
	.path = "client near",
	.summary = "list the clients near a location",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("LOCATION"), ARG("KM")),
	.view = &client_view,
	.traits = COMMAND_READ,
	.run = client_near_run,
	.example = "client near 34.068930,-118.445127 5",
};
