/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's file: what begins like one of SQLite's is the file itself; any
 * other input is the rows of one in the older format, a line for each with
 * tabs between client, kind, origin, location, time and skew. What is loaded
 * of the latter must be all that the next start loads, and nothing damaged.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/engine.h"

#define MAGIC "SQLite format 3"
#define FIELDS 6

struct loaded {
	uint64_t reports;
	uint64_t damaged;
	uint64_t rewrites;
	uint64_t hash; /* of all reports, in any order */
};

static char path[64];

static void
remove_files(void)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char file[80];

	for (size_t i = 0; i < HERD_ARRAY_LEN(ends); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		(void)unlink(file);
	}
}

static void
name_file(void)
{
	(void)snprintf(
	    path, sizeof(path), "/tmp/herd-fuzz-%ld.sqlite", (long)getpid());
	(void)atexit(remove_files);
}

/* --- what is loaded ---------------------------------------------------------
 */

static enum herd_error
on_report(void *arg, const struct report *report)
{
	struct loaded *loaded = arg;
	struct report again;
	uint64_t hash = 5381;
	struct buf line;

	buf_init(&line, 1u << 20);
	assert(report_format(&line, report) == HERD_OK);
	assert(report_parse(buf_span(&line), &again) == HERD_OK);
	assert(report_compare_all(report, &again) == 0);
	for (size_t i = 0; i < line.len; i++)
		hash = hash * 33 + (unsigned char)buf_span(&line).data[i];
	buf_release(&line);
	loaded->reports++;
	loaded->hash += hash;
	return HERD_OK;
}

static void
on_damaged(void *arg, struct span client HERD_UNUSED, const char *why)
{
	assert(why != NULL);
	((struct loaded *)arg)->damaged++;
}

static void
on_rewritten(void *arg, const char *why)
{
	assert(why != NULL);
	((struct loaded *)arg)->rewrites++;
}

static const struct report new_report = {
	.client = { "new", 3 },
	.location = { "+1+1", 4 },
	.time = { "5", 1 },
	.skew = { "+0.000000001", 12 },
	.origin = { "N", 1 },
	.time_ns = UINT64_C(5000000000),
};

/* One life of a store. A file that cannot be used says why. */
static enum herd_error
live(struct loaded *loaded, bool writes)
{
	const struct engine_loader loader = { loaded, on_report, on_damaged,
		on_rewritten };
	const struct engine_config config = { .path = path };
	struct engine_cursor cursor = { .begun = false };
	struct engine *engine = NULL;
	enum herd_error error;
	struct buf message;

	*loaded = (struct loaded){ 0 };
	buf_init(&message, 8192);
	error = engine_sqlite.open(&config, &message, &engine);
	assert((error == HERD_OK) == (engine != NULL));
	assert(error == HERD_OK || message.len > 0);
	buf_release(&message);
	if (error != HERD_OK)
		return error;
	error = engine_sqlite.load(engine, &loader, &cursor);
	if (error == HERD_OK && writes)
		error = engine_sqlite.put_many(engine, &new_report, 1);
	assert(error == HERD_OK || engine->error[0] != '\0');
	engine_sqlite.close(engine);
	return error;
}

/* --- what is there ----------------------------------------------------------
 */

static void
write_file(const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	size_t written = 0;
	int status = -1;

	if (file != NULL) {
		written = fwrite(data, 1, size, file);
		status = fclose(file);
	}
	assert(written == size && status == 0);
}

static void
put_row(sqlite3_stmt *put, struct span line)
{
	for (int i = 1; i <= FIELDS; i++) {
		const char *tab = memchr(line.data, '\t', line.len);
		size_t len = tab == NULL ? line.len : (size_t)(tab - line.data);

		if (i == 2 && len == 1)
			(void)sqlite3_bind_int(put, i, line.data[0] - '0');
		else
			(void)sqlite3_bind_blob(put, i,
			    len == 0 ? "" : line.data, (int)len, SQLITE_STATIC);
		line = tab == NULL ? span_of("", 0)
				   : span_of(tab + 1, line.len - len - 1);
	}
	(void)sqlite3_step(put);
	(void)sqlite3_reset(put);
}

static void
run(sqlite3 *db, const char *sql)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	assert(code == SQLITE_OK);
}

static void
write_rows(struct span text)
{
	sqlite3_stmt *put = NULL;
	sqlite3 *db = NULL;
	int code = sqlite3_open(path, &db);

	assert(code == SQLITE_OK);
	run(db, "PRAGMA synchronous=OFF; CREATE TABLE reports ("
		"client BLOB PRIMARY KEY, kind INTEGER NOT NULL, origin, "
		"location, time, skew) WITHOUT ROWID;"
		"PRAGMA user_version=1; BEGIN");
	code = sqlite3_prepare_v2(db,
	    "INSERT OR IGNORE INTO reports VALUES (?,?,?,?,?,?)", -1, &put,
	    NULL);
	assert(code == SQLITE_OK);
	while (text.len > 0) {
		const char *lf = memchr(text.data, '\n', text.len);
		size_t len = lf == NULL ? text.len : (size_t)(lf - text.data);

		put_row(put, span_of(text.data, len));
		len += lf != NULL;
		text = span_of(text.data + len, text.len - len);
	}
	(void)sqlite3_finalize(put);
	run(db, "COMMIT");
	code = sqlite3_close(db);
	assert(code == SQLITE_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loaded first = { 0 };
	struct loaded second = { 0 };
	enum herd_error error;

	if (path[0] == '\0')
		name_file();
	remove_files();
	if (size >= sizeof(MAGIC) && memcmp(data, MAGIC, sizeof(MAGIC)) == 0) {
		write_file(data, size);
		if (live(&first, true) == HERD_OK)
			(void)live(&second, false);
		return 0;
	}
	write_rows(span_of((const char *)data, size));
	error = live(&first, false);
	assert(error == HERD_OK && first.rewrites == 1);
	error = live(&second, true);
	assert(error == HERD_OK);
	assert(second.damaged == 0 && second.rewrites == 0);
	assert(second.reports == first.reports && second.hash == first.hash);
	return 0;
}
