/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watching: events, stats; top is in top.c, map in map.c.
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"
#include "run/fields.h"
#include "run/stream.h"
#include "cmd/table_family.h"
#include "cmd/watching.h"
#include "out/width.h"
#include "base/xbuf.h"

#define EVENT_TYPES "report link places admin"

/* --- events ---------------------------------------------------------- */

enum {
	EVENT_NODE,
	EVENT_AT,
	EVENT_KIND,
	EVENT_CLIENT,
	EVENT_LOCATION,
	EVENT_TIME,
	EVENT_ORIGIN,
	EVENT_FROM,
	EVENT_PEER,
	EVENT_STATE,
	EVENT_TEXT,
	EVENT_COLUMNS
};

static const struct column event_columns[EVENT_COLUMNS] = {
	[EVENT_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS,
	    0, NULL, 0 },
	[EVENT_AT] = { "at", "AT", LEAF_CLOCK, 0, 0, "at", 0 },
	[EVENT_KIND] = { "event", "EVENT", LEAF_TEXT, 0, 0, "event", 0 },
	[EVENT_CLIENT] = { "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID, 0, "client", 0 },
	[EVENT_LOCATION] = { "location", "LOCATION", LEAF_PLACE, 0, 0,
	    "location", 0 },
	[EVENT_TIME] = { "time", "CLIENT TIME", LEAF_TIME, COLUMN_WIDE, 0,
	    "time", 0 },
	[EVENT_ORIGIN] = { "origin", "ORIGIN", LEAF_TEXT, COLUMN_MACHINE, 0,
	    NULL, 0 },
	[EVENT_FROM] = { "from", "FROM", LEAF_TEXT, COLUMN_NEIGHBOUR, 0, "from",
	    0 },
	[EVENT_PEER] = { "peer", "PEER", LEAF_TEXT, COLUMN_NEIGHBOUR, 0, "peer",
	    0 },
	[EVENT_STATE] = { "state", "STATE", LEAF_STATE, 0, 0, "state", 0 },
	[EVENT_TEXT] = { "text", "TEXT", LEAF_TEXT, 0, 0, NULL, 0 },
};

static const struct view event_view = { "herd.events/1", "events", VIEW_LIST,
	event_columns, EVENT_COLUMNS };

/* What has no column of its own, in words. */
static void
set_text(struct out *out, const cJSON *event)
{
	const char *error = json_text(event, "error");
	const char *verb = json_text(event, "verb");
	const char *who = json_text(event, "who");
	const char *kind = json_text(event, "event");
	struct buf text;

	buf_init(&text, XBUF_MAX);
	if (error != NULL)
		put_text(&text, error);
	if (verb != NULL)
		put_text(&text, verb);
	if (who != NULL)
		putf(&text, "%sby %s", text.len > 0 ? " " : "", who);
	if (kind != NULL && strcmp(kind, "missed") == 0)
		putf(&text, "%.0f events left out: too slow",
		    json_number(event, "count", 0));
	if (json_is(event, "removed"))
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
	const char *kind = json_text(event, "event");

	/* The greeting only says that the stream works. */
	if (kind != NULL && strcmp(kind, "hello") != 0) {
		out_raw(out, line);
		json_set_node(out, target->name);
		json_fill_row(out, event);
		if (json_text(event, "client") != NULL &&
		    json_text(event, "node") != NULL)
			out_word(out, EVENT_ORIGIN, json_text(event, "node"));
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

/* Before a node is asked: it does not say which words there are. */
static enum status
check_types(struct run *run)
{
	static const char *const words[] = { "report", "link", "places",
		"admin" };
	const char *list = run_flag(run, "type");

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");
		bool known = false;

		for (size_t i = 0; i < HERD_ARRAY_LEN(words); i++)
			known |= span_is(span_of(list, len), words[i]);
		if (!known) {
			put_text(&run->message, "--type: `");
			put_clean(&run->message, span_of(list, len));
			put_text(
			    &run->message, "' is not one of: " EVENT_TYPES);
			return run_fail_message(run, STATUS_USAGE);
		}
		list += len + (list[len] == ',');
	}
	return STATUS_OK;
}

static char *
events_path(struct run *run)
{
	const char *types = run_flag(run, "type");
	const char *glob = run_flag(run, "client");
	struct buf path;

	buf_init(&path, XBUF_MAX);
	put_text(&path, "/v1/events?");
	if (types != NULL) {
		put_text(&path, "type=");
		must(text_to_percent(&path, span_from(types)));
	}
	if (glob != NULL) {
		put_text(&path, types != NULL ? "&client=" : "client=");
		must(text_to_percent(&path, span_from(glob)));
	}
	return text_take(&path);
}

static enum status
run_events(struct run *run)
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

/* --- stats ----------------------------------------------------------- */

enum {
	STAT_NODE,
	STAT_METRIC,
	STAT_LABELS,
	STAT_VALUE,
	STAT_ERROR,
	STAT_COLUMNS
};

static const struct column stat_columns[STAT_COLUMNS] = {
	[STAT_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE, 0, NULL, 0 },
	[STAT_METRIC] = { "metric", "METRIC", LEAF_TEXT, COLUMN_NAME, 0, NULL,
	    0 },
	[STAT_LABELS] = { "labels", "LABELS", LEAF_TEXT, COLUMN_SHRINK, 1, NULL,
	    0 },
	[STAT_VALUE] = { "value", "VALUE", LEAF_REAL, 0, 0, NULL, DIGITS_ALL },
	[STAT_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view stat_view = { "herd.stats/1", "metrics", VIEW_LIST,
	stat_columns, STAT_COLUMNS };

/* A line of Prometheus' text format: name{labels} value */
static bool
split_sample(struct span line, struct span *name, struct span *labels,
    struct span *value)
{
	size_t n = 0;
	size_t end;

	if (line.len == 0 || line.data[0] == '#')
		return false;
	while (n < line.len && line.data[n] != '{' && line.data[n] != ' ')
		n++;
	*name = span_of(line.data, n);
	*labels = span_from("");
	end = n;
	if (n < line.len && line.data[n] == '{') {
		bool quoted = false;

		for (end = n + 1; end < line.len; end++) {
			if (line.data[end] == '\\')
				end++;
			else if (line.data[end] == '"')
				quoted = !quoted;
			else if (line.data[end] == '}' && !quoted)
				break;
		}
		if (end >= line.len)
			return false;
		*labels = span_of(line.data + n + 1, end - n - 1);
		end++;
	}
	*value = span_of(line.data + end, line.len - end);
	*value = text_next_field(value);
	return name->len > 0 && value->len > 0;
}

/* name{labels}: `stats iamat' finds the requests of that kind. */
static bool
is_sought(const struct run *run, struct span name, struct span labels)
{
	const char *glob = run_word(run, 0);
	char *text = xstrndup(
	    name.data, labels.len > 0 ? name.len + labels.len + 2 : name.len);
	bool sought = glob == NULL || fnmatch(glob, text, 0) == 0 ||
		      strstr(text, glob) != NULL;

	free(text);
	return sought;
}

static bool
add_sample(struct run *run, const struct answer *a, struct span line)
{
	struct span name;
	struct span labels;
	struct span value;
	char *text;

	if (!split_sample(line, &name, &labels, &value) ||
	    !is_sought(run, name, labels))
		return false;
	json_set_node(&run->out, a->target->name);
	out_text(&run->out, STAT_METRIC, name);
	if (labels.len > 0)
		out_text(&run->out, STAT_LABELS, labels);
	text = xstrndup(value.data, value.len);
	out_real(&run->out, STAT_VALUE, strtod(text, NULL));
	free(text);
	out_row(&run->out);
	return true;
}

/* The node's own text; for several nodes with a label that says whose. */
static void
put_labelled(struct run *run, const struct answer *a, struct span line)
{
	struct span name;
	struct span labels;
	struct span value;
	struct buf out;

	if (!split_sample(line, &name, &labels, &value))
		return;
	buf_init(&out, XBUF_MAX);
	put_span(&out, name);
	putf(
	    &out, "{node=\"%s\"%s", a->target->name, labels.len > 0 ? "," : "");
	put_span(&out, labels);
	put_text(&out, "} ");
	put_span(&out, value);
	put_byte(&out, '\n');
	sink_write_foreign(&run->sink, buf_span(&out));
	buf_release(&out);
}

static enum status
ask_metrics(struct run *run, struct answers *answers)
{
	struct question *questions =
	    xcalloc(run->target_count, sizeof(*questions));
	enum status status;

	for (size_t i = 0; i < run->target_count; i++)
		questions[i] = (struct question){ .target = run->targets[i],
			.method = "GET",
			.path = "/metrics",
			.any_body = true };
	status = ask(run, questions, run->target_count, answers);
	free(questions);
	return status;
}

/* False: no metric is meant by METRIC. */
static bool
write_stats(struct run *run, const struct answers *answers)
{
	const char *format = run->out.options.format->name;
	bool own_text =
	    strcmp(format, "prometheus") == 0 || out_is_raw(&run->out);
	bool found = false;

	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->items[i];
		struct span body = buf_span(&a->body);

		if (a->status != STATUS_OK && run->all_nodes && !own_text)
			out_failure(&run->out, a->target->name, a->message);
		if (a->status != STATUS_OK)
			continue;
		found |= own_text;
		if (own_text && !run->all_nodes) {
			sink_write_foreign(&run->sink, body);
			continue;
		}
		while (body.len > 0) {
			struct span line = width_take_line(&body, 0);

			if (own_text)
				put_labelled(run, a, line);
			else
				found |= add_sample(run, a, line);
		}
	}
	if (!own_text)
		out_end(&run->out);
	return found;
}

static enum status
run_stats(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &stat_view);
	if (status == STATUS_OK)
		status = ask_metrics(run, &answers);
	if (status == STATUS_OK) {
		enum status asked = answers_status(&answers);
		bool found = true;

		if (asked == STATUS_OK || run->all_nodes)
			found = write_stats(run, &answers);
		status = answers_report(run, &answers);
		if (status == STATUS_OK && !found)
			status = run_fail(run, STATUS_NEGATIVE,
			    "no metric is called so; `stats' without a name "
			    "lists them");
	}
	answers_release(&answers);
	return status;
}

/* --- the table ------------------------------------------------------- */

static const struct flag event_flags[] = {
	{ "type", 0, "LIST", false, COMPLETE_WORDS, EVENT_TYPES,
	    "only these, with commas" },
	{ "client", 0, "GLOB", false, COMPLETE_CLIENT, NULL,
	    "only reports of clients whose id matches" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

static const struct argument glob_arguments[] = {
	{ "METRIC", COMPLETE_NONE, true, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct command client_watch_commands[] = {
	{ "events", "print what happens on nodes, as it happens",
	    "Until Ctrl-C, or until --limit N events have come. A reader that "
	    "is too slow gets each client's newest report only, and is told.",
	    NULL, event_flags, &event_view, COMMAND_STREAM | COMMAND_HARMLESS,
	    run_events, "events --type report --client 'bus-*' -n all",
	    GROUP_WATCHING },
	{ "stats", "show a node's metrics",
	    "METRIC is a part of a name or its labels, or a glob for both. -o prometheus and -o raw "
	    "give the node's own text.",
	    glob_arguments, NULL, &stat_view, COMMAND_READ, run_stats,
	    "stats herd_requests", GROUP_WATCHING },
	{ "top", "show the herd at work, live",
	    "The key q leaves. n, c, i, w, v, o, l, p, m sort by name, clients, "
	    "iamat, whatsat, invalid, owed, lag, places and memory, the most "
	    "first, r the other way round. --sort takes these words too. OWED "
	    "is what all links of a node still owe, LAG that of the slowest "
	    "one. -1 measures for a second and prints once.",
	    top_arguments, NULL, &top_view, COMMAND_HERD | COMMAND_HARMLESS,
	    top_run, "top --sort lag", GROUP_WATCHING },
	{ "map", "draw where a node's clients are",
	    "On a screen, and with plain; every other format gets the clients "
	    "themselves, as `client ls'.",
	    NULL, map_flags, &client_list_view, COMMAND_READ, map_run,
	    "map --near 34.068930,-118.445127 --km 20", GROUP_WATCHING },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
