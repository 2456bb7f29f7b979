/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Google's legacy Nearby Search, for projects that still have it: its text
 * is what Herd's clients get, cut to the results that were asked for.
 */
#ifndef HERD_PLACES_GOOGLE_LEGACY_H
#define HERD_PLACES_GOOGLE_LEGACY_H

#include "places/upstream.h"

extern const struct upstream upstream_google_legacy;

#endif
