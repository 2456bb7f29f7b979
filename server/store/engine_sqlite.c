/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The embedded engine: one SQLite file in WAL mode, one row per client, a
 * removal's too. A transaction is a batch, so its price is shared.
 * Its rows are herd/store_row.h's; rows of format 1, without seals, get theirs
 * when the file is opened.
 *
 * One node alone writes the file: it holds flock() on it as long as it runs.
 * SQLite's own locks are taken for each transaction only, so that other
 * programs may read beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/signals.h"
#include "herd/file.h"
#include "store/engine_sqlite.h"
#include "store/sqlite_backup.h"
#include "store/sqlite_check.h"
#include "store/sqlite_erase.h"

/* Steps of SQLite's machine between two looks for a signal: some 0.1 ms. */
#define STEPS_PER_LOOK 10000

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS reports ("
    " client BLOB PRIMARY KEY, seal INTEGER NOT NULL, origin BLOB NOT NULL,"
    " location BLOB NOT NULL, time BLOB NOT NULL, skew BLOB NOT NULL"
    ") WITHOUT ROWID; PRAGMA user_version=2";

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
		       "store.path; or another program writes there";
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

enum herd_error
engine_sqlite_fail(struct sqlite_engine *self, const char *what)
{
	int code = sqlite3_errcode(self->db);
	const char *cause = cause_of(self, code);

	if (code == SQLITE_INTERRUPT)
		return HERD_ECANCELED;
	self->engine.fault = ENGINE_BROKEN;
	self->engine.hint = hint_of(code);
	snprintf(self->engine.error, sizeof(self->engine.error), "%s: %s%s%s",
	    what, sqlite3_errmsg(self->db), cause == NULL ? "" : ": ",
	    cause == NULL ? "" : cause);
	return HERD_ESYSTEM;
}

enum herd_error
engine_sqlite_run(struct sqlite_engine *self, const char *sql)
{
	if (sqlite3_exec(self->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return engine_sqlite_fail(self, sql);
	return HERD_OK;
}

static enum herd_error
step_once(struct sqlite_engine *self, sqlite3_stmt *statement, const char *what)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_DONE) {
		enum herd_error error = engine_sqlite_fail(self, what);

		(void)sqlite3_reset(statement);
		return error;
	}
	return sqlite3_reset(statement) == SQLITE_OK
		   ? HERD_OK
		   : engine_sqlite_fail(self, what);
}

enum herd_error
engine_sqlite_prepare(
    struct sqlite_engine *self, const char *sql, sqlite3_stmt **out)
{
	if (sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		out, NULL) != SQLITE_OK)
		return engine_sqlite_fail(self, sql);
	return HERD_OK;
}

/* --- the files ------------------------------------------------------------ */

/* `path` is "" for the file of store.path, which the caller names. */
static enum herd_error
fail_file(struct sqlite_engine *self, const char *path, const char *what)
{
	self->engine.fault = ENGINE_BROKEN;
	self->engine.hint = "give store.path a regular file in a folder that "
			    "the node may write";
	snprintf(self->engine.error, sizeof(self->engine.error), "%.200s%s%s",
	    path, path[0] == '\0' ? "" : ": ", what);
	return HERD_ESYSTEM;
}

/* A process that was killed a moment ago may not be gone yet. */
static bool
lock_owner(int fd)
{
	const struct timespec rest = { 0, ENGINE_SQLITE_BUSY_MS * 10000L };
	unsigned tries = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (++tries > 100 || signals_stop_wanted() != NULL)
			return false;
		(void)nanosleep(&rest, NULL);
	}
	return true;
}

/*
 * Two herdds on one file would each overwrite what the other has put. flock()
 * and SQLite's own locks do not see each other.
 */
static enum herd_error
take_ownership(struct sqlite_engine *self, const char *path)
{
	struct stat here;
	struct stat there;

	if (file_open_private(path, O_RDWR | O_CREAT, &self->owner, NULL) !=
	    HERD_OK) {
		self->owner = -1;
		return fail_file(self, "", file_strerror(errno));
	}
	if (!lock_owner(self->owner)) {
		(void)fail_file(self, "", "it is in use");
		self->engine.hint = hint_of(SQLITE_BUSY);
		return HERD_ESYSTEM;
	}
	/* It may have been moved away before it was ours. */
	if (fstat(self->owner, &here) != 0 || stat(path, &there) != 0 ||
	    here.st_ino != there.st_ino || here.st_dev != there.st_dev)
		return fail_file(self, "", "it was replaced just now");
	return HERD_OK;
}

/*
 * Only the daemon may read where people are; SQLite gives its other files the
 * mode of this one. SQLite would wait for ever for a FIFO. Call this before
 * SQLite has locks, because closing a file drops the process's locks on it.
 */
static enum herd_error
prepare_file(struct sqlite_engine *self, const char *path)
{
	int fd;

	if (file_open_private(path, O_RDWR, &fd, NULL) == HERD_OK)
		(void)close(fd);
	else if (errno != ENOENT)
		return fail_file(self, path, file_strerror(errno));
	return HERD_OK;
}

static enum herd_error
prepare_files(struct sqlite_engine *self, const char *path)
{
	static const char *const more[] = { "-wal", "-shm", "-journal" };
	enum herd_error error = take_ownership(self, path);
	char other[PATH_MAX + sizeof("-journal")];

	if (error != HERD_OK)
		return error;
	self->path = strdup(path);
	self->real = realpath(path, NULL);
	if (self->path == NULL || self->real == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < HERD_ARRAY_LEN(more) && error == HERD_OK; i++) {
		snprintf(other, sizeof(other), "%s%s", self->real, more[i]);
		error = prepare_file(self, other);
	}
	if (error == HERD_OK)
		sqlite_backup_remove(self);
	return error;
}

/* Notes the files as they are after our write. */
enum herd_error
engine_sqlite_note_files(struct sqlite_engine *self)
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
enum herd_error
engine_sqlite_check_files(struct sqlite_engine *self, bool writing)
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
	sqlite3_finalize(self->change);
	sqlite3_finalize(self->erase);
	sqlite3_finalize(self->begin);
	sqlite3_finalize(self->commit);
	/*
	 * SQLite ends by copying its log into the file and removing the log by
	 * name. If our files were replaced, that would be the new file's log.
	 */
	if (self->db != NULL &&
	    engine_sqlite_check_files(self, false) != HERD_OK)
		(void)sqlite3_db_config(
		    self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(self->db);
	/* After SQLite, whose locks on the file go with any close of it. */
	if (self->owner >= 0)
		(void)close(self->owner);
	buf_release(&self->line);
	buf_release(&self->pruned);
	free(self->path);
	free(self->real);
	free(self);
}

static int
on_steps(void *arg HERD_UNUSED)
{
	return signals_stop_wanted() != NULL;
}

enum herd_error
engine_sqlite_ask(struct sqlite_engine *self, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement;
	enum herd_error error = engine_sqlite_prepare(self, sql, &statement);

	if (error != HERD_OK)
		return error;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	else
		error = engine_sqlite_fail(self, sql);
	sqlite3_finalize(statement);
	return error;
}

static enum herd_error
ask_version(struct sqlite_engine *self, int64_t *version)
{
	enum herd_error error =
	    engine_sqlite_ask(self, "PRAGMA user_version", version);

	if (error != HERD_OK || (*version >= 0 && *version <= STORE_ROW_FORMAT))
		return error;
	snprintf(self->engine.error, sizeof(self->engine.error),
	    "format %d, this herdd writes format %d", (int)*version,
	    STORE_ROW_FORMAT);
	self->engine.hint =
	    "start the herdd that wrote it, or take another store.path";
	return HERD_ERANGE;
}

static enum herd_error
refuse_programs(struct sqlite_engine *self)
{
	int64_t count = 0;
	enum herd_error error =
	    engine_sqlite_ask(self, STORE_ROW_PROGRAMS, &count);

	if (error != HERD_OK || count == 0)
		return error;
	snprintf(self->engine.error, sizeof(self->engine.error),
	    STORE_ROW_HAS_PROGRAMS);
	self->engine.hint =
	    "it is not of a herdd: take another store.path, or a backup";
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

	if (error == HERD_OK)
		error = refuse_programs(self);
	if (error != HERD_OK)
		return error;
	if (sqlite3_table_column_metadata(self->db, NULL, "reports", "client",
		&type, NULL, NULL, NULL, NULL) == SQLITE_OK)
		self->is_format1 =
		    sqlite3_table_column_metadata(self->db, NULL, "reports",
			"seal", &type, NULL, NULL, NULL, NULL) != SQLITE_OK;
	if (self->is_format1 || version == STORE_ROW_FORMAT)
		return HERD_OK;
	error = engine_sqlite_run(self, "BEGIN IMMEDIATE");
	if (error == HERD_OK)
		error = engine_sqlite_run(self, SCHEMA);
	return error == HERD_OK ? engine_sqlite_run(self, "COMMIT") : error;
}

static enum herd_error
set_up(struct sqlite_engine *self, bool sync)
{
	static const char *const steps[] = {
		"PRAGMA cell_size_check=ON",
		/* Of a new file: a report that changes costs a page in the WAL,
		 * and half of the usual size a third less CPU. */
		"PRAGMA page_size=2048",
		"PRAGMA journal_mode=WAL",
		"PRAGMA secure_delete=ON",
		/* An older herdd, or another program, writes it now? */
		"BEGIN IMMEDIATE",
		"COMMIT",
	};
	enum herd_error error = HERD_OK;

	(void)sqlite3_busy_timeout(self->db, ENGINE_SQLITE_BUSY_MS);
	/* The file is trusted no further than to be read and written. */
	(void)sqlite3_db_config(self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(
	    self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_progress_handler(self->db, STEPS_PER_LOOK, on_steps, NULL);
	for (size_t i = 0; i < HERD_ARRAY_LEN(steps) && error == HERD_OK; i++)
		error = engine_sqlite_run(self, steps[i]);
	/*
	 * What is in the WAL goes into the file after 16 MB, because most pages
	 * have changed several times until then. Without a sync for each batch
	 * that is also what a loss of power may cost, so then after 4 MB.
	 */
	if (error == HERD_OK)
		error = engine_sqlite_run(
		    self, sync ? "PRAGMA synchronous=FULL;"
				 "PRAGMA wal_autocheckpoint=8000"
			       : "PRAGMA synchronous=NORMAL;"
				 "PRAGMA wal_autocheckpoint=2000");
	return error == HERD_OK ? open_table(self) : error;
}

static enum herd_error
sqlite_open(const struct engine_config *config, struct buf *message,
    struct engine **out)
{
	struct sqlite_engine *self = calloc(1, sizeof(*self));
	enum herd_error error;

	if (self == NULL)
		return HERD_ENOMEM;
	self->engine.ops = &engine_sqlite;
	self->owner = -1;
	buf_init(&self->line, STORE_ROW_LINE_MAX);
	buf_init(&self->pruned, REPORT_CLIENT_MAX);
	/* A lack of memory must never look like a damaged row. */
	error = buf_reserve(&self->line, STORE_ROW_LINE_MAX);
	if (error == HERD_OK)
		error = buf_reserve(&self->pruned, REPORT_CLIENT_MAX);
	if (error == HERD_OK)
		error = prepare_files(self, config->path);
	if (error == HERD_OK &&
	    sqlite3_open_v2(self->real, &self->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		error = engine_sqlite_fail(self, "open");
	if (error == HERD_OK)
		error = set_up(self, config->sync);
	if (error == HERD_OK) {
		*out = &self->engine;
		return HERD_OK;
	}
	if (self->engine.error[0] != '\0' &&
	    buf_addf(message, "store.path: cannot use %s: %s; %s", config->path,
		self->engine.error, self->engine.hint) != HERD_OK)
		error = HERD_ENOMEM;
	sqlite_close(&self->engine);
	return error;
}

/* --- loading ------------------------------------------------------------ */

static struct span
column(sqlite3_stmt *row, enum store_row_column number)
{
	const char *data = sqlite3_column_blob(row, (int)number);

	return span_of(data == NULL ? "" : data,
	    (size_t)sqlite3_column_bytes(row, (int)number));
}

const char *
engine_sqlite_read(struct sqlite_engine *self, sqlite3_stmt *row,
    bool is_sealed, struct report *out)
{
	out->client = column(row, STORE_ROW_CLIENT);
	out->origin = column(row, STORE_ROW_ORIGIN);
	out->location = column(row, STORE_ROW_LOCATION);
	out->time = column(row, STORE_ROW_TIME);
	out->skew = column(row, STORE_ROW_SKEW);
	if (sqlite3_column_type(row, STORE_ROW_SEAL) != SQLITE_INTEGER)
		return "its checksum differs";
	return store_row_judge(&self->line,
	    sqlite3_column_int64(row, STORE_ROW_SEAL), is_sealed, out);
}

static enum herd_error
load_rows(struct sqlite_engine *self, const struct engine_loader *loader,
    uint64_t *damaged)
{
	sqlite3_stmt *rows;
	enum herd_error error = engine_sqlite_prepare(self,
	    self->is_format1 ? STORE_ROW_SELECT("kind", "reports")
			     : STORE_ROW_SELECT("seal", "reports"),
	    &rows);
	int code = SQLITE_DONE;

	if (error != HERD_OK)
		return error;
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct report report;
		const char *why =
		    engine_sqlite_read(self, rows, !self->is_format1, &report);

		if (why == NULL) {
			error = loader->on_report(loader->arg, &report);
			self->rows++;
			continue;
		}
		loader->on_damaged(
		    loader->arg, column(rows, STORE_ROW_CLIENT), why);
		++*damaged;
	}
	if (error == HERD_OK && code != SQLITE_DONE)
		error = engine_sqlite_fail(self, "load");
	sqlite3_finalize(rows);
	return error;
}

/* --- writing ------------------------------------------------------------ */

static enum herd_error
sqlite_begin(struct sqlite_engine *self)
{
	enum herd_error error = engine_sqlite_check_files(self, false);

	return error == HERD_OK ? step_once(self, self->begin, "begin") : error;
}

static enum herd_error
sqlite_commit(struct sqlite_engine *self)
{
	enum herd_error error = step_once(self, self->commit, "commit");

	if (error == HERD_OK)
		error = engine_sqlite_check_files(self, true);
	return error == HERD_OK ? engine_sqlite_note_files(self) : error;
}

/* An empty text must not be SQL's NULL, which a NULL pointer would be. */
bool
engine_sqlite_bind(sqlite3_stmt *statement, int at, struct span text)
{
	return sqlite3_bind_blob(statement, at, text.len == 0 ? "" : text.data,
		   (int)text.len, SQLITE_STATIC) == SQLITE_OK;
}

static enum herd_error
put_by(
    struct sqlite_engine *self, sqlite3_stmt *put, const struct report *report)
{
	int64_t seal;
	enum herd_error error = store_row_seal(&self->line, report, &seal);

	if (error != HERD_OK)
		return error;
	if (!engine_sqlite_bind(put, STORE_ROW_CLIENT + 1, report->client) ||
	    sqlite3_bind_int64(put, STORE_ROW_SEAL + 1, seal) != SQLITE_OK ||
	    !engine_sqlite_bind(put, STORE_ROW_ORIGIN + 1, report->origin) ||
	    !engine_sqlite_bind(
		put, STORE_ROW_LOCATION + 1, report->location) ||
	    !engine_sqlite_bind(put, STORE_ROW_TIME + 1, report->time) ||
	    !engine_sqlite_bind(put, STORE_ROW_SKEW + 1, report->skew))
		return engine_sqlite_fail(self, "bind");
	return step_once(self, put, "put");
}

/* SQLite does not tell whether REPLACE has replaced, so first the one case. */
static enum herd_error
put_row(struct sqlite_engine *self, const struct report *report)
{
	enum herd_error error = put_by(self, self->change, report);

	if (error != HERD_OK || sqlite3_changes(self->db) > 0)
		return error;
	error = put_by(self, self->put, report);
	self->rows += error == HERD_OK;
	return error;
}

/* The table holds all rows, so that what it owes is never older than a row. */
static enum herd_error
sqlite_put_many(
    struct engine *engine, const struct report *reports, unsigned count)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	enum herd_error error = sqlite_begin(self);

	for (unsigned i = 0; i < count && error == HERD_OK; i++)
		error = put_row(self, &reports[i]);
	return error == HERD_OK ? sqlite_commit(self) : error;
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
	if (!engine_sqlite_bind(find, 1, report->client) ||
	    sqlite3_step(find) != SQLITE_ROW)
		error = engine_sqlite_fail(self, "find");
	else
		is_newer =
		    engine_sqlite_read(self, find, true, &there) != NULL ||
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
	enum herd_error error = engine_sqlite_prepare(self,
	    self->is_format1 ? STORE_ROW_SELECT("kind", "replaced")
			     : STORE_ROW_SELECT("seal", "replaced"),
	    &rows);

	if (error == HERD_OK)
		error = engine_sqlite_prepare(self,
		    "INSERT OR IGNORE INTO reports VALUES (?1,?2,?3,?4,?5,?6)",
		    &add);
	if (error == HERD_OK)
		error = engine_sqlite_prepare(self,
		    STORE_ROW_SELECT("seal", "reports") " WHERE client=?1",
		    &find);
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct report report;

		if (engine_sqlite_read(
			self, rows, !self->is_format1, &report) == NULL)
			error = copy_row(self, add, find, &report);
	}
	if (error == HERD_OK && code != SQLITE_DONE)
		error = engine_sqlite_fail(self, "rewrite");
	sqlite3_finalize(rows);
	sqlite3_finalize(add);
	sqlite3_finalize(find);
	return error;
}

static enum herd_error
prepare_writing(struct sqlite_engine *self)
{
	enum herd_error error = engine_sqlite_prepare(self,
	    "REPLACE INTO reports VALUES (?1,?2,?3,?4,?5,?6)", &self->put);

	if (error == HERD_OK)
		error = engine_sqlite_prepare(self,
		    "UPDATE reports SET seal=?2,origin=?3,location=?4,time=?5,"
		    "skew=?6 WHERE client=?1",
		    &self->change);
	if (error == HERD_OK)
		error = engine_sqlite_prepare(
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
	int64_t rows = 0;
	enum herd_error error = engine_sqlite_run(self, "BEGIN IMMEDIATE");

	if (error == HERD_OK)
		error = engine_sqlite_run(
		    self, "ALTER TABLE reports RENAME TO replaced");
	if (error == HERD_OK)
		error = engine_sqlite_run(self, SCHEMA);
	if (error == HERD_OK)
		error = prepare_writing(self);
	if (error == HERD_OK)
		error = copy_rows(self);
	if (error == HERD_OK)
		error = engine_sqlite_run(self, "DROP TABLE replaced");
	if (error == HERD_OK)
		error = engine_sqlite_run(self, "COMMIT");
	/* The log now holds all rows. */
	if (error == HERD_OK)
		error =
		    engine_sqlite_run(self, "PRAGMA wal_checkpoint(TRUNCATE)");
	/* Of a client that was there twice, one row is left. */
	if (error == HERD_OK)
		error = engine_sqlite_ask(
		    self, "SELECT count(*) FROM reports", &rows);
	self->rows = (uint64_t)rows;
	return error;
}

static enum herd_error
sqlite_load(struct engine *engine, const struct engine_loader *loader,
    struct engine_cursor *cursor HERD_UNUSED)
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
		error = engine_sqlite_prepare(
		    self, "BEGIN IMMEDIATE", &self->begin);
	if (error == HERD_OK)
		error = engine_sqlite_prepare(self, "COMMIT", &self->commit);
	if (error == HERD_OK)
		error = engine_sqlite_note_files(self);
	/* A stop signal must not interrupt the last writes. */
	sqlite3_progress_handler(self->db, 0, NULL, NULL);
	return error;
}

/* --- deleting ------------------------------------------------------------- */

static enum herd_error
erase_row(struct sqlite_engine *self, struct span client)
{
	enum herd_error error;

	if (!engine_sqlite_bind(self->erase, 1, client))
		return engine_sqlite_fail(self, "bind");
	error = step_once(self, self->erase, "delete");
	if (error == HERD_OK && sqlite3_changes(self->db) > 0 && self->rows > 0)
		self->rows--;
	return error;
}

/* The next `max` rows: statements are open for a slice only. */
static enum herd_error
select_next(struct sqlite_engine *self, unsigned max, sqlite3_stmt **rows)
{
	enum herd_error error = engine_sqlite_prepare(self,
	    "SELECT client FROM reports WHERE client>?1 ORDER BY client "
	    "LIMIT ?2",
	    rows);

	if (error == HERD_OK &&
	    (!engine_sqlite_bind(*rows, 1, buf_span(&self->pruned)) ||
		sqlite3_bind_int64(*rows, 2, max) != SQLITE_OK))
		error = engine_sqlite_fail(self, "bind");
	return error;
}

/* The row at hand; a damaged file may have its rows out of order. */
static enum herd_error
prune_row(struct sqlite_engine *self, struct span client,
    engine_is_held *is_held, void *arg, uint64_t *deleted)
{
	enum herd_error error;

	if (client.len > REPORT_CLIENT_MAX ||
	    span_compare(client, buf_span(&self->pruned)) <= 0)
		return HERD_ERANGE;
	error = buf_set(&self->pruned, client.data, client.len);
	if (error != HERD_OK || is_held(arg, client))
		return error;
	error = erase_row(self, client);
	*deleted += error == HERD_OK;
	return error;
}

static enum herd_error
sqlite_prune(struct engine *engine, engine_is_held *is_held, void *arg,
    unsigned max, uint64_t *deleted)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	sqlite3_stmt *rows = NULL;
	enum herd_error error = sqlite_begin(self);
	unsigned looked = 0;
	int code = SQLITE_DONE;

	*deleted = 0;
	if (error == HERD_OK)
		error = select_next(self, max, &rows);
	while (error == HERD_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		error = prune_row(self, column(rows, 0), is_held, arg, deleted);
		looked++;
	}
	if (error == HERD_OK && code != SQLITE_DONE)
		error = engine_sqlite_fail(self, "prune");
	sqlite3_finalize(rows);
	if (error == HERD_OK && looked == max) {
		error = sqlite_commit(self);
		return error == HERD_OK ? HERD_EAGAIN : error;
	}
	buf_clear(&self->pruned);
	return error == HERD_OK || error == HERD_ERANGE ? sqlite_commit(self)
							: error;
}

static enum herd_error
sqlite_count(
    struct engine *engine, uint64_t *rows, bool *is_estimate HERD_UNUSED)
{
	*rows = ((struct sqlite_engine *)engine)->rows;
	return HERD_OK;
}

static enum herd_error
sqlite_forget(struct engine *engine, struct span client)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	enum herd_error error = sqlite_begin(self);

	if (error == HERD_OK)
		error = erase_row(self, client);
	return error == HERD_OK ? sqlite_commit(self) : error;
}

/* --- work in slices ------------------------------------------------------- */

enum herd_error
engine_sqlite_blame(
    struct sqlite_engine *self, struct engine_task *task, enum herd_error error)
{
	const char *text = self->engine.error;

	if (error == HERD_OK || error == HERD_EAGAIN || task->error[0] != '\0')
		return error;
	snprintf(task->error, sizeof(task->error), "%s",
	    text[0] == '\0' ? herd_strerror(error) : text);
	task->hint = self->engine.hint;
	if (!self->engine.is_lost)
		self->engine.error[0] = '\0';
	return error;
}

const struct engine_ops engine_sqlite = {
	.open = sqlite_open,
	.load = sqlite_load,
	.put_many = sqlite_put_many,
	.prune = sqlite_prune,
	.count = sqlite_count,
	.work = { [ENGINE_BACKUP] = sqlite_backup_slice,
	    [ENGINE_CHECK] = sqlite_check_slice,
	    [ENGINE_ERASE] = sqlite_erase_slice },
	.drop = { [ENGINE_BACKUP] = sqlite_backup_drop,
	    [ENGINE_CHECK] = sqlite_check_drop,
	    [ENGINE_ERASE] = sqlite_erase_drop },
	.forget = sqlite_forget,
	.close = sqlite_close,
};
