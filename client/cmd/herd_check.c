/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd check: what an operator should know of the herd's shape and state,
 * one finding to a row. The shape comes from the herd file; the rest from
 * the nodes.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/findings.h"
#include "herd/eager.h"
#include "herd/graph.h"
#include "run/fields.h"

/* clang-format off */
#define CHECK_COLUMNS(X) \
	X(CHECK_NAME, "check", "CHECK", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(CHECK_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(CHECK_VALUE, "value", "VALUE", VALUE_REAL) \
	X(CHECK_TEXT, "text", "WHAT IT MEANS", VALUE_TEXT, .traits = COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(columns, CHECK_COLUMNS);

static const struct view herd_check_view =
    VIEW(columns, .schema = "herd.check/1", .list = "checks");

struct herdcheck {
	struct run *run;
	const struct exam *exam;
	const struct findings *findings;
	enum plugin_state worst; /* of what is known */
	bool unknown;            /* something is not */
};

static void HERD_PRINTF(5, 6) write_row(struct herdcheck *h, const char *name,
    enum plugin_state state, double value, const char *fmt, ...)
{
	struct out *out = &h->run->out;
	struct buf text = XBUF;
	va_list args;

	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	out_word(out, CHECK_NAME, name);
	out_word(out, CHECK_STATE, finding_state_word(state));
	if (isfinite(value))
		out_real(out, CHECK_VALUE, value);
	out_text(out, CHECK_TEXT, buf_span(&text));
	out_row(out);
	buf_release(&text);
	if (state == PLUGIN_UNKNOWN)
		h->unknown = true;
	else if (state > h->worst)
		h->worst = state;
}

/* --- facts ----------------------------------------------------------- */

static void
write_shape(struct herdcheck *h)
{
	const struct herdfile *file = &h->run->herd->file;
	struct graph_edge *edges =
	    xcalloc(file->link_count + 1, sizeof(*edges));
	struct graph_facts facts;
	struct eager eager;

	for (size_t i = 0; i < file->link_count; i++)
		edges[i] =
		    (struct graph_edge){ file->links[i].a, file->links[i].b };
	must(graph_study(file->node_count, edges, file->link_count, &facts));
	write_row(h, "nodes", PLUGIN_OK, (double)facts.nodes, "nodes in %s",
	    h->run->herd->path);
	write_row(
	    h, "links", PLUGIN_OK, (double)facts.edges, "links between them");
	write_row(h, "diameter", PLUGIN_OK, (double)facts.diameter,
	    "hops from one end to the other");
	write_row(h, "cost", PLUGIN_OK, (double)facts.cost,
	    "messages for each report, over the whole herd");
	must(eager_of_file(file, &eager));
	write_row(h, "sparse cost", PLUGIN_OK, (double)eager.cost,
	    "the same over the %zu eager links alone, with %zu hops from one "
	    "end to the other (flood: %s)",
	    eager.count, eager.diameter,
	    file->settings.flood == FLOOD_SPARSE ? "sparse" : "all");
	eager_release(&eager);
	graph_facts_release(&facts);
	free(edges);
}

/* --- topics ---------------------------------------------------------- */

/* What was found of one topic. */
struct summary {
	size_t count;
	double value; /* the largest that was measured, or the count */
	enum plugin_state state;
	struct buf text;
};

static void
sum_up(const struct herdcheck *h, enum topic topic, struct summary *out)
{
	double most = FIELDS_UNKNOWN;

	*out = (struct summary){ .text = XBUF };
	put_text(&out->text, finding_topic(topic)->before);
	findings_each(f, h->findings)
	{
		/* What is unknown is listed for all such nodes together. */
		if (f->topic != topic || f->id == FINDING_UNASKED)
			continue;
		put_text(&out->text, out->count++ > 0 ? "; " : "");
		put_text(&out->text, f->text);
		out->state =
		    plugin_worse(out->state, finding_row(f->id)->state);
		most = fmax(most, f->value);
	}
	out->value = isnan(most) ? (double)out->count : most;
}

/* Nodes that do not say it, besides those that are silent. */
static size_t
list_unknown(const struct herdcheck *h, enum topic topic, struct buf *list)
{
	size_t count = findings_unknown(h->findings, topic, list);

	findings_each(f, h->findings)
	{
		if (f->topic != topic || f->id != FINDING_UNASKED)
			continue;
		if (strstr(text_of(list), f->node) == NULL)
			putf(list, "%s%s", count++ > 0 ? ", " : "", f->node);
	}
	return count;
}

static void
write_topic(struct herdcheck *h, enum topic topic)
{
	const struct topic_row *row = finding_topic(topic);
	struct summary sum;
	struct buf unknown = XBUF;
	bool all_known = list_unknown(h, topic, &unknown) == 0;

	sum_up(h, topic, &sum);
	if (isfinite(h->findings->measured[topic]))
		sum.value = h->findings->measured[topic];
	if (sum.count > 0)
		write_row(h, row->name, sum.state, sum.value, "%s%s%s",
		    text_of(&sum.text), all_known ? "" : "; unknown of ",
		    text_of(&unknown));
	else if (all_known)
		write_row(h, row->name, PLUGIN_OK, sum.value, "%s", row->fine);
	else
		write_row(h, row->name, PLUGIN_UNKNOWN, FIELDS_UNKNOWN,
		    "unknown of %s", text_of(&unknown));
	h->unknown |= !all_known;
	buf_release(&sum.text);
	buf_release(&unknown);
}

static enum status
write_checks(struct herdcheck *h)
{
	struct run *run = h->run;

	if (run->herd->has_file)
		write_shape(h);
	for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
		if (run->herd->has_file ||
		    finding_topic(topic)->probe != PROBE_FACTS)
			write_topic(h, topic);
	}
	exam_raw(h->exam);
	out_member_bool(&run->out, "ok", h->worst == PLUGIN_OK && !h->unknown);
	out_footer(&run->out, "%s%s",
	    h->worst == PLUGIN_CRITICAL  ? "critical"
	    : h->worst == PLUGIN_WARNING ? "works, with warnings"
					 : "all is well",
	    h->unknown ? ", as far as nodes could be asked" : "");
	out_end(&run->out);
	return h->worst == PLUGIN_CRITICAL ? STATUS_NEGATIVE : STATUS_OK;
}

static enum status
herd_check_run(struct run *run)
{
	struct exam exam;
	struct findings findings;
	struct herdcheck h = {
		.run = run, .exam = &exam, .findings = &findings
	};
	/* First, so that a misspelt column is found before nodes are asked. */
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &herd_check_view);
	if (status != STATUS_OK)
		return status;
	status = exam_begin(run, EXAM_ALL, true, &exam);
	if (status == STATUS_OK) {
		findings_find(&exam, &findings);
		status = write_checks(&h);
		findings_release(&findings);
	}
	exam_release(&exam);
	return status;
}

const struct command cmd_herd_check = {
	.path = "herd check",
	.summary = "check the herd's shape and state",
	.help =
	    "The shape is the herd file's: parts, diameter, messages for each "
	    "report over all links and over the eager ones (see flood in "
	    "herd.yaml(5)), links and nodes whose loss would split it. What could not "
	    "be asked is unknown. The exit status is 1 when something is "
	    "critical; `doctor' says what to do about it.",
	.group = GROUP_HERD,
	.view = &herd_check_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = herd_check_run,
	.example = "herd check",
};
