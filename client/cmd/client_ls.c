/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/client_list.h"

static enum status
client_ls_run(struct run *run)
{
	struct client_query query = CLIENT_QUERY;
	enum status status;

	client_query_glob(&query, run_word(run, 0), false);
	status = client_list(run, &query, NULL);
	client_query_release(&query);
	return status;
}

const struct command cmd_client_ls = {
	.path = "client ls",
	.summary = "list the clients that a node knows",
	.help =
	    "GLOB is a pattern of ids with * ? [a-z]; without one of these it "
	    "is what ids begin with. The node chooses, sorts and cuts, so that "
	    "a large table costs no more than what is shown. With -n all nodes "
	    "are asked at the same time, and one that is silent does not hold "
	    "up the rows of the others. Without --sort up to 1,000 rows are "
	    "sorted by node and id, more come as the nodes send them; --limit "
	    "takes the first that come.",
	.group = GROUP_TABLE,
	.args =
	    ARGS(ARG("GLOB", .complete = COMPLETE_CLIENT, .optional = true)),
	.view = &client_view,
	.traits = COMMAND_READ,
	.run = client_ls_run,
	.example = "client ls --sort received_at:desc --limit 20",
};
