/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes a data file of the gazetteer: places in any order in, and a file that
 * appears whole or not at all. Texts wait in a file without a name, so that
 * memory holds 36 bytes a place, however long the names are.
 */
#ifndef HERD_CLIENT_GAZETTEER_MAKER_H
#define HERD_CLIENT_GAZETTEER_MAKER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "herd/buf.h"
#include "herd/gazetteer_file.h"
#include "input/sqlite_api.h"

/* A place. Texts are borrowed; `types' has commas, "" = those of the kind. */
struct maker_place {
	struct span id;
	char kind;
	struct span name;
	struct span vicinity; /* "" = the name */
	struct span country;
	struct span admin1;
	struct span types;
	struct span hours;
	double lat;
	double lng;
	uint64_t population;
};

/* A list of types, and how many places have it. */
struct maker_list {
	char *types;
	uint64_t places;
};

struct gazetteer_maker {
	struct sqlite_api sqlite;
	sqlite3 *db;
	sqlite3_stmt *put_place;
	char path[PATH_MAX];
	char temporary[PATH_MAX];
	FILE *stage;
	uint64_t staged; /* bytes of it */
	uint64_t rows;
	uint64_t rows_max;
	struct buf points; /* struct kd_point each */
	struct buf starts; /* uint64_t each, in `stage' */
	uint64_t *ids;     /* hashes of the ids so far, 0 = free */
	size_t id_slots;
	struct maker_list lists[GAZETTEER_LISTS_MAX];
	unsigned list_count;
	double south, west, north, east;
	struct buf text;
	struct buf why; /* what failed */
};

enum maker_result {
	MAKER_TAKEN,
	MAKER_REFUSED,   /* *fault says what is wrong with the place */
	MAKER_DUPLICATE, /* a place has that id already */
	MAKER_FAILED,    /* `why' says what is wrong; release it */
};

/* False: `why'. `path' is where the file will be. */
bool gazetteer_maker_open(
    struct gazetteer_maker *maker, const char *path, uint64_t rows_max);

enum maker_result gazetteer_maker_add(struct gazetteer_maker *maker,
    const struct maker_place *place, const char **fault);

/* What is known of the file as a whole. */
struct maker_facts {
	struct span notice;
	const char *made_by;
	struct span source; /* a digest in hex, or "" */
	struct span zone;   /* the time zone of opening hours, or "" */
};

/* Writes the file and gives it its name. False: `why'. */
bool gazetteer_maker_finish(
    struct gazetteer_maker *maker, const struct maker_facts *facts);

/* Forgets all, and the unfinished file. */
void gazetteer_maker_release(struct gazetteer_maker *maker);

/* Reads a notice, at most 16 lines. False: why it cannot be one. */
bool gazetteer_maker_notice(const char *path, struct buf *out, struct buf *why);

#endif
