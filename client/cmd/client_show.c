/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client show: one client on one node or on all, compared with the newest
 * report by the herd's own order.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "run/fields.h"

/* clang-format off */
#define SHOW_COLUMNS(X) \
	X(SHOW_NODE, "node", "NODE", VALUE_TEXT, \
	    .traits = COLUMN_NODE | COLUMN_ALWAYS | COLUMN_LABEL) \
	X(SHOW_ID, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_WIDE) \
	X(SHOW_TIME, "time", "CLIENT TIME", VALUE_TIME) \
	X(SHOW_LOCATION, "location", "LOCATION", VALUE_PLACE, .drop = 1) \
	X(SHOW_DISTANCE, "distance_m", "DISTANCE", VALUE_DISTANCE, .traits = COLUMN_IF_ANY) \
	X(SHOW_RECEIVED, "received_at", "RECEIVED", VALUE_CLOCK, .drop = 2) \
	X(SHOW_AHEAD, "ahead_s", "AHEAD", VALUE_SECONDS, .traits = COLUMN_IF_ANY, .drop = 4) \
	X(SHOW_LAG, "lag_ms", "LAG", VALUE_MS, .traits = COLUMN_IF_ANY, .drop = 3) \
	X(SHOW_STATUS, "status", "STATUS", VALUE_STATE, .traits = COLUMN_COMPUTED | COLUMN_STATE) \
	X(SHOW_ORIGIN, "origin", "ORIGIN", VALUE_TEXT, .traits = COLUMN_WIDE, .path = "node") \
	X(SHOW_SKEW, "skew", "SKEW", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(SHOW_FROM, "from", "FROM", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(SHOW_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(show_columns, SHOW_COLUMNS);

static const struct view client_show_view =
    VIEW(show_columns, .schema = "herd.clients/1", .list = "clients");

/* A node's record of the client. */
struct holding {
	const struct answer *answer;
	struct report report; /* borrows the JSON's texts */
};

struct agreement {
	size_t same;
	size_t stale;
	size_t missing;
	size_t unreachable;
};

static struct span
text_at(const cJSON *json, const char *path)
{
	const char *text = fields_text(json, path);

	return span_from(text == NULL ? "" : text);
}

static bool
read_holding(const struct answer *answer, struct holding *out)
{
	const cJSON *json = answer->json;
	bool removed = fields_is(json, "removed");

	*out = (struct holding){ .answer = answer };
	if (json == NULL)
		return false;
	out->report = (struct report){
		.client = text_at(json, "client"),
		.time = text_at(json, "time"),
		.location = removed ? span_from("") : text_at(json, "location"),
		.skew = text_at(json, "skew"),
		.origin = text_at(json, "node"),
		.kind = removed ? REPORT_REMOVAL : REPORT_POSITION,
	};
	return time_parse(out->report.time, &out->report.time_ns) == HERD_OK;
}

/* The newest by the herd's own order. */
static bool
find_newest(const struct answers *answers, struct holding *newest)
{
	bool any = false;

	for (size_t i = 0; i < answers->count; i++) {
		struct holding h;

		if (!read_holding(&answers->items[i], &h))
			continue;
		if (!any || report_compare(&h.report, &newest->report) > 0)
			*newest = h;
		any = true;
	}
	return any;
}

static void
set_status(struct out *out, const struct holding *h,
    const struct holding *newest, struct agreement *verdict)
{
	struct buf text = XBUF;

	if (report_compare(&h->report, &newest->report) == 0) {
		verdict->same++;
		if (h->report.kind == REPORT_REMOVAL)
			out_word(out, SHOW_STATUS, "removed");
		else
			out_word(out, SHOW_STATUS,
			    span_is(h->report.origin, h->answer->target->name)
				? "origin"
				: "same");
		return;
	}
	verdict->stale++;
	put_text(&text, "stale by ");
	put_duration(
	    &text, (double)(newest->report.time_ns - h->report.time_ns) / 1e9);
	out_text(out, SHOW_STATUS, buf_span(&text));
	buf_release(&text);
}

static void
add_show_row(struct run *run, const struct answer *answer,
    const struct holding *newest, struct agreement *verdict)
{
	struct out *out = &run->out;
	struct holding h;

	fields_set_node(out, answer->target->name);
	if (answer->status == STATUS_NEGATIVE) {
		out_word(out, SHOW_STATUS, "missing");
		verdict->missing++;
	} else if (read_holding(answer, &h)) {
		out_raw(out, buf_span(&answer->body));
		fields_fill_row(out, answer->json);
		if (h.report.kind == REPORT_REMOVAL)
			out->row[SHOW_LOCATION].known = false;
		set_status(out, &h, newest, verdict);
	} else {
		out_word(out, SHOW_STATUS, answer_failure_state(answer));
		out_word(out, SHOW_ERROR,
		    answer->message == NULL ? "the answer is not a client"
					    : answer->message);
		verdict->unreachable++;
	}
	out_row(out);
}

static void
put_iso(struct buf *text, const char *before, struct span time)
{
	char iso[TIME_ISO_MAX];
	uint64_t ns;

	if (time_parse(time, &ns) != HERD_OK)
		return;
	put_text(text, before);
	put(text, iso, time_to_iso(ns, iso));
}

/* People read when the newest report is from without counting seconds. */
static void
add_heading(struct run *run, const struct holding *newest)
{
	struct buf text = XBUF;

	put_iso(&text, "client time ", newest->report.time);
	put_iso(
	    &text, ", received ", text_at(newest->answer->json, "received_at"));
	out_heading(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

static void
add_verdict(struct run *run, const struct agreement *v)
{
	bool converged = v->stale + v->missing + v->unreachable == 0;
	struct buf text = XBUF;

	out_member_bool(&run->out, "converged", converged);
	if (!run->all_nodes)
		return;
	if (converged)
		putf(&text, "converged: %zu the same", v->same);
	else
		put_text(&text, "not converged:");
	if (v->stale > 0)
		putf(&text, " %zu stale,", v->stale);
	if (v->missing > 0)
		putf(&text, " %zu without it,", v->missing);
	if (v->unreachable > 0)
		putf(&text, " %zu unreachable,", v->unreachable);
	if (!converged)
		buf_truncate(&text, text.len - 1);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

/* "Not found" is an answer; silence is an error. */
static enum status
show_status(
    struct run *run, const struct answers *answers, const struct agreement *v)
{
	if (!run->all_nodes) {
		enum status status = answers_report(run, answers);

		if (status == STATUS_NEGATIVE)
			run_hint(run,
			    "`client show` with -n all asks every node, "
			    "`client ls PREFIX` lists clients");
		return status;
	}
	if (v->unreachable == answers->count)
		return answers_report(run, answers);
	return v->stale + v->missing + v->unreachable > 0 ? STATUS_NEGATIVE
							  : STATUS_OK;
}

static enum status
client_show_run(struct run *run)
{
	struct answers answers = { 0 };
	struct holding newest;
	struct agreement verdict = { 0 };
	char *path;
	enum status status = run_targets(run);

	/* Several nodes can differ in a removal, so it is asked for. */
	path = ask_path("/v1/clients/", span_from(run_word(run, 0)),
	    run->all_nodes ? "?removed=1" : "");
	if (status == STATUS_OK)
		status = fields_ask(
		    run, &(struct fields_request){ .path = path }, &answers);
	free(path);
	if (status == STATUS_OK) {
		bool any = find_newest(&answers, &newest);

		if (any)
			add_heading(run, &newest);
		for (size_t i = 0; i < answers.count; i++) {
			if (run->all_nodes ||
			    answers.items[i].status == STATUS_OK)
				add_show_row(
				    run, &answers.items[i], &newest, &verdict);
		}
		add_verdict(run, &verdict);
		if (any || run->all_nodes)
			out_end(&run->out);
		status = show_status(run, &answers, &verdict);
	}
	answers_release(&answers);
	return status;
}

const struct command cmd_client_show = {
	.path = "client show",
	.summary = "show what nodes know of a client",
	.help =
	    "With -n all every node is asked and compared with the newest "
	    "report; the exit status is 1 unless all have it. RECEIVED is when "
	    "the origin had the report from the client, on every node. The time "
	    "at which a relayed report reached a node is not kept; `trace' "
	    "measures it. FROM is `client' on the origin, else the neighbour that "
	    "gave the report last, or `store'.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.view = &client_show_view,
	.traits = COMMAND_READ,
	.run = client_show_run,
	.example = "client show kiwi.cs.ucla.edu -n all",
};
