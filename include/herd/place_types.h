/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kind of place something is, in the words that Nearby Search has for
 * types. Each source of places has words of its own.
 */
#ifndef HERD_PLACE_TYPES_H
#define HERD_PLACE_TYPES_H

#include <stdbool.h>

#include "herd/span.h"

#define PLACE_TYPES_MAX 6u

/*
 * Types of OpenStreetMap's key=value, static texts; at least one. Either span
 * may be empty.
 */
size_t place_types_of_osm(
    struct span key, struct span value, struct span out[PLACE_TYPES_MAX]);

/* A tag of what is a place: streets and house numbers are none. */
struct place_types_tag {
	const char *key;
	const char *value; /* NULL: any */
};

/* All of them; the last has key NULL. */
const struct place_types_tag *place_types_tags(void);

/* Is key=value one of them? */
bool place_types_has_tag(struct span key, struct span value);

#endif
