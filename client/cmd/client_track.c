/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client track: where a client has been, from a node whose store keeps a
 * history.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/typed.h"
#include "run/fields.h"

/* clang-format off */
static const struct column track_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL),
	COLUMN("client", "CLIENT", VALUE_TEXT, .traits = COLUMN_ID | COLUMN_WIDE),
	COLUMN("time", "CLIENT TIME", VALUE_TIME, .traits = COLUMN_NAME),
	COLUMN("location", "LOCATION", VALUE_PLACE),
	COLUMN("received_at", "RECEIVED", VALUE_CLOCK, .drop = 1),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view track_view =
    VIEW(track_columns, .schema = "herd.track/1", .list = "track");

/* The node refused because it keeps none: says what there is instead. */
static void
set_hint(struct answer *answer)
{
	cJSON *json =
	    cJSON_ParseWithLength(answer->body.data, answer->body.len);

	if (fields_says(json, "error.code", "conflict")) {
		free(answer->hint);
		answer->hint = xstrdup("`client show' has the newest position");
	}
	cJSON_Delete(json);
}

static enum status
client_track_run(struct run *run)
{
	const char *id = run_word(run, 0);
	enum status status = typed_client(run, id);
	struct fields_request request = { .list = "track" };
	struct answers answers;
	char *path;

	if (status != STATUS_OK)
		return status;
	path = ask_path("/v1/clients/", span_from(id), "/track");
	request.path = path;
	status = fields_ask(run, &request, &answers);
	free(path);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, request.list, NULL);
	answers_each(answer, &answers) {
		if (answer->status == STATUS_REFUSED)
			set_hint(answer);
	}
	return fields_finish(run, &answers);
}

const struct command cmd_client_track = {
	.path = "client track",
	.summary = "list where a client has been",
	.help = "It needs a store that keeps a history. A node without one "
		"refuses; `client show' has the newest position.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.view = &track_view,
	.traits = COMMAND_READ,
	.run = client_track_run,
	.example = "client track kiwi.cs.ucla.edu",
};
