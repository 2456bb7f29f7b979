/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "run/fields.h"
#include "run/stream.h"

#define EVENT_TYPES "report link places admin"

/* clang-format off */
#define EVENT_COLUMNS(X) \
	X(EVENT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS) \
	X(EVENT_AT, "at", "AT", VALUE_CLOCK) \
	X(EVENT_KIND, "event", "EVENT", VALUE_TEXT) \
	X(EVENT_CLIENT, "client", "CLIENT", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_ID) \
	X(EVENT_LOCATION, "location", "LOCATION", VALUE_PLACE) \
	X(EVENT_TIME, "time", "CLIENT TIME", VALUE_TIME, .traits = COLUMN_WIDE) \
	X(EVENT_ORIGIN, "origin", "ORIGIN", VALUE_TEXT, \
	    .traits = COLUMN_COMPUTED | COLUMN_MACHINE) \
	X(EVENT_FROM, "from", "FROM", VALUE_TEXT, .traits = COLUMN_NEIGHBOUR) \
	X(EVENT_PEER, "peer", "PEER", VALUE_TEXT, .traits = COLUMN_NEIGHBOUR) \
	X(EVENT_STATE, "state", "STATE", VALUE_STATE) \
	X(EVENT_TEXT, "text", "TEXT", VALUE_TEXT, .traits = COLUMN_COMPUTED | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(event_columns, EVENT_COLUMNS);

static const struct view event_view =
    VIEW(event_columns, .schema = "herd.events/1", .list = "events");

/* Facts without a column of their own, in words. */
static void
set_text(struct out *out, const cJSON *event)
{
	const char *error = fields_text(event, "error");
	const char *verb = fields_text(event, "verb");
	const char *who = fields_text(event, "who");
	const char *kind = fields_text(event, "event");
	struct buf text = XBUF;

	if (error != NULL)
		put_text(&text, error);
	if (verb != NULL)
		put_text(&text, verb);
	if (who != NULL)
		putf(&text, "%sby %s", text.len > 0 ? " " : "", who);
	if (kind != NULL && strcmp(kind, "missed") == 0)
		putf(&text, "%.0f events left out: too slow",
		    fields_number(event, "count", 0));
	if (fields_is(event, "removed"))
		put_text(&text, "removed");
	if (text.len > 0)
		out_text(out, EVENT_TEXT, buf_span(&text));
	buf_release(&text);
}

static void
on_event(void *arg, const struct target *target, struct span line)
{
	struct run *run = arg;
	struct out *out = &run->out;
	cJSON *event = cJSON_ParseWithLength(line.data, line.len);
	const char *kind = fields_text(event, "event");

	/* The greeting only says that the stream works. */
	if (kind != NULL && strcmp(kind, "hello") != 0) {
		out_raw(out, line);
		fields_set_node(out, target->name);
		fields_fill_row(out, event);
		if (fields_text(event, "client") != NULL &&
		    fields_text(event, "node") != NULL)
			out_word(out, EVENT_ORIGIN, fields_text(event, "node"));
		set_text(out, event);
		out_row(out);
		sink_flush(&run->sink);
	}
	cJSON_Delete(event);
}

static bool
has_enough(const void *arg)
{
	const struct run *run = arg;

	return run->sink.gone ||
	       (run->out.options.limit > 0 &&
		   run->out.written >= run->out.options.limit);
}

/* Checked here, because the node's error does not list the words. */
static enum status
check_types(struct run *run)
{
	const char *list = run_flag(run, "type");

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (!tokens_is_among(EVENT_TYPES, span_of(list, len)))
			return run_fail(run, STATUS_USAGE,
			    "--type: `%.*s' is not one of: " EVENT_TYPES,
			    (int)len, list);
		list += len + (list[len] == ',');
	}
	return STATUS_OK;
}

static char *
events_path(struct run *run)
{
	const char *types = run_flag(run, "type");
	const char *glob = run_word(run, 0);
	struct buf path = XBUF;

	put_text(&path, "/v1/events?");
	if (glob == NULL)
		glob = run_flag(run, "client");
	put_query(&path, "type=", types);
	put_query(&path, types != NULL ? "&client=" : "client=", glob);
	return text_take(&path);
}

static enum status
events_run(struct run *run)
{
	struct streams *streams = NULL;
	char *path = events_path(run);
	enum status status = check_types(run);

	if (status == STATUS_OK)
		status = run_targets(run);
	if (status == STATUS_OK)
		status = run_begin_stream(run, &event_view);
	if (status == STATUS_OK)
		status = streams_open(run, path, on_event, run, &streams);
	if (status == STATUS_OK)
		status = streams_wait(streams, has_enough, run, NO_DEADLINE);
	if (status == STATUS_OK || status == STATUS_SIGINT)
		out_end(&run->out);
	if (status == STATUS_OK && !has_enough(run))
		status = streams_report(streams);
	streams_free(streams);
	free(path);
	return status;
}

const struct command cmd_events = {
	.path = "events",
	.summary = "print what happens on nodes, as it happens",
	.help =
	    "Until Ctrl-C, or until --limit N events have come. With GLOB, of "
	    "reports only those of clients whose id matches; --where chooses "
	    "events by their columns. A reader that "
	    "is too slow gets only each client's newest report, and a notice.",
	.group = GROUP_WATCHING,
	.args =
	    ARGS(ARG("GLOB", .complete = COMPLETE_CLIENT, .optional = true)),
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("type", .value = "LIST", .complete = COMPLETE_WORDS, .words = EVENT_TYPES,
		.help = "only these, with commas"),
	    FLAG("client", .value = "GLOB", .complete = COMPLETE_CLIENT,
		.help = "as GLOB")),
	/* clang-format on */
	.view = &event_view,
	.traits = COMMAND_STREAM | COMMAND_HARMLESS,
	.run = events_run,
	.example = "events 'bus-*' --type report -n all",
};
