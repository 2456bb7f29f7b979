/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * iamat: a client reports its location, by hand.
 */
#include "cmd/list.h"

#include <string.h>

#include "base/xbuf.h"
#include "cmd/first_reply.h"
#include "cmd/typed.h"
#include "herd/text.h"

/* clang-format off */
#define IAMAT_COLUMNS(X) \
	X(IAMAT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS) \
	X(IAMAT_CLIENT, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(IAMAT_TIME, "time", "CLIENT TIME", VALUE_TIME, .drop = 2) \
	X(IAMAT_LOCATION, "location", "LOCATION", VALUE_PLACE, .drop = 1) \
	X(IAMAT_SKEW, "skew", "SKEW", VALUE_TEXT, .drop = 3) \
	X(IAMAT_MS, "took_ms", "TOOK", VALUE_MS, .drop = 4) \
	X(IAMAT_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(iamat_columns, IAMAT_COLUMNS);

static const struct view iamat_view =
    VIEW(iamat_columns, .schema = "herd.iamat/1", .list = "reports");

static void
put_seconds(struct buf *out, uint64_t ns)
{
	char text[TIME_FORMAT_MAX];

	put(out, text, time_format(ns, text));
}

/* The time as typed, that of an ISO 8601 text, or the clock's. */
static enum status
put_time(struct run *run, const char *typed, struct buf *out)
{
	enum herd_error error;
	uint64_t ns;

	if (typed == NULL || strcmp(typed, "now") == 0) {
		put_seconds(out, now_wall().ns);
		return STATUS_OK;
	}
	error = time_from_iso(span_from(typed), &ns);
	if (error == HERD_OK) {
		put_seconds(out, ns);
		return STATUS_OK;
	}
	if (error == HERD_ERANGE)
		return run_fail(run, STATUS_USAGE,
		    "`%s': there is no such day or hour, or it is not from "
		    "1970 to 2514",
		    typed);
	if (time_parse(span_from(typed), &ns) == HERD_OK) {
		put_text(out, typed);
		return STATUS_OK;
	}
	return run_fail(run, STATUS_USAGE,
	    "`%s' is no time: seconds since 1970, such as "
	    "1621464827.959498503, a date and time with its offset, such as "
	    "2021-05-19T22:53:47Z, or now",
	    typed);
}

/* The answer must repeat the report byte for byte. */
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
iamat_row(
    struct run *run, const struct conversation *x, const struct reply *reply)
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
iamat_answer(struct run *run, struct conversation *x, struct span request)
{
	struct reply reply;
	enum status status;

	out_raw(&run->out, buf_span(&x->bytes));
	status = first_reply_read(run, x, &reply);
	if (status == STATUS_OK && !is_copy(&reply, request)) {
		x->status = STATUS_REPLY;
		x->message = xstrdup("it answered to another report");
		status = x->status;
	}
	if (status == STATUS_OK)
		iamat_row(run, x, &reply);
	else if (x->status != STATUS_OK && run->all_nodes)
		out_failure(
		    &run->out, x->target->name, "unreachable", x->message);
	return status;
}

static enum status
send_iamat(struct run *run, struct span request)
{
	struct conversations answers;
	enum status status = conversation_all(run, request, &answers);
	enum status refused = STATUS_OK;

	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++) {
		if (iamat_answer(run, &answers.items[i], request) ==
		    STATUS_REFUSED)
			refused = STATUS_REFUSED;
	}
	if (status == STATUS_OK) {
		if (run->out.count > 0)
			out_end(&run->out);
		status = conversations_report(run, &answers);
	}
	conversations_release(&answers);
	return refused != STATUS_OK ? refused : status;
}

static enum status
iamat_run(struct run *run)
{
	struct buf request = XBUF;
	struct buf location = XBUF;
	struct location at;
	enum status status = typed_client(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = typed_location(run, run_word(run, 1), &location, &at);
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

const struct command cmd_iamat = {
	.path = "iamat",
	.summary = "report a client's location to a node",
	.help =
	    "LOCATION is +34.068930-118.445127 or 34.068930,-118.445127; a "
	    "leading sign never makes it an option. TIME is in seconds since "
	    "1970 and goes out as it is typed; or it is ISO 8601 with Z or an "
	    "offset, 2026-11-28T10:00:00Z, and goes out in seconds; `now' is "
	    "the default.",
	.group = GROUP_CLIENTS,
	.args =
	    ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT), ARG("LOCATION"),
		ARG("TIME|now", .complete = COMPLETE_WORDS, .optional = true,
		    .words = "now")),
	.view = &iamat_view,
	.traits = COMMAND_WRITE,
	.run = iamat_run,
	.example = "iamat kiwi.cs.ucla.edu +34.068930-118.445127",
};
