/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Open Location Code ("plus code") of ten digits: a cell of 1/8000 degree.
 * Source: github.com/google/open-location-code, specification.
 */
#ifndef HERD_PLACES_OLC_H
#define HERD_PLACES_OLC_H

#include <stdint.h>

/* "8FVC2222+22" */
#define OLC_LEN 11u
/* The digits that a nearby town's name replaces: "2222+22" is left. */
#define OLC_AREA_LEN 4u

/* Degrees times 10^7; the code is not terminated. */
void olc_encode(int64_t lat_e7, int64_t lng_e7, char out[OLC_LEN]);

#endif
