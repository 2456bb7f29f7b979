/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What kind of place something is, in the words that Nearby Search has for
 * types. Each source of places has words of its own.
 */
#ifndef HERD_PLACE_TYPES_H
#define HERD_PLACE_TYPES_H

#include <stdbool.h>

#include "herd/buf.h"

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

/* Can a place with the tag be of the type? */
bool place_types_may_be(const struct place_types_tag *tag, const char *type);

/* Is key=value one of them? */
bool place_types_has_tag(struct span key, struct span value);

/* Its place among them: the first says best what a place is. SIZE_MAX: none. */
size_t place_types_rank(struct span key, struct span value);

/*
 * Types of a category of Overture ("coffee_shop") or a label of Foursquare
 * ("Dining and Drinking > Cafe, Coffee, and Tea House > Coffee Shop"; of a list
 * the first one counts); 0 of one that is not known. `scratch` is the caller's.
 */
size_t place_types_of_label(
    struct span label, struct buf *scratch, struct span out[PLACE_TYPES_MAX]);

#endif
