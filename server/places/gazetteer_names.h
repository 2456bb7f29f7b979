/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a search with a filter or by prominence looks at: each place's folded
 * name, opening hours and people, and the sets of places that tell where few
 * candidates are. It is made of the gazetteer's file when the first such
 * question comes, or before (places_expect_filters()).
 */
#ifndef HERD_PLACES_GAZETTEER_NAMES_H
#define HERD_PLACES_GAZETTEER_NAMES_H

#include <sqlite3.h>

#include "places/gazetteer.h"
#include "places/gazetteer_sets.h"

struct gazetteer_names {
	size_t rows;
	char *text;       /* names and hours, with a NUL after each */
	uint32_t *starts; /* of each place's name in `text` */
	uint32_t *hours;  /* of each place: which of the different hours */
	uint32_t
	    *hours_starts; /* of each of those in `text`; the first is "" */
	size_t hours_count;
	uint32_t *people;  /* of each place */
	uint32_t *peaks;   /* of those, for kd_tree_search() */
	uint64_t *peopled; /* a bit for each place, of whole blocks: has any */
	struct gazetteer_sets *sets;
};

/*
 * Those of the gazetteer, whose file `db' is open on. The first call reads
 * them; others wait meanwhile. HERD_ESYSTEM: the file's names are not as they
 * must be; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error gazetteer_names_find(
    struct gazetteer *gazetteer, sqlite3 *db,
    const struct gazetteer_names **out);
void gazetteer_names_free(struct gazetteer_names *names);

struct span gazetteer_names_name(
    const struct gazetteer_names *names, size_t index);

/* One of the different hours. */
struct span gazetteer_names_hours(
    const struct gazetteer_names *names, uint32_t hours);

#endif
