/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer graph: every link of the herd, as both of its ends see it: a matrix
 * for people, rows for the other formats, or dot.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/width.h"
#include "run/fields.h"

/* clang-format off */
#define GRAPH_COLUMNS(X) \
	X(GRAPH_A, "a", "A", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(GRAPH_B, "b", "B", VALUE_TEXT, .traits = COLUMN_LABEL) \
	X(GRAPH_STATE, "state", "STATE", VALUE_STATE) \
	X(GRAPH_A_STATE, "a_state", "A SAYS", VALUE_TEXT) \
	X(GRAPH_B_STATE, "b_state", "B SAYS", VALUE_TEXT) \
	X(GRAPH_RTT, "rtt_ms", "RTT", VALUE_MS)
/* clang-format on */

COLUMN_TABLE(columns, GRAPH_COLUMNS);

static const struct view graph_view =
    VIEW(columns, .schema = "herd.links/1", .list = "links");

struct graph_link {
	const char *a;
	const char *b;
	const char *a_state; /* what a says of it, NULL = unknown */
	const char *b_state;
	double rtt_ms; /* < 0: unknown */
};

struct graph {
	struct run *run;
	struct graph_link *links;
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

/* Names are in order. NULL: there is no such link. */
static struct graph_link *
find_link(const struct graph *g, const char *x, const char *y)
{
	const char *a = strcmp(x, y) < 0 ? x : y;
	const char *b = a == x ? y : x;

	for (size_t i = 0; i < g->count; i++) {
		if (strcmp(g->links[i].a, a) == 0 &&
		    strcmp(g->links[i].b, b) == 0)
			return &g->links[i];
	}
	return NULL;
}

/* The link between the two, made if it is new. */
static struct graph_link *
link_between(struct graph *g, const char *x, const char *y)
{
	bool ordered = strcmp(x, y) < 0;
	struct graph_link *link = find_link(g, x, y);

	if (link != NULL)
		return link;
	grow_array(g->links, g->count, g->room);
	link = &g->links[g->count++];
	*link = (struct graph_link){
		.a = ordered ? x : y, .b = ordered ? y : x, .rtt_ms = -1
	};
	return link;
}

static void
add_view_of(struct graph *g, const char *node, const cJSON *json)
{
	const cJSON *peer;

	cJSON_ArrayForEach(peer, fields_at(json, "peers")) {
		const char *name = fields_text(peer, "peer");
		const char *state = fields_text(peer, "state");
		struct graph_link *link;

		if (name == NULL || strcmp(name, node) == 0)
			continue;
		(void)node_index(g, name);
		link = link_between(g, node, name);
		if (strcmp(link->a, node) == 0)
			link->a_state = state;
		else
			link->b_state = state;
		link->rtt_ms = fields_number(peer, "rtt_ms", link->rtt_ms);
	}
}

static void
collect(struct graph *g, const struct answers *answers)
{
	const struct herdfile *file = &g->run->herd->file;

	for (size_t i = 0; i < g->run->herd->count; i++)
		(void)node_index(g, g->run->herd->targets[i].name);
	for (size_t i = 0; g->run->herd->has_file && i < file->link_count; i++)
		(void)link_between(g, file->nodes[file->links[i].a].name,
		    file->nodes[file->links[i].b].name);
	answers_each(a, answers) {
		const char *name = fields_text(a->json, "node");

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
	const struct graph_link *a = x;
	const struct graph_link *b = y;
	int order = strcmp(a->a, b->a);

	return order != 0 ? order : strcmp(a->b, b->b);
}

/* Synced only when both ends say so; else the word that says why not. */
static const char *
state_of(const struct graph_link *link)
{
	const char *a = link->a_state;
	const char *b = link->b_state;

	if (a == NULL && b == NULL)
		return "unknown";
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return strcmp(a, "synced") == 0 ? b : a;
}

/* How a link is drawn: in the matrix, and by dot. */
static const struct link_look {
	const char *states;
	char sign;
	const char *color;
} looks[] = {
	{ .states = "synced", .sign = '=', .color = "darkgreen" },
	{ .states = "comparing handshake connecting waiting",
	    .sign = '~',
	    .color = "orange" },
	{ .states = "disabled", .sign = 'd', .color = "gray" },
	{ .states = "unknown", .sign = '?', .color = "red" },
	{ .states = NULL, .sign = 'x', .color = "red" }, /* any other */
};

static const struct link_look *
look_of(const struct graph_link *link)
{
	const struct link_look *look = looks;

	while (look->states != NULL &&
	       !tokens_is_among(look->states, span_from(state_of(link))))
		look++;
	return look;
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
		put_quoted(out, g->links[i].a);
		put_text(out, " -- ");
		put_quoted(out, g->links[i].b);
		put_text(out, " [label=");
		put_quoted(out, state_of(&g->links[i]));
		putf(out, ", color=%s];\n", look_of(&g->links[i])->color);
	}
	put_text(out, "}\n");
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
			const struct graph_link *link =
			    find_link(g, g->nodes[i], g->nodes[j]);

			putf(out, "  %c",
			    i == j         ? '\\'
			    : link == NULL ? '.'
					   : look_of(link)->sign);
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
		const struct graph_link *e = &g->links[i];

		out_word(out, GRAPH_A, e->a);
		out_word(out, GRAPH_B, e->b);
		out_word(out, GRAPH_STATE, state_of(e));
		out_word(out, GRAPH_A_STATE, e->a_state);
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
	struct buf text = XBUF;

	collect(g, answers);
	if (g->count > 1)
		qsort(g->links, g->count, sizeof(*g->links), by_names);
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
		out_count_states(&run->out, GRAPH_STATE, "link", &text);
		out_footer(&run->out, "%s", text_of(&text));
		out_end(&run->out);
	}
	buf_release(&text);
}

static enum status
peer_graph_run(struct run *run)
{
	struct graph g = { .run = run };
	struct answers answers;
	const char *format = run_flag(run, "output");
	bool dot = format != NULL && strcmp(format, "dot") == 0;
	enum status status;

	if (format != NULL && !dot) {
		status = prefs_set(&run->prefs, PREF_OUTPUT, format,
		    ORIGIN_LINE, "--output", &run->message);
		if (status != STATUS_OK)
			return run_fail_message(run, status);
	}
	status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/peers" }, &answers);
	if (status == STATUS_OK) {
		enum status asked = answers_status(&answers);

		if (asked == STATUS_OK || asked == STATUS_PARTIAL)
			write_graph(&g, &answers, dot);
		status = answers_report(run, &answers);
	}
	answers_release(&answers);
	free(g.links);
	free(g.nodes);
	return status;
}

const struct command cmd_peer_graph = {
	.path = "peer graph",
	.summary = "draw the links of the herd with their states",
	.help =
	    "Both ends of a link are asked. The link is synced only if both "
	    "say so.",
	.group = GROUP_LINKS,
	.flags = FLAGS(FLAG("output", .letter = 'o', .value = "FORMAT",
	    .complete = COMPLETE_WORDS,
	    .words =
		"table wide plain json jsonl csv tsv name kv prometheus raw dot",
	    .help = "a format, or dot for graphviz")),
	.view = &graph_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = peer_graph_run,
	.example = "peer graph -o dot",
};
