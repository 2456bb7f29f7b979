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
#include "cmd/overruled.h"
#include "herd/graph.h"
#include "run/fields.h"

#define CLOCK_MOST_S 1.0 /* nodes whose clocks are farther apart are named */

/* clang-format off */
#define FINDING_COLUMNS(X) \
	X(FINDING_NAME, "check", "CHECK", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(FINDING_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(FINDING_VALUE, "value", "VALUE", VALUE_REAL) \
	X(FINDING_TEXT, "text", "WHAT IT MEANS", VALUE_TEXT, .traits = COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(columns, FINDING_COLUMNS);

static const struct view herd_check_view =
    VIEW(columns, .schema = "herd.check/1", .list = "checks");

enum finding_state { FINDING_OK, FINDING_WARNING, FINDING_CRITICAL };

struct herdcheck {
	struct run *run;
	const struct answers *answers; /* of /v1/status */
	enum finding_state worst;
	struct buf list; /* what the present check has found, in words */
	size_t found;
};

static void HERD_PRINTF(5, 6) find(struct herdcheck *h, const char *name,
    enum finding_state state, double value, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warning", "critical" };
	struct out *out = &h->run->out;
	struct buf text = XBUF;
	va_list args;

	va_start(args, fmt);
	putv(&text, fmt, args);
	va_end(args);
	out_word(out, FINDING_NAME, name);
	out_word(out, FINDING_STATE, words[state]);
	out_real(out, FINDING_VALUE, value);
	out_text(out, FINDING_TEXT, buf_span(&text));
	out_row(out);
	buf_release(&text);
	if (state > h->worst)
		h->worst = state;
	buf_clear(&h->list);
	h->found = 0;
}

/* One more thing that the present check has found. */
static void HERD_PRINTF(3, 4)
    note(struct herdcheck *h, const char *separator, const char *fmt, ...)
{
	va_list args;

	put_text(&h->list, h->list.len > 0 ? separator : "");
	va_start(args, fmt);
	putv(&h->list, fmt, args);
	va_end(args);
	h->found++;
}

/* The end of a check: `fine', or the list between `before' and `after'. */
static void
conclude(struct herdcheck *h, const char *name, enum finding_state state,
    const char *fine, const char *before, const char *after)
{
	if (h->found == 0)
		find(h, name, FINDING_OK, 0, "%s", fine);
	else
		find(h, name, state, (double)h->found, "%s%s%s", before,
		    text_of(&h->list), after);
}

/* --- shape ----------------------------------------------------------- */

static void
find_weak_points(struct herdcheck *h, const struct graph_facts *facts)
{
	static const char splits[] =
	    "the loss of one of these splits the herd: ";
	const struct herdfile *file = &h->run->herd->file;

	for (size_t i = 0; i < facts->edges; i++) {
		if (facts->bridge[i])
			note(h, ", ", "%s-%s",
			    file->nodes[file->links[i].a].name,
			    file->nodes[file->links[i].b].name);
	}
	conclude(h, "bridges", FINDING_WARNING,
	    "no single link's loss splits the herd", splits, "");
	for (size_t i = 0; i < facts->nodes; i++) {
		if (facts->cut[i])
			note(h, ", ", "%s", file->nodes[i].name);
	}
	conclude(h, "cut nodes", FINDING_WARNING,
	    "no single node's loss splits the herd", splits, "");
}

static void
find_shape(struct herdcheck *h)
{
	const struct herdfile *file = &h->run->herd->file;
	struct graph_edge *edges = xcalloc(file->link_count, sizeof(*edges));
	struct graph_facts facts;

	for (size_t i = 0; i < file->link_count; i++)
		edges[i] =
		    (struct graph_edge){ file->links[i].a, file->links[i].b };
	must(graph_study(file->node_count, edges, file->link_count, &facts));
	find(h, "nodes", FINDING_OK, (double)facts.nodes, "nodes in %s",
	    h->run->herd->path);
	find(h, "links", FINDING_OK, (double)facts.edges, "links between them");
	find(h, "parts", facts.parts > 1 ? FINDING_CRITICAL : FINDING_OK,
	    (double)facts.parts,
	    facts.parts > 1 ? "the links leave nodes that never hear of each "
			      "other"
			    : "every node reaches every other");
	find(h, "diameter", FINDING_OK, (double)facts.diameter,
	    "hops from one end to the other");
	find(h, "cost", FINDING_OK, (double)facts.cost,
	    "messages for each report, over the whole herd");
	find_weak_points(h, &facts);
	graph_facts_release(&facts);
	free(edges);
}

/* --- state ----------------------------------------------------------- */

static void
find_silent(struct herdcheck *h)
{
	answers_each(a, h->answers) {
		if (a->status != STATUS_OK)
			note(h, ", ", "%s (%s)", a->target->name, a->message);
	}
	conclude(
	    h, "unreachable", FINDING_CRITICAL, "all nodes answer", "", "");
}

static void
find_links(struct herdcheck *h)
{
	answers_each(a, h->answers) {
		const cJSON *peer;

		cJSON_ArrayForEach(peer, fields_at(a->json, "peers.down")) {
			const char *name = fields_text(peer, "peer");
			const char *state = fields_text(peer, "state");

			note(h, ", ", "%s says %s is %s", a->target->name,
			    name == NULL ? "?" : name,
			    state == NULL ? "down" : state);
		}
	}
	conclude(
	    h, "links down", FINDING_CRITICAL, "all links are synced", "", "");
}

/* Compares the values of `path` with the first one. */
static void
find_unlike(struct herdcheck *h, const char *name, const char *path,
    enum finding_state state, const char *same)
{
	const char *first = NULL;
	size_t unlike = 0;

	answers_each(a, h->answers) {
		const char *value = fields_text(a->json, path);

		if (value == NULL)
			continue;
		if (first == NULL)
			first = value;
		unlike += strcmp(first, value) != 0;
		note(h, ", ", "%s has %s", a->target->name, value);
	}
	h->found = unlike;
	conclude(h, name, state, same, "", "");
}

/* Measured against this machine's clock, less half the round trip. */
static void
find_clocks(struct herdcheck *h)
{
	double low = 0;
	double high = 0;
	bool any = false;

	answers_each(a, h->answers) {
		const char *time = fields_text(a->json, "time");
		double off;
		uint64_t ns;

		if (time == NULL || time_parse(span_from(time), &ns) != HERD_OK)
			continue;
		off = ((double)ns - (double)now_wall().ns) / 1e9 + a->ms / 2e3;
		low = any ? fmin(low, off) : off;
		high = any ? fmax(high, off) : off;
		any = true;
	}
	find(h, "clocks",
	    high - low > CLOCK_MOST_S ? FINDING_WARNING : FINDING_OK,
	    round((high - low) * 1e3) / 1e3,
	    "seconds between the earliest and the latest clock");
}

static void
find_restless(struct herdcheck *h, const char *name, const char *path,
    const char *good, enum finding_state state, const char *fine)
{
	answers_each(a, h->answers) {
		const char *value = fields_text(a->json, path);

		if (value != NULL && strcmp(value, good) != 0 &&
		    strcmp(value, "off") != 0)
			note(h, ", ", "%s is %s", a->target->name, value);
	}
	conclude(h, name, state, fine, "", "");
}

/* Nodes that serve without any neighbour. */
static void
find_isolated(struct herdcheck *h)
{
	answers_each(a, h->answers) {
		if (fields_is(a->json, "isolated"))
			note(h, ", ", "%s", a->target->name);
	}
	conclude(h, "isolated", FINDING_WARNING,
	    "every node has a neighbour, or needs none",
	    "serves alone, without any neighbour: ", "");
}

/* Appends the names that a node gives, up to the few that it lists. */
static void
put_names(struct buf *out, const cJSON *names)
{
	const cJSON *name;
	const char *comma = "";

	cJSON_ArrayForEach(name, names) {
		if (cJSON_IsString(name))
			putf(out, "%s%s", comma, name->valuestring);
		comma = ", ";
	}
}

/* Names that two processes have. */
static void
find_twins(struct herdcheck *h)
{
	answers_each(a, h->answers) {
		const cJSON *twins = fields_at(a->json, "peers.twins");

		if (cJSON_GetArraySize(twins) == 0)
			continue;
		note(h, "; ", "%s has two of ", a->target->name);
		put_names(&h->list, twins);
	}
	conclude(h, "twins", FINDING_CRITICAL,
	    "no two processes have one node's name",
	    "two processes have one node's name: ", "; stop one of them");
}

/* Nodes with a clock that most others do not believe. */
static void
find_overruled(struct herdcheck *h)
{
	h->found = overruled_list(h->answers, &h->list);
	conclude(h, "wrong clocks", FINDING_WARNING,
	    "no node judges by its neighbours' clocks",
	    "judged by the clocks of most neighbours: ",
	    "; set the clock of that machine");
}

/* Origins of reports that no node's herd file has. */
static void
find_strange(struct herdcheck *h)
{
	double most = 0;
	bool unknown = false;

	answers_each(a, h->answers) {
		const cJSON *count = fields_at(a->json, "clients.strange");

		unknown |= cJSON_IsNull(count);
		if (!cJSON_IsNumber(count) || count->valuedouble == 0)
			continue;
		most = fmax(most, count->valuedouble);
		note(h, "; ", "%s holds %.0f of ", a->target->name,
		    count->valuedouble);
		put_names(
		    &h->list, fields_at(a->json, "clients.strange_origins"));
	}
	if (most > 0)
		find(h, "origins", FINDING_WARNING, most,
		    "reports of nodes that the herd file does not have: %s; "
		    "unless these nodes left it lately, somebody else has the "
		    "herd's key",
		    text_of(&h->list));
	else if (unknown)
		find(h, "origins", FINDING_WARNING, 0,
		    "not counted yet; ask again in a few seconds");
	else
		find(h, "origins", FINDING_OK, 0,
		    "every report is of a node that the herd file has");
}

static enum status
write_findings(struct herdcheck *h)
{
	struct run *run = h->run;

	if (run->herd->has_file)
		find_shape(h);
	find_silent(h);
	find_links(h);
	find_restless(h, "states", "state", "ready", FINDING_WARNING,
	    "all nodes are ready");
	find_restless(h, "places", "places.state", "ready", FINDING_WARNING,
	    "Places answer everywhere");
	find_restless(h, "stores", "store.state", "ok", FINDING_CRITICAL,
	    "no store has failed");
	find_unlike(h, "versions", "version", FINDING_WARNING,
	    "all nodes run the same version");
	find_unlike(h, "herds", "herd", FINDING_CRITICAL,
	    "all nodes are of the same herd");
	find_clocks(h);
	find_overruled(h);
	find_isolated(h);
	find_twins(h);
	find_strange(h);
	for (size_t i = 0; i < h->answers->count; i++)
		out_raw(&run->out, buf_span(&h->answers->items[i].body));
	out_member_bool(&run->out, "ok", h->worst == FINDING_OK);
	out_footer(&run->out, h->worst == FINDING_CRITICAL ? "critical"
			      : h->worst == FINDING_WARNING
				  ? "works, with warnings"
				  : "all is well");
	out_end(&run->out);
	return h->worst == FINDING_CRITICAL ? STATUS_NEGATIVE : STATUS_OK;
}

static enum status
herd_check_run(struct run *run)
{
	struct answers answers;
	struct herdcheck h = { .run = run, .answers = &answers, .list = XBUF };
	enum status status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/status" }, &answers);

	if (status == STATUS_OK)
		status = write_findings(&h);
	answers_release(&answers);
	buf_release(&h.list);
	return status;
}

const struct command cmd_herd_check = {
	.path = "herd check",
	.summary = "check the herd's shape and state",
	.help =
	    "The shape is the herd file's: parts, diameter, messages for each "
	    "report, links and nodes whose loss would split it. The exit "
	    "status is 1 when something is critical.",
	.group = GROUP_HERD,
	.view = &herd_check_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = herd_check_run,
	.example = "herd check",
};
