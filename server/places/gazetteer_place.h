/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One place of the gazetteer as JSON. */
#ifndef HERD_PLACES_GAZETTEER_PLACE_H
#define HERD_PLACES_GAZETTEER_PLACE_H

#include <sqlite3.h>

#include "places/gazetteer_hours.h"

/* The statement that reads a place by its id. */
#define GAZETTEER_PLACE_READ                                          \
	"SELECT place_id, kind, name, vicinity, country, population," \
	" lat, lng, hours FROM place WHERE id = ?"

/*
 * *depends_on_now: the text says whether it is open, at that time.
 * Appends the place of points[index] as a member of "results" (for
 * json_member()). HERD_ESYSTEM: `read`, the statement above, has no such row or
 * one of a kind that this version does not know.
 */
HERD_MUST_CHECK enum herd_error gazetteer_place_write(sqlite3_stmt *read,
    const struct gazetteer *gazetteer, size_t index,
    const struct local_time *now, bool *depends_on_now, struct buf *out);

#endif
