/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A drawing in text: dots (braille, 2 x 4 to a character, or one ASCII
 * character), and words over them. What lies outside is not drawn.
 */
#ifndef HERD_CLIENT_RASTER_H
#define HERD_CLIENT_RASTER_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

struct raster_cell;

struct raster {
	size_t columns;
	size_t lines;
	unsigned dots_x; /* in a character */
	unsigned dots_y;
	bool utf8; /* braille */
	struct raster_cell *cells;
};

/* How a line is drawn: `on` dots of braille, then `off` not. */
struct raster_pen {
	char sign;         /* of a dot in ASCII */
	const char *color; /* escape sequence (borrowed), NULL = none */
	unsigned on;
	unsigned off; /* 0: solid */
};

void raster_init(
    struct raster *raster, size_t columns, size_t lines, bool utf8);
void raster_release(struct raster *raster);

void raster_dot(
    struct raster *raster, size_t x, size_t y, const struct raster_pen *pen);

/* From one dot to another. */
void raster_line(struct raster *raster, double x0, double y0, double x1,
    double y1, const struct raster_pen *pen);

/*
 * Puts a clean text there, whole or not at all. False: there is no room, or
 * another text.
 */
bool raster_text(struct raster *raster, size_t column, size_t line,
    const char *text, const char *color);

/* Appends the lines, without blanks at their ends. */
void raster_put(const struct raster *raster, struct buf *out);

#endif
