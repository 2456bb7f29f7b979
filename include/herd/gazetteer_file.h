/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer's data file, an SQLite database that is written once and then
 * only read: its marks, its tables, the kinds of places, and the unit in
 * which its index measures. herdctl and mkgazetteer write it, herdd reads it.
 */
#ifndef HERD_GAZETTEER_FILE_H
#define HERD_GAZETTEER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Header fields of the file: "Herd", and the version of what follows. */
#define GAZETTEER_APPLICATION_ID 0x48657264
#define GAZETTEER_FORMAT 3

/* place_id and names; a notice has a line for each attribution. */
#define GAZETTEER_ID_MAX 128u
#define GAZETTEER_NAME_MAX 512u
#define GAZETTEER_NOTICE_MAX 16384u
#define GAZETTEER_NOTICE_LINES_MAX 16u
/* Opening hours as OpenStreetMap writes them. */
#define GAZETTEER_HOURS_MAX 255u
#define GAZETTEER_ROWS_MAX 50000000u
#define GAZETTEER_POINT_BYTES 16u
/* A row of tree has so many points, the last one what is left. */
#define GAZETTEER_CHUNK 65536u

/*
 * The tree has the places as points on the unit sphere, in units of
 * 1/(2^31-1) of its radius (3 mm on the ground). Neither poles nor the
 * antimeridian are special there.
 */
#define GAZETTEER_UNIT 2147483647.0

/* Different lists of types in a file, and types in a list. */
#define GAZETTEER_LISTS_MAX 4096u
#define GAZETTEER_TYPES_MAX 8u
#define GAZETTEER_LIST_BYTES_MAX 255u

/*
 * place: in the tree's order, ids from 1; types is an id of list, hours may be
 * empty. list: types with a comma between them, ids from 0, and how many
 * places have that list. tree: for each place x, y, z and a tag as 32-bit
 * numbers, little-endian; the tag is the axis (kd_tree.h) and, from bit
 * GAZETTEER_LIST_SHIFT, the list. names: for each place its folded name
 * (text_fold.h) and its hours, a NUL after each.
 */
#define GAZETTEER_LIST_SHIFT 8u
#define GAZETTEER_SCHEMA                                                     \
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"      \
	"CREATE TABLE place(id INTEGER PRIMARY KEY, place_id TEXT NOT NULL," \
	" kind TEXT NOT NULL, name TEXT NOT NULL, vicinity TEXT NOT NULL,"   \
	" country TEXT NOT NULL, admin1 TEXT NOT NULL,"                      \
	" population INTEGER NOT NULL, lat REAL NOT NULL,"                   \
	" lng REAL NOT NULL, types INTEGER NOT NULL, hours TEXT NOT NULL);"  \
	"CREATE TABLE list(id INTEGER PRIMARY KEY, types TEXT NOT NULL,"     \
	" places INTEGER NOT NULL);"                                         \
	"CREATE TABLE tree(id INTEGER PRIMARY KEY, points BLOB NOT NULL,"    \
	" names BLOB NOT NULL);"

/* Keys of meta. */
#define GAZETTEER_META_ROWS "rows"
#define GAZETTEER_META_NOTICE "notice"
#define GAZETTEER_META_SOURCE "source_sha256"
#define GAZETTEER_META_MAKER "made_by"
/* "south west north east", degrees */
#define GAZETTEER_META_BOUNDS "bounds"
/* of the places' opening hours; may be empty */
#define GAZETTEER_META_ZONE "time_zone"

/* One row of the table of kinds. */
struct gazetteer_kind {
	char letter;
	bool has_name_of_town; /* a station's name may be its town's */
	const char *what;      /* for people */
	const char *types;     /* with commas; "" = each place has its own */
};

/* NULL: no such kind. */
const struct gazetteer_kind *gazetteer_kind_find(char letter);

/* The kind of places that have types of their own. */
#define GAZETTEER_KIND_OWN 'N'

/* Degrees to the tree's units; |lat| <= 90. */
void gazetteer_vector(double lat, double lng, double out[3]);

#endif
