/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client's location: "+34.068930-118.445127", two signed decimal numbers,
 * latitude then longitude. Parsed digit by digit without floating point, so
 * that every node judges alike; the text itself is what travels.
 */
#ifndef HERD_LOCATION_H
#define HERD_LOCATION_H

#include <stdint.h>

#include "herd/buf.h"

/* Nanodegrees: 1e-9 degree, about 0.1 mm. Digits beyond are cut off. */
#define LOCATION_DECIMALS 9u
struct location {
	int64_t lat_nd;
	int64_t lon_nd;
};

/*
 * sign digits [. digits], twice, nothing else. |lat| <= 90 and |lon| <= 180
 * inclusive, judged with all digits (90.0000000001 is out). HERD_ESYNTAX,
 * HERD_ERANGE. Source: herd-protocol(7), "Fields".
 */
HERD_MUST_CHECK enum herd_error location_parse(
    struct span text, struct location *out);

/*
 * What people type as well: "34.068930,-118.445127" (signs optional, spaces
 * after the comma allowed), or the protocol's form. Appends the protocol's
 * form with all digits as typed to `text`. HERD_ESYNTAX, HERD_ERANGE.
 */
HERD_MUST_CHECK enum herd_error location_from_human(
    struct span typed, struct buf *text, struct location *out);

/* Degrees. */
double location_lat(struct location location);
double location_lon(struct location location);

/* Great-circle metres by the haversine formula, R = 6,371,008.8 m. */
double location_distance_m(struct location a, struct location b);

/* Initial bearing from a to b, degrees 0 <= x < 360, 0 is north. */
double location_bearing_deg(struct location a, struct location b);

/* "N", "NNE" ... of 16, static. */
const char *location_compass(double bearing_deg);

#endif
