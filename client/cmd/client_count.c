/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "run/fields.h"

/* clang-format off */
static const struct column count_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("count", "CLIENTS", VALUE_INTEGER),
	COLUMN("removals", "REMOVALS", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view count_view =
    VIEW(count_columns, .schema = "herd.client-count/1", .list = "nodes");

/* --where chooses clients, not rows. */
static enum status
client_count_run(struct run *run)
{
	struct client_query query = CLIENT_QUERY;
	struct buf path = XBUF;
	enum status status;

	client_query_glob(&query, run_word(run, 0), false);
	status = client_query_where(run, &query);
	put_text(&path, "/v1/clients?count");
	put_span(&path, buf_span(&query.text));
	if (status == STATUS_OK)
		status = fields_run(
		    run, &(struct fields_request){ .path = text_of(&path) });
	buf_release(&path);
	client_query_release(&query);
	return status;
}

const struct command cmd_client_count = {
	.path = "client count",
	.summary = "count the clients that nodes know",
	.help = "GLOB as for `client ls'; --where chooses clients by the "
		"columns of `client ls'.",
	.group = GROUP_TABLE,
	.args =
	    ARGS(ARG("GLOB", .complete = COMPLETE_CLIENT, .optional = true)),
	.view = &count_view,
	.traits = COMMAND_READ,
	.run = client_count_run,
	.example = "client count -n all",
};
