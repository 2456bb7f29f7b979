/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded engine: one SQLite file in WAL mode, one row per client, a
 * removal's too. A transaction is a batch, so its price is shared.
 *
 * Each row has a seal, a checksum over all its fields, because disks and memory
 * lose bits: a report with one bit wrong may be a valid report of another time
 * or place, and the herd would believe it. Format 1 had only the kind instead;
 * its rows get their seals when the file is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/signals.h"
#include "core/siphash.h"
#include "herd/file.h"
#include "herd/location.h"
#include "herd/time.h"
#include "store/engine.h"
#include "store/same_file.h"

#define FORMAT_VERSION 2
#define BUSY_MS 1000
/* Steps of SQLite's machine between two looks for a signal: some 0.1 ms. */
#define STEPS_PER_LOOK 10000
/* The longest line of a report: a client's line, origin, skew, words. */
#define LINE_MAX_BYTES (1u << 17)

/* The files, by the names under which the next start reads them. */
enum written { DATABASE, LOG_AHEAD, WRITTEN_COUNT };

struct sqlite_engine {
	struct engine engine;
	sqlite3 *db;
	sqlite3_stmt *put;
	sqlite3_stmt *erase;
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	char *path; /* as it was given */
	char *real; /* without symbolic links: SQLite puts the log beside it */
	struct same_file files[WRITTEN_COUNT];
	unsigned noted;  /* how many of them are */
	bool is_format1; /* rows have no seal */
	struct buf line; /* of the row at hand */
};

/* In the order of enum column. */
#define ROWS(seal, table) \
	"SELECT client," seal ",origin,location,time,skew FROM " table

enum column { CLIENT, SEAL, ORIGIN, LOCATION, TIME, SKEW };

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS reports ("
    " client BLOB PRIMARY KEY, seal INTEGER NOT NULL, origin BLOB NOT NULL,"
    " location BLOB NOT NULL, time BLOB NOT NULL, skew BLOB NOT NULL"
    ") WITHOUT ROWID; PRAGMA user_version=2";

/*
 * A seal is the kind in its lowest bit and 63 bits of checksum above. The key
 * is fixed, as it is no secret: the checksum is there against accidents, of
 * which it misses one in 2^63.
 */
static const struct siphash_key SEAL_KEY = {
	UINT64_C(0x6865726473746f72),
	UINT64_C(0x65726f7773756d32),
};

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
		return "the file is not of a herdd, or damaged: take another "
		       "store.path, or move it away";
	default: return "is the folder writable, or the disk full?";
	}
}

/* SQLite keeps no errno of a failed commit, but nothing has changed errno. */
static const char *
cause_of(struct sqlite_engine *self, int code)
{
	int last = errno;
	int cause = sqlite3_system_errno(self->db);

	if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN)
		return NULL;
	if (cause == 0)
		cause = last;
	return cause == 0 ? NULL : strerror(cause);
}

static enum herd_error
fail(struct sqlite_engine *self, const char *what)
{
	int code = sqlite3_errcode(self->db);
	const char *cause = cause_of(self, code);

	if (code == SQLITE_INTERRUPT)
		return HERD_ECANCELED;
	self->engine.hint = hint_of(code);
	snprintf(self->engine.error, sizeof(self->engine.error), "%s: %s%s%s",
	    what, sqlite3_errmsg(self->db), cause == NULL ? "" : ": ",
	    cause == NULL ? "" : cause);
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

static enum herd_error
prepare(struct sqlite_engine *self, const char *sql, sqlite3_stmt **out)
{
	if (sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		out, NULL) != SQLITE_OK)
		return fail(self, sql);
	return HERD_OK;
}

/* --- the files ------------------------------------------------------------ */

/* `path` is "" for the file of store.path, which the caller names. */
static enum herd_error
fail_file(struct sqlite_engine *self, const char *path, const char *what)
{
	self->engine.hint = "give store.path a regular file in a folder that "
			    "the node may write";
	snprintf(self->engine.error, sizeof(self->engine.error), "%.200s%s%s",
	    path, path[0] == '\0' ? "" : ": ", what);
	return HERD_ESYSTEM;
}

/*
 * Only the daemon may read where people are; SQLite gives its other files the
 * mode of this one. SQLite would wait for ever for a FIFO. Call this before
 * SQLite has locks, because closing a file drops the process's locks on it.
 */
static enum herd_error
prepare_file(struct sqlite_engine *self, const char *path, int flags)
{
	int fd;

	if (file_open_private(path, O_RDWR | flags, &fd, NULL) == HERD_OK)
		(void)close(fd);
	else if ((flags & O_CREAT) != 0)
		return fail_file(self, "", file_strerror(errno));
	else if (errno != ENOENT)
		return fail_file(self, path, file_strerror(errno));
	return HERD_OK;
}

static enum herd_error
prepare_files(struct sqlite_engine *self, const char *path)
{
	static const char *const more[] = { "-wal", "-shm", "-journal" };
	enum herd_error error = prepare_file(self, path, O_CREAT);
	char other[PATH_MAX + sizeof("-journal")];

	if (error != HERD_OK)
		return error;
	self->path = strdup(path);
	self->real = realpath(path, NULL);
	if (self->path == NULL || self->real == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < HERD_ARRAY_LEN(more) && error == HERD_OK; i++) {
		snprintf(other, sizeof(other), "%s%s", self->real, more[i]);
		error = prepare_file(self, other, 0);
	}
	return error;
}

/* Notes the files as they are after our write. */
static enum herd_error
note_files(struct sqlite_engine *self)
{
	const char *paths[WRITTEN_COUNT] = {
		[DATABASE] = self->path,
		[LOG_AHEAD] =
		    sqlite3_filename_wal(sqlite3_db_filename(self->db, "main")),
	};

	for (unsigned i = 0; i < WRITTEN_COUNT; i++) {
		if (same_file_note(&self->files[i], paths[i]) != HERD_OK)
			return fail_file(self, paths[i], strerror(errno));
	}
	self->noted = WRITTEN_COUNT;
	return HERD_OK;
}

/* HERD_OK if the next start will read what is being written. */
static enum herd_error
check_files(struct sqlite_engine *self, bool writing)
{
	for (unsigned i = 0; i < self->noted; i++) {
		const char *path = self->files[i].path;
		const char *what = same_file_check(&self->files[i], writing);

		if (what == NULL)
			continue;
		(void)fail_file(self, path, what);
		self->engine.hint =
		    "put it back if you can (else neighbours have what is "
		    "held here, or herdctl client export takes it)";
		self->engine.is_lost = true;
		return HERD_ESYSTEM;
	}
	return HERD_OK;
}

/* --- life ----------------------------------------------------------------- */

static void
sqlite_close(struct engine *engine)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	sqlite3_finalize(self->put);
	sqlite3_finalize(self->erase);
	sqlite3_finalize(self->begin);
	sqlite3_finalize(self->commit);
	/*
	 * SQLite ends by copying its log into the file and removing the log by
	 * name. If our files were replaced, that would be the new file's log.
	 */
	if (self->db != NULL && check_files(self, false) != HERD_OK)
		(void)sqlite3_db_config(
		    self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(self->db);
	buf_release(&self->line);
	free(self->path);
	free(self->real);
	free(self);
}

static int
on_steps(void *arg HERD_UNUSED)
{
	return signals_stop_wanted() != NULL;
}

static enum herd_error
ask_number(struct sqlite_engine *self, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement;
	enum herd_error error = prepare(self, sql, &statement);

	if (error != HERD_OK)
		return error;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	else
		error = fail(self, sql);
	sqlite3_finalize(statement);
	return error;
}

static enum herd_error
ask_version(struct sqlite_engine *self, int64_t *version)
{
	enum herd_error error =
	    ask_number(self, "PRAGMA user_version", version);

	if (error != HERD_OK || (*version >= 0 && *version <= FORMAT_VERSION))
		return error;
	snprintf(self->engine.error, sizeof(self->engine.error),
	    "format %d, this herdd writes format %d", (int)*version,
	    FORMAT_VERSION);
	self->engine.hint =
	    "start the herdd that wrote it, or take another store.path";
	return HERD_ERANGE;
}

/*
 * The number of the format may be damaged, too: the table's columns tell
 * whether rows have seals. Without a table the file is new.
 */
static enum herd_error
open_table(struct sqlite_engine *self)
{
	int64_t version = 0;
	enum herd_error error = ask_version(self, &version);
	const char *type;

	if (error != HERD_OK)
		return error;
	if (sqlite3_table_column_metadata(self->db, NULL, "reports", "client",
		&type, NULL, NULL, NULL, NULL) == SQLITE_OK)
		self->is_format1 =
		    sqlite3_table_column_metadata(self->db, NULL, "reports",
			"seal", &type, NULL, NULL, NULL, NULL) != SQLITE_OK;
	if (self->is_format1 || version == FORMAT_VERSION)
		return HERD_OK;
	error = run(self, "BEGIN IMMEDIATE");
	if (error == HERD_OK)
		error = run(self, SCHEMA);
	return error == HERD_OK ? run(self, "COMMIT") : error;
}

/* The lock is held until the end: a second herdd must not write here. */
static enum herd_error
set_up(struct sqlite_engine *self, bool sync)
{
	static const char *const steps[] = {
		"PRAGMA cell_size_check=ON",
		"PRAGMA locking_mode=EXCLUSIVE",
		"PRAGMA journal_mode=WAL",
	};
	enum herd_error error = HERD_OK;

	(void)sqlite3_busy_timeout(self->db, BUSY_MS);
	/* The file is trusted no further than to be read and written. */
	(void)sqlite3_db_config(self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(
	    self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_progress_handler(self->db, STEPS_PER_LOOK, on_steps, NULL);
	for (size_t i = 0; i < HERD_ARRAY_LEN(steps) && error == HERD_OK; i++)
		error = run(self, steps[i]);
	if (error == HERD_OK)
		error = run(self, sync ? "PRAGMA synchronous=FULL"
				       : "PRAGMA synchronous=NORMAL");
	return error == HERD_OK ? open_table(self) : error;
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
	buf_init(&self->line, LINE_MAX_BYTES);
	/* A lack of memory must never look like a damaged row. */
	error = buf_reserve(&self->line, LINE_MAX_BYTES);
	if (error == HERD_OK)
		error = prepare_files(self, path);
	if (error == HERD_OK &&
	    sqlite3_open_v2(self->real, &self->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		error = fail(self, "open");
	if (error == HERD_OK)
		error = set_up(self, sync);
	if (error == HERD_OK) {
		*out = &self->engine;
		return HERD_OK;
	}
	if (self->engine.error[0] != '\0' &&
	    buf_addf(message, "store.path: cannot use %s: %s; %s", path,
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

/* The checksum is over the report's line, which has all its fields. */
static enum herd_error
seal_of(struct sqlite_engine *self, const struct report *report, int64_t *seal)
{
	enum herd_error error;
	struct span line;
	uint64_t hash;

	buf_clear(&self->line);
	error = report_format(&self->line, report);
	if (error != HERD_OK)
		return error;
	line = buf_span(&self->line);
	hash = siphash(&SEAL_KEY, line.data, line.len);
	*seal = (int64_t)((hash & ~UINT64_C(1)) | (uint64_t)report->kind);
	return HERD_OK;
}

static bool
is_report(const struct report *report)
{
	struct location location;
	struct skew skew;

	if (!client_id_is_valid(report->client) ||
	    !node_name_is_valid(report->origin))
		return false;
	if (report->kind == REPORT_REMOVAL)
		return report->location.len == 0 && report->skew.len == 0;
	return location_parse(report->location, &location) == HERD_OK &&
	       skew_parse(report->skew, &skew) == HERD_OK;
}

/*
 * The file is trusted no more than a peer: a row that is no report, or not the
 * one that was put, is refused. Returns NULL, or why.
 */
static const char *
read_row(struct sqlite_engine *self, sqlite3_stmt *row, bool is_sealed,
    struct report *out)
{
	int64_t found = sqlite3_column_int64(row, SEAL);
	int64_t seal = 0;

	out->kind = (found & 1) != 0 ? REPORT_REMOVAL : REPORT_POSITION;
	out->client = column(row, CLIENT);
	out->origin = column(row, ORIGIN);
	out->location = column(row, LOCATION);
	out->time = column(row, TIME);
	out->skew = column(row, SKEW);
	if (time_parse(out->time, &out->time_ns) != HERD_OK || !is_report(out))
		return "it is no report";
	if (!is_sealed)
		seal = (int64_t)out->kind;
	else if (seal_of(self, out, &seal) != HERD_OK)
		return "it is too long";
	if (sqlite3_column_type(row, SEAL) != SQLITE_INTEGER || found != seal)
		return "its checksum differs";
	return NULL;
}

static enum herd_error
load_rows(struct sqlite_engine *self, const struct engine_loader *loader,
    uint64_t *damaged)
{
	sqlite3_stmt *rows;
	enum herd_error error = prepare(self,
	    self->is_format1 ? ROWS("kind", "reports")
			     : ROWS("seal", "reports"),
	    &rows);
	int code = SQLITE_DONE;

	if (error != HERD_OK)
		return error;
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct report report;
		const char *why =
		    read_row(self, rows, !self->is_format1, &report);

		if (why == NULL) {
			error = loader->on_report(loader->arg, &report);
			continue;
		}
		loader->on_damaged(loader->arg, column(rows, CLIENT), why);
		++*damaged;
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
	enum herd_error error = check_files(self, false);

	return error == HERD_OK ? step_once(self, self->begin, "begin") : error;
}

static enum herd_error
sqlite_commit(struct engine *engine)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	enum herd_error error = step_once(self, self->commit, "commit");

	if (error == HERD_OK)
		error = check_files(self, true);
	return error == HERD_OK ? note_files(self) : error;
}

/* An empty text must not be SQL's NULL, which a NULL pointer would be. */
static bool
bind(sqlite3_stmt *statement, int at, struct span text)
{
	return sqlite3_bind_blob(statement, at, text.len == 0 ? "" : text.data,
		   (int)text.len, SQLITE_STATIC) == SQLITE_OK;
}

static enum herd_error
put_by(
    struct sqlite_engine *self, sqlite3_stmt *put, const struct report *report)
{
	int64_t seal;
	enum herd_error error = seal_of(self, report, &seal);

	if (error != HERD_OK)
		return error;
	if (!bind(put, CLIENT + 1, report->client) ||
	    sqlite3_bind_int64(put, SEAL + 1, seal) != SQLITE_OK ||
	    !bind(put, ORIGIN + 1, report->origin) ||
	    !bind(put, LOCATION + 1, report->location) ||
	    !bind(put, TIME + 1, report->time) ||
	    !bind(put, SKEW + 1, report->skew))
		return fail(self, "bind");
	return step_once(self, put, "put");
}

static enum herd_error
sqlite_put(struct engine *engine, const struct report *report)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	return put_by(self, self->put, report);
}

/* --- rewriting ------------------------------------------------------------ */

/*
 * After damage to a key the rows are out of order: a client may be there twice,
 * and its older row must not win.
 */
static enum herd_error
copy_row(struct sqlite_engine *self, sqlite3_stmt *add, sqlite3_stmt *find,
    const struct report *report)
{
	enum herd_error error = put_by(self, add, report);
	struct report there;
	bool is_newer = false;

	if (error != HERD_OK || sqlite3_changes(self->db) > 0)
		return error;
	if (!bind(find, 1, report->client) || sqlite3_step(find) != SQLITE_ROW)
		error = fail(self, "find");
	else
		is_newer = read_row(self, find, true, &there) != NULL ||
			   report_compare(&there, report) < 0;
	(void)sqlite3_reset(find);
	return is_newer ? put_by(self, self->put, report) : error;
}

/* All rows of `replaced` that are reports, into `reports`. */
static enum herd_error
copy_rows(struct sqlite_engine *self)
{
	sqlite3_stmt *rows = NULL;
	sqlite3_stmt *add = NULL;
	sqlite3_stmt *find = NULL;
	int code = SQLITE_DONE;
	enum herd_error error = prepare(self,
	    self->is_format1 ? ROWS("kind", "replaced")
			     : ROWS("seal", "replaced"),
	    &rows);

	if (error == HERD_OK)
		error = prepare(self,
		    "INSERT OR IGNORE INTO reports VALUES (?1,?2,?3,?4,?5,?6)",
		    &add);
	if (error == HERD_OK)
		error = prepare(
		    self, ROWS("seal", "reports") " WHERE client=?1", &find);
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct report report;

		if (read_row(self, rows, !self->is_format1, &report) == NULL)
			error = copy_row(self, add, find, &report);
	}
	if (error == HERD_OK && code != SQLITE_DONE)
		error = fail(self, "rewrite");
	sqlite3_finalize(rows);
	sqlite3_finalize(add);
	sqlite3_finalize(find);
	return error;
}

static enum herd_error
prepare_writing(struct sqlite_engine *self)
{
	enum herd_error error = prepare(self,
	    "REPLACE INTO reports VALUES (?1,?2,?3,?4,?5,?6)", &self->put);

	if (error == HERD_OK)
		error = prepare(
		    self, "DELETE FROM reports WHERE client=?1", &self->erase);
	return error;
}

/*
 * One transaction: a crash, an error or a stop in between leaves the rows as
 * they were.
 */
static enum herd_error
rewrite(struct sqlite_engine *self)
{
	enum herd_error error = run(self, "BEGIN IMMEDIATE");

	if (error == HERD_OK)
		error = run(self, "ALTER TABLE reports RENAME TO replaced");
	if (error == HERD_OK)
		error = run(self, SCHEMA);
	if (error == HERD_OK)
		error = prepare_writing(self);
	if (error == HERD_OK)
		error = copy_rows(self);
	if (error == HERD_OK)
		error = run(self, "DROP TABLE replaced");
	if (error == HERD_OK)
		error = run(self, "COMMIT");
	/* The log now holds all rows. */
	if (error == HERD_OK)
		error = run(self, "PRAGMA wal_checkpoint(TRUNCATE)");
	return error;
}

static enum herd_error
sqlite_load(struct engine *engine, const struct engine_loader *loader)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	uint64_t damaged = 0;
	enum herd_error error = load_rows(self, loader, &damaged);

	if (error == HERD_OK && (self->is_format1 || damaged > 0)) {
		error = rewrite(self);
		if (error == HERD_OK)
			loader->on_rewritten(loader->arg,
			    damaged > 0 ? "damaged rows" : "format 1");
	} else if (error == HERD_OK) {
		error = prepare_writing(self);
	}
	if (error == HERD_OK)
		error = prepare(self, "BEGIN IMMEDIATE", &self->begin);
	if (error == HERD_OK)
		error = prepare(self, "COMMIT", &self->commit);
	if (error == HERD_OK)
		error = note_files(self);
	/* A stop signal must not interrupt the last writes. */
	sqlite3_progress_handler(self->db, 0, NULL, NULL);
	return error;
}

/* --- deleting ------------------------------------------------------------- */
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
	int64_t count = 0;
	enum herd_error error = ask_number((struct sqlite_engine *)engine,
	    "SELECT count(*) FROM reports", &count);

	*rows = (uint64_t)count;
	return error;
}

const struct engine_ops engine_sqlite = {
	.open = sqlite_open,
	.load = sqlite_load,
	.begin = sqlite_begin,
	.put = sqlite_put,
	.commit = sqlite_commit,
	.prune = sqlite_prune,
	.count = sqlite_count,
	.close = sqlite_close,
};
