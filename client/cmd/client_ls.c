/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "herd/text.h"

static enum status
client_ls_run(struct run *run)
{
	struct buf query = XBUF;
	enum status status;

	put_query(&query, "&prefix=", run_word(run, 0));
	status = client_list(run, text_of(&query), true, NULL);
	buf_release(&query);
	return status;
}

const struct command cmd_client_ls = {
	.path = "client ls",
	.summary = "list the clients that a node knows",
	.help = "PREFIX lists only clients whose id begins with it.",
	.group = GROUP_TABLE,
	.args =
	    ARGS(ARG("PREFIX", .complete = COMPLETE_CLIENT, .optional = true)),
	.view = &client_view,
	.traits = COMMAND_READ,
	.run = client_ls_run,
	.example = "client ls --sort received_at:desc --limit 20",
};
