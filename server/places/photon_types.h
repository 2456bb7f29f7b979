/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * OpenStreetMap's tags in the words that Nearby Search has for types.
 */
#ifndef HERD_PLACES_PHOTON_TYPES_H
#define HERD_PLACES_PHOTON_TYPES_H

#include "herd/span.h"

#define PHOTON_TYPES_MAX 6u

/* Types of key=value, static texts; at least one. Either span may be empty. */
size_t photon_types(
    struct span key, struct span value, struct span out[PHOTON_TYPES_MAX]);

#endif
