/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer's inside, for its own files: the data file as SQLite sees it,
 * what all readers share, one place as JSON.
 */
#ifndef HERD_PLACES_GAZETTEER_DB_H
#define HERD_PLACES_GAZETTEER_DB_H

#include <sqlite3.h>

#include "places/gazetteer.h"
#include "places/gazetteer_tree.h"

/*
 * Opens read-only, immutable, mapped into memory, without locks; an SQLite
 * code. *out is given even on failure (or NULL) for sqlite3_errmsg().
 */
HERD_MUST_CHECK int gazetteer_db_open(const char *path, sqlite3 **out);

/* The lines of html_attributions; as long as the gazetteer is open. */
const struct span *gazetteer_notice(
    const struct gazetteer *gazetteer, size_t *count);

/* The tree of gazetteer_rows() points; the place of points[i] has id i + 1. */
const struct tree_point *gazetteer_points(const struct gazetteer *gazetteer);

/*
 * Appends a place as a member of "results" (for json_member()). HERD_ESYSTEM:
 * `read`, the statement of GAZETTEER_READ, has no such row or one of a kind
 * that this version does not know.
 */
HERD_MUST_CHECK enum herd_error gazetteer_write_place(
    sqlite3_stmt *read, sqlite3_int64 id, struct buf *out);

#define GAZETTEER_READ                                                \
	"SELECT place_id, kind, name, vicinity, country, population," \
	" lat, lng FROM place WHERE id = ?"

#endif
