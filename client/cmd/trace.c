/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace: one report through the herd. Every node's events are watched for
 * the client, then it is reported; each node that accepts it says by which
 * link it came, and when. Times are the nodes' own clocks against the one
 * that took the report; `seen' is this machine's, and includes the pause in
 * which a node gathers events and the way back here.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/first_reply.h"
#include "cmd/typed.h"
#include "herd/text.h"
#include "run/conversation.h"
#include "run/fields.h"
#include "run/sketch.h"
#include "run/stream.h"

/* clang-format off */
#define TRACE_COLUMNS(X) \
	X(TRACE_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(TRACE_FROM, "from", "FROM", VALUE_TEXT, .traits = COLUMN_LABEL) \
	X(TRACE_HOPS, "hops", "HOPS", VALUE_INTEGER) \
	X(TRACE_AFTER, "after_ms", "AFTER", VALUE_MS) \
	X(TRACE_SEEN, "seen_ms", "SEEN", VALUE_MS) \
	X(TRACE_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(TRACE_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(trace_columns, TRACE_COLUMNS);

static const struct view trace_view =
    VIEW(trace_columns, .schema = "herd.trace/1", .list = "hops");

/* One node's part in it. */
struct hop {
	const struct target *target;
	bool arrived;
	bool written;
	char *from;
	uint64_t at_ns; /* the node's clock, 0 = unknown */
	struct mono seen;
};

struct trace {
	struct run *run;
	const struct target *entry; /* takes the report */
	const char *client;
	char time[TIME_FORMAT_MAX + 1];
	struct mono sent;
	struct hop *hops;
	size_t count;
	size_t arrived;
	struct streams *streams; /* one per hop */
	struct mono half;        /* who is silent until then is given up */
	struct sketch sketch;    /* on a terminal: what is known so far */
	size_t drawn;            /* hops that are missing in it */
};

/* The report goes off when all nodes are watched, or those that answer. */
#define PATIENCE_NS HERD_NS_PER_S

static void
note(struct trace *t, struct hop *hop, const cJSON *event)
{
	const char *time = fields_text(event, "time");
	const char *from = fields_text(event, "from");
	const char *at = fields_text(event, "at");

	if (hop->arrived || time == NULL || strcmp(time, t->time) != 0)
		return;
	hop->arrived = true;
	hop->seen = now_mono();
	hop->from = from == NULL ? NULL : xstrdup(from);
	if (at == NULL || time_parse(span_from(at), &hop->at_ns) != HERD_OK)
		hop->at_ns = 0;
	t->arrived++;
}

static void
on_line(void *arg, const struct target *target, struct span line)
{
	struct trace *t = arg;
	cJSON *event = cJSON_ParseWithLength(line.data, line.len);
	const char *kind = fields_text(event, "event");

	for (size_t i = 0; i < t->count; i++) {
		if (t->hops[i].target == target && kind != NULL &&
		    strcmp(kind, "report") == 0)
			note(t, &t->hops[i], event);
	}
	cJSON_Delete(event);
}

/* The id as a glob. It may match other ids; the report's time decides. */
static char *
events_path(const char *client)
{
	struct buf glob = XBUF;
	struct buf path = XBUF;

	for (const char *c = client; *c != '\0'; c++) {
		/* In brackets these are plain characters to every matcher. */
		if (strchr("*?[", *c) != NULL)
			putf(&glob, "[%c]", *c);
		else
			put_byte(&glob, *c == '\\' ? '?' : *c);
	}
	put_query(&path, "/v1/events?type=report&client=", text_of(&glob));
	buf_release(&glob);
	return text_take(&path);
}

static struct hop *
find_hop(struct trace *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (name != NULL && strcmp(t->hops[i].target->name, name) == 0)
			return &t->hops[i];
	}
	return NULL;
}

static void
write_hop(struct trace *t, struct out *out, struct hop *hop, size_t hops)
{
	struct hop *first = find_hop(t, t->entry->name);
	struct buf name = XBUF;

	hop->written = true;
	/* People see the tree; for programs `from' says the same. */
	if (out_is_looks(out) && hops > 0) {
		put_fill(&name, ' ', (hops - 1) * 3);
		put_text(&name, "`- ");
	}
	put_text(&name, hop->target->name);
	out_text(out, TRACE_NODE, buf_span(&name));
	buf_release(&name);
	out_word(out, TRACE_FROM, hop->from);
	out_integer(out, TRACE_HOPS, (int64_t)hops);
	out_word(out, TRACE_STATE, "ok");
	out_real(out, TRACE_SEEN, (double)mono_since(hop->seen, t->sent) / 1e6);
	if (first != NULL && first->at_ns != 0 && hop->at_ns != 0)
		out_real(out, TRACE_AFTER,
		    ((double)hop->at_ns - (double)first->at_ns) / 1e6);
	out_row(out);
}

/* The node, then those that have it from there. */
static void
write_tree(struct trace *t, struct out *out, struct hop *hop, size_t hops)
{
	write_hop(t, out, hop, hops);
	for (size_t i = 0; i < t->count; i++) {
		struct hop *next = &t->hops[i];

		if (next->arrived && !next->written && next->from != NULL &&
		    strcmp(next->from, hop->target->name) == 0)
			write_tree(t, out, next, hops + 1);
	}
}

/* A node that has not got it, or whose events nobody could watch. */
static void
write_absent(struct trace *t, struct out *out, size_t i, bool final)
{
	const char *why = NULL;
	const char *state = "waiting";

	switch (streams_state(t->streams, i, &why)) {
	case STREAM_OPEN: break;
	case STREAM_WAITING: why = "no answer yet"; break;
	case STREAM_ENDED: state = "unreachable"; break;
	}
	out_word(out, TRACE_NODE, t->hops[i].target->name);
	out_word(out, TRACE_STATE, final ? "missing" : state);
	out_word(out, TRACE_ERROR, why);
	out_row(out);
}

/* All that is known; `final' when nothing more will be. */
static void
write_hops(struct trace *t, struct out *out, bool final)
{
	struct hop *entry = find_hop(t, t->entry->name);

	for (size_t i = 0; i < t->count; i++)
		t->hops[i].written = false;
	if (entry != NULL && entry->arrived)
		write_tree(t, out, entry, 0);
	/* Hops that came from a node that was not watched. */
	for (size_t i = 0; i < t->count; i++) {
		if (t->hops[i].arrived && !t->hops[i].written)
			write_tree(t, out, &t->hops[i], 1);
	}
	for (size_t i = 0; i < t->count; i++) {
		if (!t->hops[i].arrived)
			write_absent(t, out, i, final);
	}
	out_member_bool(out, "complete", t->arrived == t->count);
	out_footer(out, "%zu of %zu nodes have it", t->arrived, t->count);
}

/* Hops that may still come. */
static size_t
count_missing(const struct trace *t)
{
	size_t missing = 0;
	const char *why;

	for (size_t i = 0; i < t->count; i++)
		missing += !t->hops[i].arrived &&
			   streams_state(t->streams, i, &why) != STREAM_ENDED;
	return missing;
}

static bool
has_news(const void *arg)
{
	const struct trace *t = arg;
	size_t missing = count_missing(t);

	return missing == 0 || missing != t->drawn;
}

/* People need not wait for the last hop to see the first. */
static void
draw(struct trace *t)
{
	struct run once = *t->run;

	t->drawn = count_missing(t);
	if (!sketch_is_possible(t->run))
		return;
	sink_init_memory(&once.sink, true);
	once.is_sketch = true;
	if (run_begin(&once, &trace_view) == STATUS_OK) {
		write_hops(t, &once.out, false);
		out_end(&once.out);
		sketch_draw(&t->sketch, buf_span(&once.sink.held));
	}
	out_release(&once.out);
	buf_release(&once.sink.held);
}

/* Until all have it that can have it, each hop is drawn as it comes. */
static enum status
watch_hops(struct trace *t)
{
	struct run *run = t->run;
	enum wait_result result = WAIT_DONE;

	while (result != WAIT_INTERRUPTED && count_missing(t) > 0) {
		bool late = mono_since(t->half, now_mono()) == 0;

		draw(t);
		result = loop_wait(app_loop(run->app), has_news, t,
		    late ? run->deadline : t->half);
		if (result == WAIT_TIMEOUT && late)
			break;
		if (result == WAIT_TIMEOUT)
			streams_drop_silent(t->streams);
	}
	return result == WAIT_INTERRUPTED ? STATUS_SIGINT : STATUS_OK;
}

/* The report itself, to the one node; run->targets are all for the rest. */
static enum status
send_report(struct trace *t, struct span location)
{
	struct run *run = t->run;
	const struct target **all = run->targets;
	size_t count = run->target_count;
	const struct target *one[1] = { t->entry };
	struct conversations answers;
	struct reply reply;
	struct buf request = XBUF;
	enum status status;

	putf(&request, "IAMAT %s %.*s %s", t->client, SPAN_ARG(location),
	    t->time);
	run->targets = one;
	run->target_count = 1;
	t->sent = now_mono();
	status = conversation_all(run, buf_span(&request), &answers);
	run->targets = all;
	run->target_count = count;
	if (status == STATUS_OK)
		status = conversations_report(run, &answers);
	if (status == STATUS_OK)
		status = first_reply_read(run, &answers.items[0], &reply);
	conversations_release(&answers);
	buf_release(&request);
	return status;
}

/* The entry is the one node meant; the rest of the herd is watched. */
static enum status
choose_nodes(struct trace *t)
{
	struct run *run = t->run;
	enum status status = run_one_target(run, &t->entry);

	if (status != STATUS_OK)
		return status;
	t->count = run->herd->count;
	t->hops = xcalloc(t->count, sizeof(*t->hops));
	for (size_t i = 0; i < t->count; i++) {
		t->hops[i].target = &run->herd->targets[i];
		run->targets[i] = &run->herd->targets[i];
	}
	run->target_count = t->count;
	run->all_nodes = true;
	return STATUS_OK;
}

static enum status
write_trace(struct trace *t)
{
	struct run *run = t->run;
	enum status status = run_begin(run, &trace_view);

	if (status != STATUS_OK)
		return status;
	streams_drop_silent(t->streams);
	write_hops(t, &run->out, true);
	out_end(&run->out);
	status = streams_report(t->streams);
	if (status != STATUS_OK)
		return status;
	return t->arrived == t->count ? STATUS_OK : STATUS_NEGATIVE;
}

static struct mono
earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

/* The report is on its way, and the events that tell of it are watched. */
static enum status
send_watched(struct trace *t, struct span location)
{
	struct run *run = t->run;
	char *path = events_path(t->client);
	enum status status = streams_start(run, path, on_line, t, &t->streams);

	free(path);
	/* A node that is silent must not take the others' time too. */
	t->half = run->deadline;
	if (t->half.ns != NO_DEADLINE.ns)
		t->half =
		    deadline_in(mono_since(run->deadline, now_mono()) / 2);
	if (status == STATUS_OK)
		status = streams_await(t->streams,
		    earlier(t->half, mono_add(now_mono(), PATIENCE_NS)));
	if (status == STATUS_OK) {
		draw(t);
		t->time[time_format(now_wall().ns, t->time)] = '\0';
		status = send_report(t, location);
	}
	return status;
}

static enum status
follow(struct trace *t, struct span location)
{
	enum status status = send_watched(t, location);

	if (status == STATUS_OK)
		status = watch_hops(t);
	sketch_clear(&t->sketch);
	if (status == STATUS_OK)
		status = write_trace(t);
	streams_free(t->streams);
	return status;
}

static enum status
trace_run(struct run *run)
{
	struct trace t = {
		.run = run, .client = run_word(run, 0), .sketch = { .run = run }
	};
	struct buf location = XBUF;
	struct location at;
	enum status status = typed_client(run, t.client);

	if (status == STATUS_OK)
		status = typed_location(run, run_word(run, 1), &location, &at);
	if (status == STATUS_OK)
		status = choose_nodes(&t);
	if (status == STATUS_OK)
		status = follow(&t, buf_span(&location));
	for (size_t i = 0; i < t.count; i++)
		free(t.hops[i].from);
	free(t.hops);
	buf_release(&location);
	return status;
}

const struct command cmd_trace = {
	.path = "trace",
	.summary = "follow one report through the herd",
	.help =
	    "Reports CLIENT at LOCATION to a node and prints by which links "
	    "it reached the others, and when. On a terminal each hop is shown "
	    "as it comes. A node that is silent for half of --timeout is given "
	    "up.",
	.group = GROUP_CLIENTS,
	.args =
	    ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT), ARG("LOCATION")),
	.view = &trace_view,
	.traits = COMMAND_WRITE,
	.run = trace_run,
	.example = "trace probe-1 34.068930,-118.445127",
};
