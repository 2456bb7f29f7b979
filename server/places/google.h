/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Google's Places API (New), Nearby Search: POST with a field mask, an
 * answer in another shape than the one that Herd's clients know.
 * Source: developers.google.com/maps/documentation/places/web-service/
 * nearby-search and the reference of v1/places:searchNearby.
 */
#ifndef HERD_PLACES_GOOGLE_H
#define HERD_PLACES_GOOGLE_H

#include "places/upstream.h"

extern const struct upstream upstream_google;

#endif
