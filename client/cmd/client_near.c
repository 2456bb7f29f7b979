/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/client_list.h"

static enum status
client_near_run(struct run *run)
{
	struct client_query query = CLIENT_QUERY;
	enum status status =
	    client_query_near(run, &query, run_word(run, 0), run_word(run, 1));

	if (status == STATUS_OK)
		status = client_list(run, &query, NULL);
	client_query_release(&query);
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
