/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd check: what an operator should know of the herd's shape and state,
 * one finding to a row. The shape comes from the herd file; the rest from
 * the nodes.
 */
#include "cmd/herdwide.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "herd/graph.h"
#include "run/fields.h"
#include "base/xbuf.h"

#define CLOCK_MOST_S 1.0 /* nodes whose clocks are farther apart are named */

enum {
	FINDING_NAME,
	FINDING_STATE,
	FINDING_VALUE,
	FINDING_TEXT,
	FINDING_COLUMNS
};

static const struct column columns[FINDING_COLUMNS] = {
	[FINDING_NAME] = { "check", "CHECK", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_LABEL, 0, NULL, 0 },
	[FINDING_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, NULL,
	    0 },
	[FINDING_VALUE] = { "value", "VALUE", LEAF_REAL, 0, 0, NULL, 0 },
	[FINDING_TEXT] = { "text", "WHAT IT MEANS", LEAF_TEXT, COLUMN_SHRINK, 0,
	    NULL, 0 },
};

const struct view herdcheck_view = { "herd.check/1", "checks", VIEW_LIST,
	columns, FINDING_COLUMNS };

enum finding_state { FINDING_OK, FINDING_WARNING, FINDING_CRITICAL };

struct herdcheck {
	struct run *run;
	const struct answers *answers; /* of /v1/status */
	enum finding_state worst;
};

static void HERD_PRINTF(5, 6) find(struct herdcheck *h, const char *name,
    enum finding_state state, double value, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warning", "critical" };
	struct out *out = &h->run->out;
	struct buf text;
	va_list args;

	buf_init(&text, XBUF_MAX);
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
}

/* --- shape ------------------------------------------------------------------
 */

static void
list_bridges(const struct herdfile *file, const struct graph_facts *facts,
    struct buf *out)
{
	for (size_t i = 0; i < facts->edges; i++) {
		if (facts->bridge[i])
			putf(out, "%s%s-%s", out->len > 0 ? ", " : "",
			    file->nodes[file->links[i].a].name,
			    file->nodes[file->links[i].b].name);
	}
}

static void
list_cuts(const struct herdfile *file, const struct graph_facts *facts,
    struct buf *out)
{
	for (size_t i = 0; i < facts->nodes; i++) {
		if (facts->cut[i])
			putf(out, "%s%s", out->len > 0 ? ", " : "",
			    file->nodes[i].name);
	}
}

static void
find_weak_points(struct herdcheck *h, const struct graph_facts *facts)
{
	const struct herdfile *file = &h->run->herd->file;
	struct buf list;

	buf_init(&list, XBUF_MAX);
	list_bridges(file, facts, &list);
	if (facts->bridge_count == 0)
		find(h, "bridges", FINDING_OK, 0,
		    "no single link's loss splits the herd");
	else
		find(h, "bridges", FINDING_WARNING, (double)facts->bridge_count,
		    "the loss of one of these splits the herd: %s",
		    text_of(&list));
	buf_clear(&list);
	list_cuts(file, facts, &list);
	if (facts->cut_count == 0)
		find(h, "cut nodes", FINDING_OK, 0,
		    "no single node's loss splits the herd");
	else
		find(h, "cut nodes", FINDING_WARNING, (double)facts->cut_count,
		    "the loss of one of these splits the herd: %s",
		    text_of(&list));
	buf_release(&list);
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

/* --- state ------------------------------------------------------------------
 */

static void
find_silent(struct herdcheck *h)
{
	struct buf list;
	size_t silent = 0;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];

		if (a->status == STATUS_OK)
			continue;
		silent++;
		putf(&list, "%s%s (%s)", list.len > 0 ? ", " : "",
		    a->target->name, a->message);
	}
	if (silent == 0)
		find(h, "unreachable", FINDING_OK, 0, "all nodes answer");
	else
		find(h, "unreachable", FINDING_CRITICAL, (double)silent, "%s",
		    text_of(&list));
	buf_release(&list);
}

static void
find_links(struct herdcheck *h)
{
	struct buf list;
	size_t down = 0;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const cJSON *peer;

		cJSON_ArrayForEach(peer, json_at(a->json, "peers.down"))
		{
			const char *name = json_text(peer, "peer");
			const char *state = json_text(peer, "state");

			down++;
			putf(&list, "%s%s says %s is %s",
			    list.len > 0 ? ", " : "", a->target->name,
			    name == NULL ? "?" : name,
			    state == NULL ? "down" : state);
		}
	}
	if (down == 0)
		find(h, "links down", FINDING_OK, 0, "all links are synced");
	else
		find(h, "links down", FINDING_CRITICAL, (double)down, "%s",
		    text_of(&list));
	buf_release(&list);
}

/* Nodes whose value of `path` is not that of most of the others' first. */
static void
find_unlike(struct herdcheck *h, const char *name, const char *path,
    enum finding_state state, const char *same)
{
	const char *first = NULL;
	size_t unlike = 0;
	struct buf list;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const char *value = json_text(a->json, path);

		if (value == NULL)
			continue;
		if (first == NULL)
			first = value;
		unlike += strcmp(first, value) != 0;
		putf(&list, "%s%s has %s", list.len > 0 ? ", " : "",
		    a->target->name, value);
	}
	find(h, name, unlike > 0 ? state : FINDING_OK, (double)unlike, "%s",
	    unlike > 0 ? text_of(&list) : same);
	buf_release(&list);
}

/* Against this machine's clock; half the round trip is not its fault. */
static void
find_clocks(struct herdcheck *h)
{
	double low = 0;
	double high = 0;
	bool any = false;

	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const char *time = json_text(a->json, "time");
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
	struct buf list;
	size_t count = 0;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const char *value = json_text(a->json, path);

		if (value == NULL || strcmp(value, good) == 0 ||
		    strcmp(value, "off") == 0)
			continue;
		count++;
		putf(&list, "%s%s is %s", list.len > 0 ? ", " : "",
		    a->target->name, value);
	}
	find(h, name, count > 0 ? state : FINDING_OK, (double)count, "%s",
	    count > 0 ? text_of(&list) : fine);
	buf_release(&list);
}

/* The names that a node gives for one reason, up to the few it lists. */
static void
list_names(const cJSON *names, struct buf *list)
{
	const cJSON *name;
	const char *comma = "";

	cJSON_ArrayForEach(name, names)
	{
		if (cJSON_IsString(name))
			putf(list, "%s%s", comma, name->valuestring);
		comma = ", ";
	}
}

/* Nodes that serve without any neighbour. */
static void
find_isolated(struct herdcheck *h)
{
	struct buf list;
	size_t count = 0;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];

		if (!cJSON_IsTrue(json_at(a->json, "isolated")))
			continue;
		count++;
		putf(&list, "%s%s", list.len > 0 ? ", " : "", a->target->name);
	}
	if (count == 0)
		find(h, "isolated", FINDING_OK, 0,
		    "every node has a neighbour, or needs none");
	else
		find(h, "isolated", FINDING_WARNING, (double)count,
		    "serves alone, without any neighbour: %s", text_of(&list));
	buf_release(&list);
}

/* Names that two processes have. */
static void
find_twins(struct herdcheck *h)
{
	struct buf list;
	size_t count = 0;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const cJSON *twins = json_at(a->json, "peers.twins");

		if (cJSON_GetArraySize(twins) == 0)
			continue;
		count++;
		putf(&list, "%s%s has two of ", list.len > 0 ? "; " : "",
		    a->target->name);
		list_names(twins, &list);
	}
	if (count == 0)
		find(h, "twins", FINDING_OK, 0,
		    "no two processes have one node's name");
	else
		find(h, "twins", FINDING_CRITICAL, (double)count,
		    "two processes have one node's name: %s; stop one of them",
		    text_of(&list));
	buf_release(&list);
}

size_t
list_overruled(const struct answers *answers, struct buf *list)
{
	size_t count = 0;

	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->items[i];
		const char *state = json_text(a->json, "clock.state");
		double ms = json_number(a->json, "clock.ahead_ms", 0);

		if (state == NULL || strcmp(state, "overruled") != 0)
			continue;
		count++;
		putf(list, "%s%s is %.1f s %s", list->len > 0 ? ", " : "",
		    a->target->name, fabs(ms) / 1e3,
		    ms < 0 ? "behind" : "ahead");
	}
	return count;
}

/* Nodes whose clock most others do not believe. */
static void
find_overruled(struct herdcheck *h)
{
	struct buf list;
	size_t count;

	buf_init(&list, XBUF_MAX);
	count = list_overruled(h->answers, &list);
	if (count == 0)
		find(h, "wrong clocks", FINDING_OK, 0,
		    "no node judges by its neighbours' clocks");
	else
		find(h, "wrong clocks", FINDING_WARNING, (double)count,
		    "judged by the clocks of most neighbours: %s; set the "
		    "clock of that machine",
		    text_of(&list));
	buf_release(&list);
}

/* Origins of reports that no node's herd file has. */
static void
find_strange(struct herdcheck *h)
{
	struct buf list;
	double most = 0;
	bool unknown = false;

	buf_init(&list, XBUF_MAX);
	for (size_t i = 0; i < h->answers->count; i++) {
		const struct answer *a = &h->answers->items[i];
		const cJSON *count = json_at(a->json, "clients.strange");

		unknown |= cJSON_IsNull(count);
		if (!cJSON_IsNumber(count) || count->valuedouble == 0)
			continue;
		most = fmax(most, count->valuedouble);
		putf(&list, "%s%s holds %.0f of ", list.len > 0 ? "; " : "",
		    a->target->name, count->valuedouble);
		list_names(json_at(a->json, "clients.strange_origins"), &list);
	}
	if (most > 0)
		find(h, "origins", FINDING_WARNING, most,
		    "reports of nodes that the herd file does not have: %s; "
		    "unless these nodes left it lately, somebody else has the "
		    "herd's key",
		    text_of(&list));
	else if (unknown)
		find(h, "origins", FINDING_WARNING, 0,
		    "not counted yet; ask again in a few seconds");
	else
		find(h, "origins", FINDING_OK, 0,
		    "every report is of a node that the herd file has");
	buf_release(&list);
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

enum status
herdcheck_run(struct run *run)
{
	struct answers answers = { 0 };
	struct herdcheck h = { .run = run, .answers = &answers };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &herdcheck_view);
	if (status == STATUS_OK)
		status = ask_all(run, "GET", "/v1/status", NULL, &answers);
	if (status == STATUS_OK)
		status = write_findings(&h);
	answers_release(&answers);
	return status;
}
