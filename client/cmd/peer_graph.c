/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer graph: every link of the herd, as both of its ends see it: a picture
 * and rows for people (a matrix for a large herd), rows for the other formats,
 * or dot.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/diagram.h"
#include "out/screen.h"
#include "out/width.h"
#include "run/fields.h"

/* clang-format off */
#define GRAPH_COLUMNS(X) \
	X(GRAPH_A, "a", "A", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL) \
	X(GRAPH_B, "b", "B", VALUE_TEXT, .traits = COLUMN_LABEL) \
	X(GRAPH_STATE, "state", "STATE", VALUE_STATE) \
	X(GRAPH_A_STATE, "a_state", "A SAYS", VALUE_TEXT, .drop = 1) \
	X(GRAPH_B_STATE, "b_state", "B SAYS", VALUE_TEXT, .drop = 1) \
	X(GRAPH_RTT, "rtt_ms", "RTT", VALUE_MS, .drop = 2)
/* clang-format on */

COLUMN_TABLE(columns, GRAPH_COLUMNS);

static const struct view graph_view =
    VIEW(columns, .schema = "herd.links/1", .list = "links");

/* A node, and what it said when it was asked. */
struct graph_node {
	const char *name;
	bool asked;
	enum status status;
	bool waiting;
};

struct graph_link {
	const char *a;
	const char *b;
	const struct graph_node *a_node; /* once all are known */
	const struct graph_node *b_node;
	const char *a_state; /* what a says of it, NULL = unknown */
	const char *b_state;
	double rtt_ms; /* < 0: unknown */
	bool rests;    /* an end says so, while it is synced */
};

/* A larger picture has longer lines, not more to see. */
#define COLUMNS_MOST 76u
#define LINES_MOST 21u

struct graph {
	struct run *run;
	struct graph_link *links;
	size_t count;
	size_t room;
	struct graph_node *nodes;
	size_t node_count;
};

static struct graph_node *
find_node(struct graph *g, const char *name)
{
	size_t i;

	for (i = 0; i < g->node_count; i++) {
		if (strcmp(g->nodes[i].name, name) == 0)
			return &g->nodes[i];
	}
	g->nodes = xrealloc(g->nodes, (i + 1) * sizeof(*g->nodes));
	g->nodes[i] = (struct graph_node){ .name = name };
	g->node_count++;
	return &g->nodes[i];
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
		(void)find_node(g, name);
		link = link_between(g, node, name);
		if (strcmp(link->a, node) == 0)
			link->a_state = state;
		else
			link->b_state = state;
		link->rests |= fields_says(peer, "flood", "resting");
		link->rtt_ms = fields_number(peer, "rtt_ms", link->rtt_ms);
	}
}

static void
collect(struct graph *g, const struct answers *answers)
{
	const struct herdfile *file = &g->run->herd->file;

	for (size_t i = 0; i < g->run->herd->count; i++)
		(void)find_node(g, g->run->herd->targets[i].name);
	for (size_t i = 0; g->run->herd->has_file && i < file->link_count; i++)
		(void)link_between(g, file->nodes[file->links[i].a].name,
		    file->nodes[file->links[i].b].name);
	answers_each(a, answers) {
		const char *name = fields_text(a->json, "node");
		struct graph_node *node;

		if (name == NULL || a->target->is_node)
			name = a->target->name;
		node = find_node(g, name);
		node->asked = true;
		node->status = a->status;
		node->waiting = a->waiting;
		if (a->status == STATUS_OK)
			add_view_of(g, name, a->json);
	}
	/* First all of them, because their array may move. */
	for (size_t i = 0; i < g->count; i++) {
		(void)find_node(g, g->links[i].a);
		(void)find_node(g, g->links[i].b);
	}
	for (size_t i = 0; i < g->count; i++) {
		g->links[i].a_node = find_node(g, g->links[i].a);
		g->links[i].b_node = find_node(g, g->links[i].b);
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

static bool
is_word(const char *state, const char *word)
{
	return state != NULL && strcmp(state, word) == 0;
}

static bool
is_mute(const struct graph_node *node)
{
	return node->asked && node->status != STATUS_OK;
}

/* Nothing listens there; one that hangs may have its links all the same. */
static bool
is_dead(const struct graph_node *node)
{
	return node->asked && node->status == STATUS_CONNECT;
}

/*
 * Synced only when both ends say so; else the word that says why not. An end
 * that was asked and does not answer is no witness: what the other end waits
 * for is not on its way, and what it believes to be synced may not be.
 */
static const char *
state_of(const struct graph_link *link)
{
	const char *a = link->a_state;
	const char *b = link->b_state;
	const char *word = a == NULL || is_word(a, "synced") ? b : a;

	if (is_word(a, "disabled") || is_word(b, "disabled"))
		return "disabled";
	if (a == NULL && b == NULL)
		return is_dead(link->a_node) || is_dead(link->b_node)
			   ? "down"
			   : "unknown";
	if (word == NULL)
		word = a;
	if (!is_mute(link->a_node) && !is_mute(link->b_node))
		return word;
	return is_word(word, "synced") ? "unknown" : "down";
}

/* How a link is drawn: by lines, in the matrix, and by dot. */
static const struct link_look {
	const char *states;
	const char *color; /* of dot */
	struct raster_pen pen;
} looks[] = {
	{ .states = "synced", .color = "darkgreen", .pen = { .sign = '=' } },
	{ .states = "resting",
	    .color = "darkseagreen",
	    .pen = { .sign = '-', .on = 1, .off = 2 } },
	{ .states = "comparing handshake connecting waiting",
	    .color = "orange",
	    .pen = { .sign = '~', .on = 4, .off = 3 } },
	{ .states = "disabled",
	    .color = "gray",
	    .pen = { .sign = 'd', .on = 1, .off = 4 } },
	{ .states = "unknown",
	    .color = "red",
	    .pen = { .sign = '?', .on = 2, .off = 4 } },
	{ .states = NULL, /* any other */
	    .color = "red",
	    .pen = { .sign = 'x', .on = 1, .off = 2 } },
};

#define RESTING_LOOK 1u /* those after it are trouble */

static const struct link_look *
look_of(const struct graph_link *link)
{
	const struct link_look *look = looks;
	const char *state = state_of(link);

	if (link->rests && is_word(state, "synced"))
		state = "resting";
	while (look->states != NULL &&
	       !tokens_is_among(look->states, span_from(state)))
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
		put_quoted(out, g->nodes[i].name);
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
		size_t width = width_of(span_from(g->nodes[i].name));

		widest = width > widest ? width : widest;
	}
	put_fill(out, ' ', widest + 4);
	for (size_t i = 0; i < g->node_count; i++)
		putf(out, " %2zu", i + 1);
	put_byte(out, '\n');
	for (size_t i = 0; i < g->node_count; i++) {
		putf(out, "%2zu  ", i + 1);
		put_clean(out, span_from(g->nodes[i].name));
		put_fill(
		    out, ' ', widest - width_of(span_from(g->nodes[i].name)));
		for (size_t j = 0; j < g->node_count; j++) {
			const struct graph_link *link =
			    find_link(g, g->nodes[i].name, g->nodes[j].name);

			putf(out, "  %c",
			    i == j         ? '\\'
			    : link == NULL ? '.'
					   : look_of(link)->pen.sign);
		}
		put_byte(out, '\n');
	}
	put_text(out, "= synced  - resting  ~ on its way  d disabled  x down  "
		      "? unknown  . no link\n\n");
}

/* The colour of a state's word, if there are colours. */
static const char *
color_of(const struct graph *g, const char *word)
{
	return g->run->out.options.color ? out_state_color(span_from(word))
					 : NULL;
}

/* One that was not asked is there, as far as is known. */
static struct diagram_node
sketch_node(const struct graph *g, const struct graph_node *node)
{
	struct diagram_node out = { .name = node->name, .sign = 'o' };
	const char *state = node->waiting   ? "waiting"
			    : is_mute(node) ? "unreachable"
			    : node->asked   ? "ready"
					    : "";

	if (is_mute(node))
		out.sign = node->waiting ? '?' : 'x';
	out.color = color_of(g, state);
	return out;
}

/* Trouble lies above what works. */
static size_t
sketch_links(const struct graph *g, struct diagram_line *lines)
{
	size_t count = 0;

	for (size_t l = 0; l < HERD_ARRAY_LEN(looks); l++) {
		for (size_t i = 0; i < g->count; i++) {
			const struct graph_link *link = &g->links[i];
			struct diagram_line line = { .pen = looks[l].pen,
				.a = (size_t)(link->a_node - g->nodes),
				.b = (size_t)(link->b_node - g->nodes),
				.marked =
				    l > RESTING_LOOK && g->run->app->utf8 };

			if (look_of(link) != &looks[l])
				continue;
			line.pen.color = color_of(g, state_of(link));
			lines[count++] = line;
		}
	}
	return count;
}

static void
draw_circle(const struct graph *g, size_t width, size_t height)
{
	struct diagram_node nodes[DIAGRAM_NODES_MOST];
	struct diagram_line *lines = xcalloc(g->count, sizeof(*lines));
	struct out *out = &g->run->out;
	bool utf8 = g->run->app->utf8;
	struct diagram diagram = {
		.nodes = nodes,
		.node_count = g->node_count,
		.lines = lines,
		.line_count = sketch_links(g, lines),
		.columns = width,
		.height = height,
		.utf8 = utf8,
	};

	for (size_t i = 0; i < g->node_count; i++)
		nodes[i] = sketch_node(g, &g->nodes[i]);
	diagram_draw(&diagram, &out->picture);
	free(lines);
	out_heading(out,
	    "%s synced  - resting  ~ on its way  d disabled  x down  "
	    "? unknown\n",
	    utf8 ? "\u2812\u2812" : "=");
}

/* A picture while it can be read; else the matrix. */
static void
draw_for_people(const struct graph *g)
{
	bool fits = g->run->sink.terminal;
	size_t width = fits ? screen_width() : COLUMNS_MOST;
	size_t most = fits ? screen_height() : LINES_MOST;
	size_t height = 2 * g->node_count + 3;

	width = width < COLUMNS_MOST ? width : COLUMNS_MOST;
	most = most < LINES_MOST ? most : LINES_MOST;
	height = height < most ? height : most;
	if (g->node_count < 2 || g->node_count > DIAGRAM_NODES_MOST ||
	    width < DIAGRAM_COLUMNS_LEAST || height < DIAGRAM_LINES_LEAST)
		draw_matrix(g, &g->run->out.heading);
	else
		draw_circle(g, width, height);
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
		draw_for_people(g);
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
	    "say so, down if one of them is not there, unknown if it does not "
	    "answer. Up to twelve nodes are drawn on a circle: o answers, x "
	    "does not, ? has not yet. A larger herd is a matrix. A link that "
	    "rests is synced but carries no reports: see flood in "
	    "herd.yaml(5).",
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
