/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Named nodes on a circle and the lines between them, in text.
 */
#ifndef HERD_CLIENT_DIAGRAM_H
#define HERD_CLIENT_DIAGRAM_H

#include "out/raster.h"

/* More nodes than this are a tangle, and less room too. */
#define DIAGRAM_NODES_MOST 12u
#define DIAGRAM_COLUMNS_LEAST 30u
#define DIAGRAM_LINES_LEAST 7u

struct diagram_node {
	const char *name;
	char sign;         /* its place on the circle */
	const char *color; /* escape sequence, NULL = none */
};

struct diagram_line {
	size_t a; /* indices of its ends */
	size_t b;
	struct raster_pen pen;
	bool marked; /* the pen's sign is in the middle of it */
};

struct diagram {
	const struct diagram_node *nodes;
	size_t node_count; /* 1 to DIAGRAM_NODES_MOST */
	const struct diagram_line *lines;
	size_t line_count; /* the last ones lie above */
	size_t columns;
	size_t height; /* lines of text */
	bool utf8;
};

/* Appends the picture; it borrows everything. */
void diagram_draw(const struct diagram *diagram, struct buf *out);

#endif
