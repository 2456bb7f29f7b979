/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client show: one client on one node or on all, compared with the newest
 * report by the herd's own order.
 */
#include "cmd/client_columns.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/data.h"
#include "herd/text.h"
#include "run/fields.h"
#include "cmd/table_family.h"
#include "base/xbuf.h"

static const struct column show_columns[CLIENT_COLUMNS] = {
	[CLIENT_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_LABEL, 0, NULL, 0 },
	[CLIENT_ID] = { "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID | COLUMN_WIDE, 0, "client", 0 },
	[CLIENT_TIME] = { "time", "CLIENT TIME", LEAF_TIME, 0, 0, "time", 0 },
	[CLIENT_LOCATION] = { "location", "LOCATION", LEAF_PLACE, 0, 1,
	    "location", 0 },
	[CLIENT_DISTANCE] = { "distance_m", "DISTANCE", LEAF_DISTANCE,
	    COLUMN_IF_ANY, 0, "distance_m", 0 },
	[CLIENT_RECEIVED] = { "received_at", "RECEIVED", LEAF_CLOCK, 0, 2,
	    "received_at", 0 },
	[CLIENT_AHEAD] = { "ahead_s", "AHEAD", LEAF_SECONDS, COLUMN_IF_ANY, 4,
	    "ahead_s", 0 },
	[CLIENT_LAG] = { "lag_ms", "LAG", LEAF_MS, COLUMN_IF_ANY, 3, "lag_ms",
	    0 },
	[CLIENT_STATUS] = { "status", "STATUS", LEAF_STATE, COLUMN_STATE, 0,
	    NULL, 0 },
	[CLIENT_ORIGIN] = { "origin", "ORIGIN", LEAF_TEXT, COLUMN_WIDE, 0,
	    "node", 0 },
	[CLIENT_SKEW] = { "skew", "SKEW", LEAF_TEXT, COLUMN_WIDE, 0, "skew",
	    0 },
	[CLIENT_FROM] = { "from", "FROM", LEAF_TEXT, COLUMN_WIDE, 0, "from",
	    0 },
	[CLIENT_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },
};

const struct view client_show_view = { "herd.clients/1", "clients", VIEW_LIST,
	show_columns, CLIENT_COLUMNS };

/* What the nodes that answered have of the client. */
struct holding {
	const struct answer *answer;
	struct report report; /* borrows the JSON's texts */
};

struct verdict {
	size_t same;
	size_t stale;
	size_t missing;
	size_t unreachable;
};

static struct span
text_at(const cJSON *json, const char *path)
{
	const char *text = json_text(json, path);

	return span_from(text == NULL ? "" : text);
}

static bool
read_holding(const struct answer *answer, struct holding *out)
{
	const cJSON *json = answer->json;
	bool removed = json_is(json, "removed");

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
    const struct holding *newest, struct verdict *verdict)
{
	struct buf text;

	if (report_compare(&h->report, &newest->report) == 0) {
		verdict->same++;
		if (h->report.kind == REPORT_REMOVAL)
			out_word(out, CLIENT_STATUS, "removed");
		else
			out_word(out, CLIENT_STATUS,
			    span_is(h->report.origin, h->answer->target->name)
				? "origin"
				: "same");
		return;
	}
	verdict->stale++;
	buf_init(&text, XBUF_MAX);
	put_text(&text, "stale by ");
	put_duration(
	    &text, (double)(newest->report.time_ns - h->report.time_ns) / 1e9);
	out_text(out, CLIENT_STATUS, buf_span(&text));
	buf_release(&text);
}

static void
add_show_row(struct run *run, const struct answer *answer,
    const struct holding *newest, struct verdict *verdict)
{
	struct out *out = &run->out;
	struct holding h;

	json_set_node(out, answer->target->name);
	if (answer->status == STATUS_NEGATIVE) {
		out_word(out, CLIENT_STATUS, "missing");
		verdict->missing++;
	} else if (read_holding(answer, &h)) {
		out_raw(out, buf_span(&answer->body));
		json_fill_row(out, answer->json);
		if (h.report.kind == REPORT_REMOVAL)
			out->row[CLIENT_LOCATION].known = false;
		set_status(out, &h, newest, verdict);
	} else {
		out_word(out, CLIENT_STATUS, "unreachable");
		out_word(out, CLIENT_ERROR,
		    answer->message == NULL ? "the answer is not a client"
					    : answer->message);
		verdict->unreachable++;
	}
	out_row(out);
}

static void
add_verdict(struct run *run, const struct verdict *v)
{
	bool converged = v->stale + v->missing + v->unreachable == 0;
	struct buf text;

	out_member_bool(&run->out, "converged", converged);
	if (!run->all_nodes)
		return;
	buf_init(&text, XBUF_MAX);
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

/* A node that does not know it is an answer; one that is silent an error. */
static enum status
show_status(
    struct run *run, const struct answers *answers, const struct verdict *v)
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

enum status
client_run_show(struct run *run)
{
	struct answers answers = { 0 };
	struct holding newest;
	struct verdict verdict = { 0 };
	char *path;
	enum status status = run_targets(run);

	/* Among several nodes a removal is something that they can differ in.
	 */
	path = table_client_path(
	    run_word(run, 0), run->all_nodes ? "?removed=1" : "");
	if (status == STATUS_OK)
		status = run_begin(run, &client_show_view);
	if (status == STATUS_OK)
		status = ask_all(run, "GET", path, NULL, &answers);
	free(path);
	if (status == STATUS_OK) {
		bool any = find_newest(&answers, &newest);

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
