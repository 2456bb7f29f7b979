/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer graph: every link of the herd, as both of its ends see it: a matrix
 * for people, rows for the other formats, or dot.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "run/fields.h"
#include "cmd/node_family.h"
#include "out/width.h"
#include "base/xbuf.h"

enum {
	GRAPH_A,
	GRAPH_B,
	GRAPH_STATE,
	GRAPH_A_STATE,
	GRAPH_B_STATE,
	GRAPH_RTT,
	GRAPH_COLUMNS
};

static const struct column columns[GRAPH_COLUMNS] = {
	[GRAPH_A] = { "a", "A", LEAF_TEXT, COLUMN_NAME | COLUMN_LABEL, 0, NULL,
	    0 },
	[GRAPH_B] = { "b", "B", LEAF_TEXT, COLUMN_LABEL, 0, NULL, 0 },
	[GRAPH_STATE] = { "state", "STATE", LEAF_STATE, 0, 0, NULL, 0 },
	[GRAPH_A_STATE] = { "a_state", "A SAYS", LEAF_TEXT, 0, 0, NULL, 0 },
	[GRAPH_B_STATE] = { "b_state", "B SAYS", LEAF_TEXT, 0, 0, NULL, 0 },
	[GRAPH_RTT] = { "rtt_ms", "RTT", LEAF_MS, 0, 0, NULL, 0 },
};

const struct view graph_view = { "herd.links/1", "links", VIEW_LIST, columns,
	GRAPH_COLUMNS };

struct edge {
	const char *a;
	const char *b;
	const char *a_state; /* what a says of it, NULL = unknown */
	const char *b_state;
	double rtt_ms; /* < 0: unknown */
};

struct graph {
	struct run *run;
	struct edge *edges;
	size_t count;
	size_t room;
	const char **nodes;
	size_t node_count;
};

static size_t
node_index(struct graph *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->node_count; i++) {
		if (strcmp(g->nodes[i], name) == 0)
			return i;
	}
	g->nodes = xrealloc(g->nodes, (i + 1) * sizeof(*g->nodes));
	g->nodes[g->node_count++] = name;
	return i;
}

/* The edge between the two, made if it is new; names in order. */
static struct edge *
edge_between(struct graph *g, const char *x, const char *y)
{
	const char *a = strcmp(x, y) < 0 ? x : y;
	const char *b = a == x ? y : x;

	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->edges[i].a, a) == 0 &&
		    strcmp(g->edges[i].b, b) == 0)
			return &g->edges[i];
	}
	grow_array(g->edges, g->count, g->room);
	g->edges[g->count] = (struct edge){ .a = a, .b = b, .rtt_ms = -1 };
	return &g->edges[g->count++];
}

static void
add_view_of(struct graph *g, const char *node, const cJSON *json)
{
	const cJSON *peer;

	cJSON_ArrayForEach(peer, json_at(json, "peers"))
	{
		const char *name = json_text(peer, "peer");
		const char *state = json_text(peer, "state");
		struct edge *edge;

		if (name == NULL || strcmp(name, node) == 0)
			continue;
		(void)node_index(g, name);
		edge = edge_between(g, node, name);
		if (strcmp(edge->a, node) == 0)
			edge->a_state = state;
		else
			edge->b_state = state;
		edge->rtt_ms = json_number(peer, "rtt_ms", edge->rtt_ms);
	}
}

static void
collect(struct graph *g, const struct answers *answers)
{
	const struct herdfile *file = &g->run->herd->file;

	for (size_t i = 0; i < g->run->herd->count; i++)
		(void)node_index(g, g->run->herd->targets[i].name);
	for (size_t i = 0; g->run->herd->has_file && i < file->link_count; i++)
		(void)edge_between(g, file->nodes[file->links[i].a].name,
		    file->nodes[file->links[i].b].name);
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->items[i];
		const char *name = json_text(a->json, "node");

		if (a->status == STATUS_OK)
			add_view_of(g,
			    name != NULL && !a->target->is_node
				? name
				: a->target->name,
			    a->json);
	}
}

static int
by_names(const void *x, const void *y)
{
	const struct edge *a = x;
	const struct edge *b = y;
	int order = strcmp(a->a, b->a);

	return order != 0 ? order : strcmp(a->b, b->b);
}

/* Synced only when both ends say so; else the word that says why not. */
static const char *
state_of(const struct edge *edge)
{
	const char *a = edge->a_state;
	const char *b = edge->b_state;

	if (a == NULL && b == NULL)
		return "unknown";
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return strcmp(a, "synced") == 0 ? b : a;
}

static char
sign_of(const struct edge *edge)
{
	static const struct {
		const char *state;
		char sign;
	} signs[] = {
		{ "synced", '=' },
		{ "comparing", '~' },
		{ "handshake", '~' },
		{ "connecting", '~' },
		{ "waiting", '~' },
		{ "disabled", 'd' },
		{ "unknown", '?' },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(signs); i++) {
		if (strcmp(signs[i].state, state_of(edge)) == 0)
			return signs[i].sign;
	}
	return 'x';
}

static void
put_quoted(struct buf *out, const char *text)
{
	put_byte(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			put_byte(out, '\\');
		put_byte(out, *text);
	}
	put_byte(out, '"');
}

static const char *
dot_color(const struct edge *edge)
{
	switch (sign_of(edge)) {
	case '=': return "darkgreen";
	case '~': return "orange";
	case 'd': return "gray";
	default: return "red";
	}
}

static void
draw_dot(const struct graph *g, struct buf *out)
{
	put_text(out, "graph ");
	put_quoted(
	    out, g->run->herd->name == NULL ? "herd" : g->run->herd->name);
	put_text(out, " {\n");
	for (size_t i = 0; i < g->node_count; i++) {
		put_text(out, "\t");
		put_quoted(out, g->nodes[i]);
		put_text(out, ";\n");
	}
	for (size_t i = 0; i < g->count; i++) {
		put_text(out, "\t");
		put_quoted(out, g->edges[i].a);
		put_text(out, " -- ");
		put_quoted(out, g->edges[i].b);
		put_text(out, " [label=");
		put_quoted(out, state_of(&g->edges[i]));
		putf(out, ", color=%s];\n", dot_color(&g->edges[i]));
	}
	put_text(out, "}\n");
}

static const struct edge *
find_edge(const struct graph *g, size_t x, size_t y)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct edge *e = &g->edges[i];

		if ((strcmp(e->a, g->nodes[x]) == 0 &&
			strcmp(e->b, g->nodes[y]) == 0) ||
		    (strcmp(e->b, g->nodes[x]) == 0 &&
			strcmp(e->a, g->nodes[y]) == 0))
			return e;
	}
	return NULL;
}

static void
draw_matrix(const struct graph *g, struct buf *out)
{
	size_t widest = 0;

	for (size_t i = 0; i < g->node_count; i++) {
		size_t width = width_of(span_from(g->nodes[i]));

		widest = width > widest ? width : widest;
	}
	put_fill(out, ' ', widest + 4);
	for (size_t i = 0; i < g->node_count; i++)
		putf(out, " %2zu", i + 1);
	put_byte(out, '\n');
	for (size_t i = 0; i < g->node_count; i++) {
		putf(out, "%2zu  ", i + 1);
		put_clean(out, span_from(g->nodes[i]));
		put_fill(out, ' ', widest - width_of(span_from(g->nodes[i])));
		for (size_t j = 0; j < g->node_count; j++) {
			const struct edge *edge = find_edge(g, i, j);

			putf(out, "  %c",
			    i == j         ? '\\'
			    : edge == NULL ? '.'
					   : sign_of(edge));
		}
		put_byte(out, '\n');
	}
	put_text(out, "= synced  ~ on its way  d disabled  x down  "
		      "? unknown  . no link\n\n");
}

static void
add_rows(struct graph *g)
{
	struct out *out = &g->run->out;

	for (size_t i = 0; i < g->count; i++) {
		const struct edge *e = &g->edges[i];

		out_word(out, GRAPH_A, e->a);
		out_word(out, GRAPH_B, e->b);
		out_word(out, GRAPH_STATE, state_of(e));
		if (e->a_state != NULL)
			out_word(out, GRAPH_A_STATE, e->a_state);
		if (e->b_state != NULL)
			out_word(out, GRAPH_B_STATE, e->b_state);
		if (e->rtt_ms >= 0)
			out_real(out, GRAPH_RTT, e->rtt_ms);
		out_row(out);
	}
}

static void
write_graph(struct graph *g, const struct answers *answers, bool dot)
{
	struct run *run = g->run;
	struct buf text;

	buf_init(&text, XBUF_MAX);
	collect(g, answers);
	if (g->count > 1)
		qsort(g->edges, g->count, sizeof(*g->edges), by_names);
	if (dot) {
		draw_dot(g, &text);
		sink_write_foreign(&run->sink, buf_span(&text));
	} else {
		for (size_t i = 0; i < answers->count; i++) {
			if (answers->items[i].status == STATUS_OK)
				out_raw(&run->out,
				    buf_span(&answers->items[i].body));
		}
		add_rows(g);
		draw_matrix(g, &run->out.heading);
		node_count_states(&run->out, GRAPH_STATE, "link", &text);
		out_footer(&run->out, "%s", text_of(&text));
		out_end(&run->out);
	}
	buf_release(&text);
}

enum status
graph_run(struct run *run)
{
	struct graph g = { .run = run };
	struct answers answers = { 0 };
	const char *format = run_flag(run, "output");
	bool dot = format != NULL && strcmp(format, "dot") == 0;
	enum status status = STATUS_OK;

	if (format != NULL && !dot) {
		status = prefs_set(&run->prefs, PREF_OUTPUT, format,
		    ORIGIN_LINE, "--output", &run->message);
		if (status != STATUS_OK)
			return run_fail_message(run, status);
	}
	status = run_targets(run);
	if (status == STATUS_OK)
		status = run_begin(run, &graph_view);
	if (status == STATUS_OK)
		status = ask_all(run, "GET", "/v1/peers", NULL, &answers);
	if (status == STATUS_OK) {
		enum status asked = answers_status(&answers);

		if (asked == STATUS_OK || asked == STATUS_PARTIAL)
			write_graph(&g, &answers, dot);
		status = answers_report(run, &answers);
	}
	answers_release(&answers);
	free(g.edges);
	free(g.nodes);
	return status;
}
