/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client track: where a client has been, from a node whose store keeps a
 * history.
 */
#include "cmd/client_track.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/list.h"
#include "cmd/moment.h"
#include "cmd/typed.h"
#include "run/fields.h"

/* clang-format off */
static const struct column track_columns[] = {
	[TRACK_NODE] = COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL),
	[TRACK_CLIENT] = COLUMN("client", "CLIENT", VALUE_TEXT, .traits = COLUMN_ID | COLUMN_WIDE),
	[TRACK_TIME] = COLUMN("time", "CLIENT TIME", VALUE_TIME, .traits = COLUMN_NAME),
	[TRACK_LOCATION] = COLUMN("location", "LOCATION", VALUE_PLACE),
	[TRACK_ORIGIN] = COLUMN("origin", "HEARD BY", VALUE_TEXT, .drop = 2),
	[TRACK_RECEIVED] = COLUMN("received_at", "RECEIVED", VALUE_CLOCK, .drop = 1),
	[TRACK_ERROR] = COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
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

/* A node gives so many at most, and says where the next ones begin. */
static void
note_more(struct run *run, const struct answers *answers)
{
	answers_each(answer, answers) {
		const char *next = fields_text(answer->json, "next");

		if (next != NULL)
			run_note(run, "there are more: --since %s", next);
	}
}

static enum status
make_path(struct run *run, const char *id, char **path)
{
	const char *since = run_flag(run, "since");
	struct buf after = XBUF;
	uint64_t ns = 0;
	enum status status = STATUS_OK;

	if (since != NULL)
		status = moment_typed(run, since, &ns);
	if (status == STATUS_OK) {
		char text[TIME_FORMAT_MAX];
		size_t len = time_format(ns, text);

		putf(&after, "/track?limit=10000&since=%.*s", (int)len, text);
		*path =
		    ask_path("/v1/clients/", span_from(id), text_of(&after));
	}
	buf_release(&after);
	return status;
}

enum status
client_track_ask(struct run *run, const char *id, struct answers *answers)
{
	struct fields_request request = { .view = &track_view,
		.list = "track" };
	enum status status = typed_client(run, id);
	char *path = NULL;

	*answers = (struct answers){ .count = 0 };
	if (status == STATUS_OK)
		status = make_path(run, id, &path);
	if (status != STATUS_OK)
		return status;
	request.path = path;
	status = fields_ask(run, &request, answers);
	free(path);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, answers, request.list, NULL);
	answers_each(answer, answers) {
		if (answer->status == STATUS_REFUSED)
			set_hint(answer);
	}
	note_more(run, answers);
	return STATUS_OK;
}

static enum status
client_track_run(struct run *run)
{
	struct answers answers;
	enum status status = client_track_ask(run, run_word(run, 0), &answers);

	return status == STATUS_OK ? fields_finish(run, &answers) : status;
}

const struct command cmd_client_track = {
	.path = "client track",
	.summary = "list where a client has been",
	.help = "It needs a store that keeps a history (store.history). A node "
		"without one refuses; `client show' has the newest position. "
		"A busy client's history has some of its reports, not all. "
		"-o geojson, gpx or csv writes it for other programs.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.flags = FLAGS(FLAG("since", .value = "TIME",
	    .help = "only from then on: 1h (ago) or a time")),
	.view = &track_view,
	.traits = COMMAND_READ,
	.run = client_track_run,
	.example = "client track kiwi.cs.ucla.edu --since 1h -o gpx",
};
