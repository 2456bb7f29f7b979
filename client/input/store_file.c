/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/store_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/store_row.h"
#include "input/sqlite_api.h"

#define BUSY_MS 5000
#define HEAD_PAGE_SIZE 16
#define HEAD_CHANGED 24
#define HEAD_PAGES 28
#define HEAD_PAGES_FOR 92

struct reading {
	struct sqlite_api sqlite;
	sqlite3 *db;
	struct store_file *file;
	struct buf line;
	bool has_programs;
};

static uint32_t
read_4(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

/* The number of pages counts only if the last writer has set it. */
uint64_t
store_file_size(const unsigned char head[STORE_FILE_HEAD])
{
	uint64_t page =
	    (uint64_t)head[HEAD_PAGE_SIZE] << 8 | head[HEAD_PAGE_SIZE + 1];

	if (memcmp(head, "SQLite format 3", 16) != 0 ||
	    read_4(head + HEAD_CHANGED) != read_4(head + HEAD_PAGES_FOR))
		return 0;
	return (page == 1 ? 65536 : page) * read_4(head + HEAD_PAGES);
}

/* The first fault is what counts. */
static void
blame(struct reading *reading, const char *what)
{
	if (reading->file->fault.len == 0)
		put_text(&reading->file->fault, what);
}

static bool
prepare(struct reading *reading, const char *sql, sqlite3_stmt **out)
{
	if (reading->sqlite.prepare(reading->db, sql, -1, out, NULL) ==
	    SQLITE_OK)
		return true;
	blame(reading, reading->sqlite.errmsg(reading->db));
	return false;
}

static struct span
column(const struct reading *reading, sqlite3_stmt *row, int number)
{
	const char *data = reading->sqlite.blob(row, number);

	return span_of(data == NULL ? "" : data,
	    (size_t)reading->sqlite.bytes(row, number));
}

static void
read_format(struct reading *reading)
{
	sqlite3_stmt *row;

	if (!prepare(reading, "PRAGMA user_version", &row))
		return;
	if (reading->sqlite.step(row) == SQLITE_ROW)
		reading->file->format = reading->sqlite.integer(row, 0);
	else
		blame(reading, reading->sqlite.errmsg(reading->db));
	reading->sqlite.finalize(row);
	if (reading->file->format < 1)
		blame(reading, "it is not the file of a store");
	else if (reading->file->format > STORE_ROW_FORMAT)
		blame(reading, "a later herdd wrote it");
}

static void
look_for_programs(struct reading *reading)
{
	sqlite3_stmt *row;

	if (!prepare(reading, STORE_ROW_PROGRAMS, &row))
		return;
	if (reading->sqlite.step(row) != SQLITE_ROW)
		blame(reading, reading->sqlite.errmsg(reading->db));
	else
		reading->has_programs = reading->sqlite.integer(row, 0) > 0;
	if (reading->has_programs)
		blame(reading, STORE_ROW_HAS_PROGRAMS);
	reading->sqlite.finalize(row);
}

/* SQLite's own check: pages, their order, the list of free ones. */
static void
check_structure(struct reading *reading)
{
	sqlite3_stmt *row;
	struct buf text = XBUF;
	int code;

	if (!prepare(reading, "PRAGMA integrity_check(1)", &row))
		return;
	code = reading->sqlite.step(row);
	if (code == SQLITE_ROW)
		put_clean(&text, column(reading, row, 0));
	else
		put_text(&text, reading->sqlite.errmsg(reading->db));
	if (strcmp(text_of(&text), "ok") != 0)
		blame(reading, text_of(&text));
	reading->sqlite.finalize(row);
	buf_release(&text);
}

static void
look_at_row(struct reading *reading, sqlite3_stmt *row, bool is_sealed)
{
	struct store_file *file = reading->file;
	struct report report = {
		.client = column(reading, row, STORE_ROW_CLIENT),
		.origin = column(reading, row, STORE_ROW_ORIGIN),
		.location = column(reading, row, STORE_ROW_LOCATION),
		.time = column(reading, row, STORE_ROW_TIME),
		.skew = column(reading, row, STORE_ROW_SKEW),
	};
	const char *why = store_row_judge(&reading->line,
	    reading->sqlite.integer(row, STORE_ROW_SEAL), is_sealed, &report);

	file->rows++;
	file->damaged += why != NULL || reading->sqlite.type(row,
					    STORE_ROW_SEAL) != SQLITE_INTEGER;
	file->removals += why == NULL && report.kind == REPORT_REMOVAL;
}

static void
read_rows(struct reading *reading)
{
	bool is_sealed = reading->file->format >= STORE_ROW_FORMAT;
	sqlite3_stmt *rows;
	int code;

	if (!prepare(reading,
		is_sealed ? STORE_ROW_SELECT("seal", "reports")
			  : STORE_ROW_SELECT("kind", "reports"),
		&rows))
		return;
	while ((code = reading->sqlite.step(rows)) == SQLITE_ROW)
		look_at_row(reading, rows, is_sealed);
	if (code != SQLITE_DONE)
		blame(reading, reading->sqlite.errmsg(reading->db));
	reading->sqlite.finalize(rows);
}

/*
 * A file without a log is read as it is, because SQLite would make one beside
 * it.
 */
static char *
uri_of(const char *path)
{
	struct buf uri = XBUF;
	char *log = xasprintf("%s-wal", path);
	bool alone = access(log, F_OK) != 0;

	free(log);
	put_query(&uri, "file:", path);
	put_text(&uri, alone ? "?immutable=1" : "");
	return text_take(&uri);
}

static enum status
open_file(struct reading *reading, const char *path, struct buf *message)
{
	struct stat found;
	const char *error;
	char *uri;
	int code;
	bool there = stat(path, &found) == 0;

	if (!there || !S_ISREG(found.st_mode)) {
		putf(message, "cannot read %s: %s", path,
		    there ? "it is no regular file" : strerror(errno));
		return STATUS_LOCAL;
	}
	reading->file->bytes = (uint64_t)found.st_size;
	if (sqlite_api_load(&reading->sqlite, &error) != 0) {
		putf(message, "a store's file needs SQLite: %s", error);
		return STATUS_LOCAL;
	}
	uri = uri_of(path);
	code = reading->sqlite.open(
	    uri, &reading->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	free(uri);
	if (code == SQLITE_OK)
		return STATUS_OK;
	putf(message, "cannot read %s: %s", path,
	    reading->sqlite.errmsg(reading->db));
	return STATUS_LOCAL;
}

enum status
store_file_read(const char *path, struct store_file *out, struct buf *message)
{
	struct reading reading = { .file = out };
	enum status status;

	*out = (struct store_file){ .fault = XBUF };
	buf_init(&reading.line, STORE_ROW_LINE_MAX);
	status = open_file(&reading, path, message);
	if (status == STATUS_OK) {
		(void)reading.sqlite.busy_timeout(reading.db, BUSY_MS);
		read_format(&reading);
		look_for_programs(&reading);
		if (out->fault.len == 0)
			check_structure(&reading);
		if (out->format > 0 && !reading.has_programs)
			read_rows(&reading);
		out->is_whole = out->fault.len == 0 && out->damaged == 0;
	} else {
		store_file_release(out);
	}
	if (reading.db != NULL)
		(void)reading.sqlite.close(reading.db);
	buf_release(&reading.line);
	return status;
}

void
store_file_release(struct store_file *file)
{
	buf_release(&file->fault);
}
