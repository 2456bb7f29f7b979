/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What clients do, by hand: iamat, whatsat (in whatsat.c), raw, ping.
 * `raw` is for seeing bytes: nothing of it is checked, changed or formatted.
 */
#include "cmd/commands.h"

#include <stdlib.h>
#include <string.h>

#include "run/ask.h"
#include "cmd/data.h"
#include "herd/request.h"
#include "herd/text.h"
#include "run/fields.h"
#include "base/xbuf.h"

/* --- iamat ----------------------------------------------------------- */

enum {
	IAMAT_NODE,
	IAMAT_CLIENT,
	IAMAT_TIME,
	IAMAT_LOCATION,
	IAMAT_SKEW,
	IAMAT_MS,
	IAMAT_ERROR,
	IAMAT_COLUMNS
};

static const struct column iamat_columns[IAMAT_COLUMNS] = {
	[IAMAT_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS,
	    0, NULL, 0 },
	[IAMAT_CLIENT] = { "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK, 0, NULL, 0 },
	[IAMAT_TIME] = { "time", "CLIENT TIME", LEAF_TIME, 0, 2, NULL, 0 },
	[IAMAT_LOCATION] = { "location", "LOCATION", LEAF_PLACE, 0, 1, NULL,
	    0 },
	[IAMAT_SKEW] = { "skew", "SKEW", LEAF_TEXT, 0, 3, NULL, 0 },
	[IAMAT_MS] = { "took_ms", "TOOK", LEAF_MS, 0, 4, NULL, 0 },
	[IAMAT_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },
};

static const struct view iamat_view = { "herd.iamat/1", "reports", VIEW_LIST,
	iamat_columns, IAMAT_COLUMNS };

enum status
data_read_client(struct run *run, const char *id)
{
	if (client_id_is_valid(span_from(id)))
		return STATUS_OK;
	put_byte(&run->message, '`');
	put_clean(&run->message, span_from(id));
	put_text(&run->message,
	    "' is no client id: it has 1 to 65,535 bytes and no white space");
	return run_fail_message(run, STATUS_USAGE);
}

enum status
data_read_location(
    struct run *run, const char *typed, struct buf *text, struct location *out)
{
	enum herd_error error =
	    location_from_human(span_from(typed), text, out);

	if (error == HERD_OK)
		return STATUS_OK;
	put_byte(&run->message, '`');
	put_clean(&run->message, span_from(typed));
	put_text(&run->message,
	    error == HERD_ERANGE
		? "': a latitude is from -90 to 90, a longitude from -180 to "
		  "180"
		: "' is no location: write +34.068930-118.445127 or "
		  "34.068930,-118.445127");
	return run_fail_message(run, STATUS_USAGE);
}

/* The time as typed, or the clock's. */
static enum status
put_time(struct run *run, const char *typed, struct buf *out)
{
	uint64_t ns;

	if (typed == NULL || strcmp(typed, "now") == 0) {
		char text[TIME_FORMAT_MAX];
		size_t len = time_format(now_wall().ns, text);

		put(out, text, len);
		return STATUS_OK;
	}
	if (time_parse(span_from(typed), &ns) == HERD_OK) {
		put_text(out, typed);
		return STATUS_OK;
	}
	put_byte(&run->message, '`');
	put_clean(&run->message, span_from(typed));
	put_text(&run->message,
	    "' is no time: seconds since 1970, such as 1621464827.959498503, "
	    "or now");
	return run_fail_message(run, STATUS_USAGE);
}

/*
 * What was well-formed when it went out is refused for what it means. The
 * node does not say why.
 */
static const char *
probable_reason(struct span line)
{
	struct span word;

	(void)text_next_field(&line); /* `?' */
	word = text_next_field(&line);
	if (span_is(word, "WHATSAT"))
		return " (it holds no such client; `client show' with -n all "
		       "asks every node)";
	if (span_is(word, "IAMAT"))
		return " (a time far ahead of its clock is refused, and so is a "
		       "new client at max_memory or max_clients; `client "
		       "refused' says which)";
	return "";
}

static enum status
refused(struct run *run, const struct exchange *x)
{
	struct span line = buf_span(&x->first);

	if (line.len > 0)
		line.len--;
	put_clean(&run->message, span_from(x->target->name));
	put_text(&run->message, " refused it: ");
	put_clean(
	    &run->message, line.len > 200 ? span_of(line.data, 200) : line);
	put_text(&run->message, probable_reason(line));
	return run_fail_message(run, STATUS_REFUSED);
}

enum status
data_reply(struct run *run, struct exchange *x, struct reply *out)
{
	if (x->status != STATUS_OK)
		return x->status;
	if (reply_parse(buf_span(&x->first), x->kind, out) != HERD_OK) {
		x->status = STATUS_REPLY;
		x->message = xstrdup("what it sent is no answer to that");
	} else if (out->refused) {
		return refused(run, x);
	}
	return x->status;
}

/* It has to repeat what it was told, byte for byte. */
static bool
is_copy(const struct reply *reply, struct span request)
{
	struct span client;
	struct span location;
	struct span time;

	(void)text_next_field(&request);
	client = text_next_field(&request);
	location = text_next_field(&request);
	time = text_next_field(&request);
	return span_equal(reply->report.client, client) &&
	       span_equal(reply->report.location, location) &&
	       span_equal(reply->report.time, time);
}

static void
iamat_row(struct run *run, const struct exchange *x, const struct reply *reply)
{
	struct out *out = &run->out;
	const struct report *r = &reply->report;
	struct location at;

	out_text(out, IAMAT_NODE, r->origin);
	out_text(out, IAMAT_CLIENT, r->client);
	out_text(out, IAMAT_TIME, r->time);
	out_text(out, IAMAT_SKEW, r->skew);
	out_real(out, IAMAT_MS, x->ms);
	if (location_parse(r->location, &at) == HERD_OK)
		out_place(out, IAMAT_LOCATION, r->location, location_lat(at),
		    location_lon(at));
	out_row(out);
}

static enum status
iamat_answer(struct run *run, struct exchange *x, struct span request)
{
	struct reply reply;
	enum status status;

	out_raw(&run->out, buf_span(&x->bytes));
	status = data_reply(run, x, &reply);
	if (status == STATUS_OK && !is_copy(&reply, request)) {
		x->status = STATUS_REPLY;
		x->message = xstrdup("it answered to another report");
		status = x->status;
	}
	if (status == STATUS_OK)
		iamat_row(run, x, &reply);
	else if (x->status != STATUS_OK && run->all_nodes)
		out_failure(&run->out, x->target->name, x->message);
	return status;
}

static enum status
send_iamat(struct run *run, struct span request)
{
	struct exchanges answers;
	enum status status = exchange_all(run, request, &answers);
	enum status refused = STATUS_OK;

	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++) {
		if (iamat_answer(run, &answers.items[i], request) ==
		    STATUS_REFUSED)
			refused = STATUS_REFUSED;
	}
	if (status == STATUS_OK) {
		if (run->out.count > 0)
			out_end(&run->out);
		status = exchanges_report(run, &answers);
	}
	exchanges_release(&answers);
	return refused != STATUS_OK ? refused : status;
}

static enum status
run_iamat(struct run *run)
{
	struct buf request;
	struct buf location;
	struct location at;
	enum status status = data_read_client(run, run_word(run, 0));

	buf_init(&request, XBUF_MAX);
	buf_init(&location, XBUF_MAX);
	if (status == STATUS_OK)
		status =
		    data_read_location(run, run_word(run, 1), &location, &at);
	putf(&request, "IAMAT %s %s ", run_word(run, 0), text_of(&location));
	if (status == STATUS_OK)
		status = put_time(run, run_word(run, 2), &request);
	if (status == STATUS_OK)
		status = run_begin(run, &iamat_view);
	if (status == STATUS_OK)
		status = send_iamat(run, buf_span(&request));
	buf_release(&request);
	buf_release(&location);
	return status;
}

/* --- raw ------------------------------------------------------------- */

static bool
any_refused(struct span bytes)
{
	bool at_start = true;

	for (size_t i = 0; i + 1 < bytes.len; i++) {
		if (at_start && bytes.data[i] == '?' &&
		    bytes.data[i + 1] == ' ')
			return true;
		at_start = bytes.data[i] == '\n';
	}
	return false;
}

/* Is each of the lines a WHATSAT? */
static bool
asks_only(struct span lines)
{
	struct request request;
	struct span line;

	for (;;) {
		const char *end = span_find(lines, '\n');

		line = end == NULL
			   ? lines
			   : span_of(lines.data, (size_t)(end - lines.data));
		request_parse(line, &request);
		if (request.kind != REQUEST_WHATSAT)
			return false;
		if (end == NULL)
			return true;
		lines = span_of(end + 1, lines.len - line.len - 1);
	}
}

static enum status
run_raw(struct run *run)
{
	struct exchanges answers = { 0 };
	const struct target *target;
	struct buf request;
	enum status status = run_one_target(run, &target);

	buf_init(&request, XBUF_MAX);
	for (size_t i = 0; i < run->args->count; i++) {
		if (i > 0)
			put_byte(&request, ' ');
		put_text(&request, run_word(run, i));
	}
	if (status == STATUS_OK && !asks_only(buf_span(&request)))
		status = run_may_change(run);
	if (status == STATUS_OK)
		status = exchange_all(run, buf_span(&request), &answers);
	if (status == STATUS_OK) {
		sink_write_foreign(
		    &run->sink, buf_span(&answers.items[0].bytes));
		sink_flush(&run->sink);
		status = exchanges_report(run, &answers);
	}
	if (status == STATUS_OK &&
	    any_refused(buf_span(&answers.items[0].bytes)))
		status = STATUS_REFUSED;
	exchanges_release(&answers);
	buf_release(&request);
	return status;
}

/* --- the table ------------------------------------------------------- */

static const struct argument iamat_arguments[] = {
	{ "CLIENT", COMPLETE_CLIENT, false, false, NULL, false },
	{ "LOCATION", COMPLETE_NONE, false, false, NULL, false },
	{ "TIME|now", COMPLETE_WORDS, true, false, "now", false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument whatsat_arguments[] = {
	{ "CLIENT", COMPLETE_CLIENT, false, false, NULL, false },
	{ "RADIUS[km|m|mi]", COMPLETE_NONE, false, false, NULL, false },
	{ "MAX", COMPLETE_NONE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct flag whatsat_flags[] = {
	{ "map", 0, NULL, false, COMPLETE_NONE, NULL,
	    "draw the places around the client" },
	{ "sort", 0, "KEY", false, COMPLETE_WORDS, "distance rating name",
	    "by distance, rating or name (else as the server ranks them)" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

static const struct argument raw_arguments[] = {
	{ "LINE", COMPLETE_NONE, true, true, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct command client_data_commands[] = {
	{ "iamat", "report a client's location to a node",
	    "LOCATION is +34.068930-118.445127 or 34.068930,-118.445127; a "
	    "leading sign never makes it an option. TIME is in seconds since "
	    "1970 and goes out as it is typed; `now' is the default.",
	    iamat_arguments, NULL, &iamat_view, COMMAND_WRITE, run_iamat,
	    "iamat kiwi.cs.ucla.edu +34.068930-118.445127", GROUP_CLIENTS },
	{ "whatsat", "show what is near a client",
	    "At most MAX (1 to 20) places within RADIUS (at most 50 km) of "
	    "where the client was last reported. -o json and -o raw give the "
	    "node's own answer.",
	    whatsat_arguments, whatsat_flags, &whatsat_view, COMMAND_READ,
	    whatsat_run, "whatsat kiwi.cs.ucla.edu 10km 5", GROUP_CLIENTS },
	{ "raw", "send a line as it is, show the answer as it is",
	    "In the REPL and in scripts the rest of the line is sent byte for "
	    "byte; on a command line the words are joined by one space, and a "
	    "line feed in them separates requests. The exit status is 5 when "
	    "an answer is `? ...'. Where it is read-only, only WHATSAT may be "
	    "sent.",
	    raw_arguments, NULL, NULL, COMMAND_VERBATIM | COMMAND_BY_LINE,
	    run_raw, "raw WHATSAT kiwi.cs.ucla.edu 10 5", GROUP_CLIENTS },
	{ "trace", "follow one report through the herd",
	    "Reports CLIENT at LOCATION to a node and prints by which links "
	    "it reached the others, and when.",
	    trace_arguments, NULL, &trace_view, COMMAND_WRITE, trace_run,
	    "trace probe-1 34.068930,-118.445127", GROUP_CLIENTS },
	{ "bench", "measure a herd under load",
	    "Many connections send reports, questions or both; the answers "
	    "are checked and timed. The clients that are asked for are "
	    "reported before, which is not measured. Refused in a protected "
	    "context.",
	    bench_arguments, bench_flags, &bench_view, COMMAND_WRITE, bench_run,
	    "bench iamat --clients 1000 --duration 10s", GROUP_CLIENTS },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
