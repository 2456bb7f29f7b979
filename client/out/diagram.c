/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/diagram.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "out/width.h"

#define PI 3.14159265358979323846
#define LABEL_GAP 2u /* a blank, and rounding */

/* A wider ellipse does not look like a circle any more. */
#define COLUMNS_A_LINE 4.0

/* Where a node is, in characters, and its name as it is written. */
struct spot {
	size_t column;
	size_t line;
	double angle;
	char *label;
};

struct circle {
	struct spot spots[DIAGRAM_NODES_MOST];
};

static size_t
longest_label(const struct diagram *d)
{
	size_t longest = 0;

	for (size_t i = 0; i < d->node_count; i++) {
		size_t width = width_of(span_from(d->nodes[i].name));

		longest = width > longest ? width : longest;
	}
	return longest < d->columns / 4 ? longest : d->columns / 4;
}

static char *
make_label(const struct diagram *d, const char *name, size_t most)
{
	struct buf clean = XBUF;
	struct buf cut = XBUF;

	put_clean(&clean, span_from(name));
	width_cut(&cut, buf_span(&clean), most, d->utf8);
	buf_release(&clean);
	return text_take(&cut);
}

/* Clockwise from the top; names are outside the circle. */
static void
place(const struct diagram *d, struct circle *circle)
{
	size_t label = longest_label(d);
	double high = (double)(d->height - 1) / 2;
	double wide = (double)(d->columns - 1) / 2;
	double radius =
	    fmin(wide - (double)(label + LABEL_GAP), high * COLUMNS_A_LINE);

	for (size_t i = 0; i < d->node_count; i++) {
		struct spot *spot = &circle->spots[i];

		spot->angle = 2 * PI * (double)i / (double)d->node_count;
		spot->column = (size_t)lround(wide + radius * sin(spot->angle));
		spot->line = (size_t)lround(high - high * cos(spot->angle));
		spot->label = make_label(d, d->nodes[i].name, label);
	}
}

/* The blank between sign and name keeps lines away, too. */
static void
draw_node(const struct spot *spot, const struct diagram_node *node,
    struct raster *raster)
{
	bool left = sin(spot->angle) < -1e-9;
	const char sign[] = { node->sign, '\0' };
	char *text = xasprintf(left ? "%s " : " %s", spot->label);
	size_t width = width_of(span_from(text));

	(void)raster_text(raster, spot->column, spot->line, sign, node->color);
	if (!left)
		(void)raster_text(
		    raster, spot->column + 1, spot->line, text, NULL);
	else if (spot->column >= width)
		(void)raster_text(
		    raster, spot->column - width, spot->line, text, NULL);
	free(text);
}

/* The middle of a character, in dots. */
static double
middle_of(size_t at, unsigned dots)
{
	return (double)at * dots + (double)(dots - 1) / 2;
}

static void
draw_line(const struct diagram_line *line, const struct circle *circle,
    struct raster *raster)
{
	const struct spot *a = &circle->spots[line->a];
	const struct spot *b = &circle->spots[line->b];

	raster_line(raster, middle_of(a->column, raster->dots_x),
	    middle_of(a->line, raster->dots_y),
	    middle_of(b->column, raster->dots_x),
	    middle_of(b->line, raster->dots_y), &line->pen);
}

/* Not where lines cross in the middle of the circle: a third of the way. */
static void
draw_mark(const struct diagram_line *line, const struct circle *circle,
    struct raster *raster)
{
	const struct spot *a = &circle->spots[line->a];
	const struct spot *b = &circle->spots[line->b];
	const char sign[] = { line->pen.sign, '\0' };

	(void)raster_text(raster, (2 * a->column + b->column) / 3,
	    (2 * a->line + b->line) / 3, sign, line->pen.color);
}

void
diagram_draw(const struct diagram *diagram, struct buf *out)
{
	struct circle circle = { 0 };
	struct raster raster;

	assert(diagram->node_count <= DIAGRAM_NODES_MOST);
	raster_init(&raster, diagram->columns, diagram->height, diagram->utf8);
	place(diagram, &circle);
	for (size_t i = 0; i < diagram->line_count; i++)
		draw_line(&diagram->lines[i], &circle, &raster);
	for (size_t i = 0; i < diagram->node_count; i++)
		draw_node(&circle.spots[i], &diagram->nodes[i], &raster);
	for (size_t i = 0; i < diagram->line_count; i++) {
		if (diagram->lines[i].marked)
			draw_mark(&diagram->lines[i], &circle, &raster);
	}
	raster_put(&raster, out);
	raster_release(&raster);
	for (size_t i = 0; i < diagram->node_count; i++)
		free(circle.spots[i].label);
}
