/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded engine: one SQLite file in WAL mode, one row per client, a
 * removal's too. A transaction is a batch, so its price is shared.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/location.h"
#include "herd/time.h"
#include "store/engine.h"

#define FORMAT_VERSION 1
#define BUSY_MS 1000

struct sqlite_engine {
	struct engine engine;
	sqlite3 *db;
	sqlite3_stmt *put;
	sqlite3_stmt *erase;
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
};

enum column { CLIENT, KIND, ORIGIN, LOCATION, TIME, SKEW };

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS reports ("
    " client BLOB PRIMARY KEY, kind INTEGER NOT NULL, origin BLOB NOT NULL,"
    " location BLOB NOT NULL, time BLOB NOT NULL, skew BLOB NOT NULL"
    ") WITHOUT ROWID;";

static const char *
hint_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "move the file away, with its -wal and -shm, and start "
		       "again: neighbours give back what they hold";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another herdd uses the file: give each node its own "
		       "store.path";
	case SQLITE_ERROR:
		return "the file is not of a herdd: take another store.path";
	default: return "is the folder writable, or the disk full?";
	}
}

static enum herd_error
fail(struct sqlite_engine *self, const char *what)
{
	self->engine.hint = hint_of(sqlite3_errcode(self->db));
	snprintf(self->engine.error, sizeof(self->engine.error), "%s: %s", what,
	    sqlite3_errmsg(self->db));
	return HERD_ESYSTEM;
}

static enum herd_error
run(struct sqlite_engine *self, const char *sql)
{
	if (sqlite3_exec(self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(self, sql);
	return HERD_OK;
}

static enum herd_error
step_once(struct sqlite_engine *self, sqlite3_stmt *statement, const char *what)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_DONE) {
		enum herd_error error = fail(self, what);

		(void)sqlite3_reset(statement);
		return error;
	}
	return sqlite3_reset(statement) == SQLITE_OK ? HERD_OK
						     : fail(self, what);
}

static void
sqlite_close(struct engine *engine)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	sqlite3_finalize(self->put);
	sqlite3_finalize(self->erase);
	sqlite3_finalize(self->begin);
	sqlite3_finalize(self->commit);
	sqlite3_close(self->db);
	free(self);
}

static enum herd_error
prepare(struct sqlite_engine *self, const char *sql, sqlite3_stmt **out)
{
	if (sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		out, NULL) != SQLITE_OK)
		return fail(self, sql);
	return HERD_OK;
}

static enum herd_error
check_version(struct sqlite_engine *self)
{
	sqlite3_stmt *statement;
	enum herd_error error =
	    prepare(self, "PRAGMA user_version", &statement);
	int version = 0;

	if (error != HERD_OK)
		return error;
	if (sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	if (version == 0)
		return run(self, "PRAGMA user_version=1");
	if (version != FORMAT_VERSION) {
		snprintf(self->engine.error, sizeof(self->engine.error),
		    "format %d, this herdd writes format %d", version,
		    FORMAT_VERSION);
		self->engine.hint =
		    "start the herdd that wrote it, or take another store.path";
		return HERD_ERANGE;
	}
	return HERD_OK;
}

/* The lock is held as long as we live: a second herdd must not write here. */
static enum herd_error
set_up(struct sqlite_engine *self, bool sync)
{
	static const struct {
		const char *sql;
		bool only_sync;
		bool only_async;
	} steps[] = {
		{ "PRAGMA locking_mode=EXCLUSIVE", false, false },
		{ "PRAGMA journal_mode=WAL", false, false },
		{ "PRAGMA synchronous=FULL", true, false },
		{ "PRAGMA synchronous=NORMAL", false, true },
		{ SCHEMA, false, false },
	};
	enum herd_error error = HERD_OK;

	(void)sqlite3_busy_timeout(self->db, BUSY_MS);
	for (size_t i = 0; i < HERD_ARRAY_LEN(steps) && error == HERD_OK; i++) {
		if ((steps[i].only_sync && !sync) ||
		    (steps[i].only_async && sync))
			continue;
		error = run(self, steps[i].sql);
	}
	if (error == HERD_OK)
		error = check_version(self);
	if (error == HERD_OK)
		error = prepare(self, "BEGIN IMMEDIATE", &self->begin);
	if (error == HERD_OK)
		error = prepare(self, "COMMIT", &self->commit);
	if (error == HERD_OK)
		error = prepare(self,
		    "REPLACE INTO reports VALUES (?1,?2,?3,?4,?5,?6)",
		    &self->put);
	if (error == HERD_OK)
		error = prepare(
		    self, "DELETE FROM reports WHERE client=?1", &self->erase);
	return error;
}

/*
 * Where people are is for the daemon alone; SQLite gives its other files the
 * mode of this one. What goes wrong here it finds again and tells.
 */
static void
create_closed(const char *path)
{
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0)
		(void)close(fd);
}

static enum herd_error
sqlite_open(
    const char *path, bool sync, struct buf *message, struct engine **out)
{
	struct sqlite_engine *self = calloc(1, sizeof(*self));
	enum herd_error error;

	if (self == NULL)
		return HERD_ENOMEM;
	self->engine.ops = &engine_sqlite;
	create_closed(path);
	if (sqlite3_open_v2(path, &self->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		error = fail(self, "open");
	else
		error = set_up(self, sync);
	if (error == HERD_OK) {
		*out = &self->engine;
		return HERD_OK;
	}
	if (buf_addf(message, "store.path: cannot use %s: %s; %s", path,
		self->engine.error, self->engine.hint) != HERD_OK)
		error = HERD_ENOMEM;
	sqlite_close(&self->engine);
	return error;
}

/* --- loading ------------------------------------------------------------ */

static struct span
column(sqlite3_stmt *row, enum column number)
{
	const char *data = sqlite3_column_blob(row, (int)number);

	return span_of(data == NULL ? "" : data,
	    (size_t)sqlite3_column_bytes(row, (int)number));
}

/* The file is as foreign as a peer: what is not a report is not taken. */
static bool
read_row(sqlite3_stmt *row, struct report *out)
{
	struct location location;
	struct skew skew;

	out->kind = sqlite3_column_int(row, KIND) == REPORT_REMOVAL
			? REPORT_REMOVAL
			: REPORT_POSITION;
	out->client = column(row, CLIENT);
	out->origin = column(row, ORIGIN);
	out->location = column(row, LOCATION);
	out->time = column(row, TIME);
	out->skew = column(row, SKEW);
	if (!client_id_is_valid(out->client) ||
	    !node_name_is_valid(out->origin) ||
	    time_parse(out->time, &out->time_ns) != HERD_OK)
		return false;
	if (out->kind == REPORT_REMOVAL)
		return out->location.len == 0 && out->skew.len == 0;
	return location_parse(out->location, &location) == HERD_OK &&
	       skew_parse(out->skew, &skew) == HERD_OK;
}

static enum herd_error
sqlite_load(struct engine *engine, engine_on_report *on_report, void *arg,
    uint64_t *skipped)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	sqlite3_stmt *rows;
	enum herd_error error = prepare(self,
	    "SELECT client,kind,origin,location,time,skew FROM reports", &rows);
	int code = SQLITE_DONE;

	*skipped = 0;
	if (error != HERD_OK)
		return error;
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct report report;

		if (read_row(rows, &report))
			error = on_report(arg, &report);
		else
			++*skipped;
	}
	if (error == HERD_OK && code != SQLITE_DONE)
		error = fail(self, "load");
	sqlite3_finalize(rows);
	return error;
}

/* --- writing ------------------------------------------------------------ */

static enum herd_error
sqlite_begin(struct engine *engine)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	return step_once(self, self->begin, "begin");
}

static enum herd_error
sqlite_commit(struct engine *engine)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	return step_once(self, self->commit, "commit");
}

/* A NULL pointer would be SQL's NULL: an empty text is not that. */
static bool
bind(sqlite3_stmt *statement, int at, struct span text)
{
	return sqlite3_bind_blob(statement, at, text.len == 0 ? "" : text.data,
		   (int)text.len, SQLITE_STATIC) == SQLITE_OK;
}

static enum herd_error
sqlite_put(struct engine *engine, const struct report *report)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	sqlite3_stmt *put = self->put;

	if (!bind(put, CLIENT + 1, report->client) ||
	    sqlite3_bind_int(put, KIND + 1, (int)report->kind) != SQLITE_OK ||
	    !bind(put, ORIGIN + 1, report->origin) ||
	    !bind(put, LOCATION + 1, report->location) ||
	    !bind(put, TIME + 1, report->time) ||
	    !bind(put, SKEW + 1, report->skew))
		return fail(self, "bind");
	return step_once(self, put, "put");
}

static enum herd_error
sqlite_prune(struct engine *engine, engine_is_held *is_held, void *arg,
    unsigned max, uint64_t *deleted)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	sqlite3_stmt *rows;
	enum herd_error error =
	    prepare(self, "SELECT client FROM reports", &rows);
	int code = SQLITE_DONE;

	*deleted = 0;
	if (error != HERD_OK)
		return error;
	while (error == HERD_OK && *deleted < max &&
	       (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct span client = column(rows, CLIENT);

		if (is_held(arg, client))
			continue;
		if (!bind(self->erase, 1, client))
			error = fail(self, "bind");
		else
			error = step_once(self, self->erase, "prune");
		++*deleted;
	}
	if (error == HERD_OK && code != SQLITE_ROW && code != SQLITE_DONE)
		error = fail(self, "prune");
	sqlite3_finalize(rows);
	return error;
}

static enum herd_error
sqlite_count(struct engine *engine, uint64_t *rows)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	sqlite3_stmt *statement;
	enum herd_error error =
	    prepare(self, "SELECT count(*) FROM reports", &statement);

	if (error != HERD_OK)
		return error;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*rows = (uint64_t)sqlite3_column_int64(statement, 0);
	else
		error = fail(self, "count");
	sqlite3_finalize(statement);
	return error;
}

const struct engine_ops engine_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.load = sqlite_load,
	.begin = sqlite_begin,
	.put = sqlite_put,
	.commit = sqlite_commit,
	.prune = sqlite_prune,
	.count = sqlite_count,
	.close = sqlite_close,
};
