/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small map of points in text: braille dots (2 x 4 to a character) or plain
 * ASCII. Equirectangular with longitudes shrunk by cos(latitude of the
 * middle), north up, a scale bar below. Fine for what fits a screen; near the
 * poles and for half the world it is only a sketch.
 */
#ifndef HERD_CLIENT_CANVAS_H
#define HERD_CLIENT_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

#define CANVAS_WIDTH_MIN 20u
#define CANVAS_HEIGHT_MIN 6u
#define CANVAS_LABEL_MAX 24u

struct canvas;

/*
 * What of the points is seen. Zeroed, but for
 * labels_most: those between the 2nd and the 98th
 * percentile, in the middle, so that one far away does not make dots of all
 * the others.
 */
struct canvas_view {
	bool all;     /* every point sets the scale */
	bool centred; /* the middle is at lat, lon */
	double lat;   /* degrees */
	double lon;   /* degrees */
	double
	    radius;   /* degrees of latitude from there; 0: as the points are */
	double zoom;  /* doublings, 0: as it fits */
	double right; /* moved by so many widths of the picture */
	double up;    /* and heights */
	size_t labels_most; /* with more points in sight there are no labels */
};

/* Bounds of zoom, so that the scale stays a number that can be read. */
#define CANVAS_ZOOM_MOST 16.0
#define CANVAS_ZOOM_LEAST (-16.0)

/*
 * Gives an empty map of so many columns and lines, the scale bar's among them.
 * `utf8': braille, else ASCII.
 */
struct canvas *canvas_new(size_t width, size_t height, bool utf8);
void canvas_free(struct canvas *canvas);

/*
 * A point in degrees; `label` (NULL = none) is copied, cleaned, cut. One that
 * is nowhere on Earth is left out.
 */
void canvas_add(
    struct canvas *canvas, double lat, double lon, const char *label);

/* A point whose label is seen in any case, and before others'. */
void canvas_mark(
    struct canvas *canvas, double lat, double lon, const char *label);

/*
 * Appends the map, each line with its LF; returns how many of the points lie
 * outside.
 */
size_t canvas_draw(const struct canvas *canvas, const struct canvas_view *view,
    struct buf *out);

#endif
