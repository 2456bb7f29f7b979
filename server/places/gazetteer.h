/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded provider: 240,000 real places in a read-only SQLite file. A
 * tree over all of them lies in memory once for all readers; each reader has
 * its own handle for the places' texts. Readers share no lock.
 */
#ifndef HERD_PLACES_GAZETTEER_H
#define HERD_PLACES_GAZETTEER_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

#include "herd/settings.h"
#include "herd/gazetteer_file.h"
#include "herd/kd_tree.h"

#define GAZETTEER_SOURCE_MAX 64u
#define GAZETTEER_ZONE_MAX 64u

struct gazetteer_names;

/* The types of some places. */
struct gazetteer_list {
	struct span types[GAZETTEER_TYPES_MAX];
	size_t count;
	bool is_establishment; /* not an area */
	uint64_t places;
	char text[GAZETTEER_LIST_BYTES_MAX + 1]; /* with commas */
};

/* What all readers share; constant once open, but for `holders`. */
struct gazetteer {
	_Atomic unsigned holders;
	char path[PATH_MAX];
	char icon_base[SETTING_ICON_BASE_MAX + 1]; /* result_icon.h */
	/* SHA-256 of the table that the file was made from, in hex */
	char source[GAZETTEER_SOURCE_MAX + 1];
	uint64_t rows;
	uint64_t bytes;   /* of the file */
	uint64_t made_ns; /* when it was last written; wall clock */
	uint64_t inode;
	double bounds[4];                  /* south, west, north, east */
	char zone[GAZETTEER_ZONE_MAX + 1]; /* of opening hours; "" = none */
	struct buf zone_file;              /* time_zone.h; empty: not known */
	pthread_mutex_t names_lock;
	struct gazetteer_names *names; /* names_lock; NULL: not read yet */
	struct gazetteer_list *lists;
	size_t list_count;
	struct kd_point *points; /* `rows` of them; points[i] has id i + 1 */
	char *notice;
	struct span lines[GAZETTEER_NOTICE_LINES_MAX]; /* of the notice */
	size_t line_count;
};

/*
 * Appends the path of the data file: `setting` (a path as the herd file has
 * it; %n, relative to `base_dir`) when it is not empty, else the first that
 * exists of gazetteer.sqlite beside the executable, in the folder above it
 * (the build tree), and in the installation's share folder. HERD_ENOTFOUND:
 * `message` says where it was looked for.
 */
HERD_MUST_CHECK enum herd_error gazetteer_locate(const char *setting,
    const char *node, const char *base_dir, struct buf *path,
    struct buf *message);

/*
 * Checks that `path` is a whole data file of this version. HERD_ESYSTEM (it
 * cannot be read), HERD_ESYNTAX (it is something else, old or damaged):
 * `message` says what is wrong and what to do. *out has
 * one holder, the caller; gazetteer_close() lets go.
 */
HERD_MUST_CHECK enum herd_error gazetteer_open(const char *path,
    const char *icon_base, struct buf *message, struct gazetteer **out);
void gazetteer_close(struct gazetteer *gazetteer);

/*
 * Reads what questions with a filter need, which takes a while. If it fails,
 * the first such question tries again, and tells.
 */
void gazetteer_warm(struct gazetteer *gazetteer);

/* Has it been read? */
bool gazetteer_is_warm(struct gazetteer *gazetteer);

/* Another holder; the last one that lets go frees it. */
struct gazetteer *gazetteer_hold(struct gazetteer *gazetteer);

/* Is the file at its path another one by now, or was it written since? */
bool gazetteer_has_changed(const struct gazetteer *gazetteer);

/* The list of types of points[index]. */
const struct gazetteer_list *gazetteer_list_of(
    const struct gazetteer *gazetteer, size_t index);

/*
 * Opens read-only, immutable, mapped into memory, without locks; an SQLite
 * code. *out is given even on failure (or NULL) for sqlite3_errmsg().
 */
HERD_MUST_CHECK int gazetteer_open_database(const char *path, sqlite3 **out);

#endif
