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
 * Gives an empty map of so many columns and lines, the scale bar's among them.
 * `utf8': braille, else ASCII.
 */
struct canvas *canvas_new(size_t width, size_t height, bool utf8);
void canvas_free(struct canvas *canvas);

/* A point in degrees; `label` (NULL = none) is copied, cleaned, cut. */
void canvas_add(
    struct canvas *canvas, double lat, double lon, const char *label);

/* Appends the map, each line with its LF. */
void canvas_draw(const struct canvas *canvas, struct buf *out);

#endif
