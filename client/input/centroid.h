/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where on a map the name of a line or an area goes. */
#ifndef HERD_CLIENT_CENTROID_H
#define HERD_CLIENT_CENTROID_H

#include "herd/json_members.h"

/*
 * The middle of a GeoJSON geometry: of points their mean, of lines by length,
 * of areas by area without the holes. False: it is none of these, or a
 * coordinate is no number.
 */
bool centroid_find(const struct json_item *geometry, double *lat, double *lon);

#endif
