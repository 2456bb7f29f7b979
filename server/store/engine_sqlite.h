/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The SQLite engine as its own files see it: engine_sqlite.c, which reads and
 * writes rows, and sqlite_*.c, which are its work in slices.
 */
#ifndef HERD_ENGINE_SQLITE_H
#define HERD_ENGINE_SQLITE_H

#include <sqlite3.h>

#include "herd/store_row.h"
#include "store/engine.h"
#include "store/same_file.h"

#define ENGINE_SQLITE_BUSY_MS 1000 /* for other programs' locks */

/* The files, by the names under which the next start reads them. */
enum written { DATABASE, LOG_AHEAD, WRITTEN_COUNT };

struct sqlite_engine {
	struct engine engine;
	sqlite3 *db;
	sqlite3_stmt *put;
	sqlite3_stmt *change; /* a row that is there */
	sqlite3_stmt *erase;
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	char *path; /* as it was given */
	char *real; /* without symbolic links: SQLite puts the log beside it */
	int owner;  /* the file, locked for other herdds; or -1 */
	struct same_file files[WRITTEN_COUNT];
	unsigned noted;  /* how many of them are */
	bool is_format1; /* rows have no seal */
	struct buf line; /* of the row at hand */
	/* Kept, because to count them is to read the whole file. */
	uint64_t rows;
	struct buf pruned; /* the client up to which prune has looked */
};

/* Sets the engine's error and hint of what SQLite failed with. */
enum herd_error engine_sqlite_fail(
    struct sqlite_engine *self, const char *what);

HERD_MUST_CHECK enum herd_error engine_sqlite_run(
    struct sqlite_engine *self, const char *sql);

/* Gives *out: sqlite3_finalize() it. */
HERD_MUST_CHECK enum herd_error engine_sqlite_prepare(
    struct sqlite_engine *self, const char *sql, sqlite3_stmt **out);

/* The first column of the first row. */
HERD_MUST_CHECK enum herd_error engine_sqlite_ask(
    struct sqlite_engine *self, const char *sql, int64_t *number);

/* HERD_OK if the next start will read what is being written. */
HERD_MUST_CHECK enum herd_error engine_sqlite_check_files(
    struct sqlite_engine *self, bool writing);

/* Notes the files as they are after our write. */
HERD_MUST_CHECK enum herd_error engine_sqlite_note_files(
    struct sqlite_engine *self);

/* An empty text must not be SQL's NULL, which a NULL pointer would be. */
bool engine_sqlite_bind(sqlite3_stmt *statement, int at, struct span text);

/*
 * The row at hand of a STORE_ROW_SELECT(), as a report that borrows it. NULL,
 * or why it is refused.
 */
HERD_MUST_CHECK const char *engine_sqlite_read(struct sqlite_engine *self,
    sqlite3_stmt *row, bool is_sealed, struct report *out);

/* The engine's error is the task's: the engine goes on. Returns `error`. */
enum herd_error engine_sqlite_blame(struct sqlite_engine *self,
    struct engine_task *task, enum herd_error error);

#endif
