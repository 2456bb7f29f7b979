/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer's data file, an SQLite database that is written once and then
 * only read: its marks, its tables, the kinds of places, and the unit in
 * which its index measures. Writer and reader share this.
 */
#ifndef HERD_PLACES_GAZETTEER_FILE_H
#define HERD_PLACES_GAZETTEER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Header fields of the file: "Herd", and the version of what follows. */
#define GAZETTEER_APPLICATION_ID 0x48657264
#define GAZETTEER_FORMAT 2

/* place_id and names; a notice has a line for each attribution. */
#define GAZETTEER_ID_MAX 128u
#define GAZETTEER_NAME_MAX 512u
#define GAZETTEER_NOTICE_MAX 16384u
#define GAZETTEER_NOTICE_LINES_MAX 16u
/* The tree's bytes are one value of SQLite, which ends at 10^9. */
#define GAZETTEER_ROWS_MAX 50000000u
#define GAZETTEER_POINT_BYTES 16u

/*
 * The tree has the places as points on the unit sphere, in units of
 * 1/(2^31-1) of its radius (3 mm on the ground). Neither poles nor the
 * antimeridian are special there.
 */
#define GAZETTEER_UNIT 2147483647.0

/*
 * place: in the tree's order, ids from 1. tree: one row, for each place x, y,
 * z and the axis (kd_tree.h) as 32-bit numbers, little-endian.
 */
#define GAZETTEER_SCHEMA                                                     \
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"      \
	"CREATE TABLE place(id INTEGER PRIMARY KEY, place_id TEXT NOT NULL," \
	" kind TEXT NOT NULL, name TEXT NOT NULL, vicinity TEXT NOT NULL,"   \
	" country TEXT NOT NULL, admin1 TEXT NOT NULL,"                      \
	" population INTEGER NOT NULL, lat REAL NOT NULL,"                   \
	" lng REAL NOT NULL);"                                               \
	"CREATE TABLE tree(id INTEGER PRIMARY KEY, points BLOB NOT NULL);"

/* Keys of meta. */
#define GAZETTEER_META_ROWS "rows"
#define GAZETTEER_META_NOTICE "notice"
#define GAZETTEER_META_SOURCE "source_sha256"
#define GAZETTEER_META_MAKER "made_by"

#define GAZETTEER_TYPES_MAX 4u

/* One row of the table of kinds. */
struct gazetteer_kind {
	char letter;
	bool is_establishment; /* an airport or a station, not an area */
	bool has_name_of_town; /* a station's name may be its town's */
	const char *what;      /* for people */
	const char *types[GAZETTEER_TYPES_MAX + 1]; /* ends with NULL */
};

/* NULL: no such kind. */
const struct gazetteer_kind *gazetteer_kind_find(char letter);

/* Degrees to the tree's units; |lat| <= 90. */
void gazetteer_vector(double lat, double lng, double out[3]);

#endif
