/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/gazetteer_towns.h"

#include <limits.h>
#include <unistd.h>

#include "base/xbuf.h"

#define FILE_NAME "gazetteer.sqlite"

static const char PLACES[] =
    "SELECT place.place_id, place.kind, place.name, place.vicinity,"
    " place.country, place.admin1, list.types, place.hours,"
    " place.population, place.lat, place.lng"
    " FROM place JOIN list ON list.id = place.types ORDER BY place.id";

bool
gazetteer_towns_locate(struct buf *out)
{
	static const char *const places[] = { "", "../", "../share/herd/" };
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own));

	while (len > 0 && own[len - 1] != '/')
		len--;
	for (size_t i = 0; len > 0 && i < HERD_ARRAY_LEN(places); i++) {
		buf_clear(out);
		put(out, own, (size_t)len);
		putf(out, "%s" FILE_NAME, places[i]);
		if (access(text_of(out), R_OK) == 0)
			return true;
	}
	return false;
}

static struct span
text_at(const struct sqlite_api *sqlite, sqlite3_stmt *row, int column)
{
	const char *data = sqlite->blob(row, column);

	return span_of(
	    data == NULL ? "" : data, (size_t)sqlite->bytes(row, column));
}

static void
read_row(
    const struct sqlite_api *sqlite, sqlite3_stmt *row, struct maker_place *out)
{
	struct span kind = text_at(sqlite, row, 1);

	*out = (struct maker_place){
		.id = text_at(sqlite, row, 0),
		.kind = kind.len == 1 ? *kind.data : '\0',
		.name = text_at(sqlite, row, 2),
		.vicinity = text_at(sqlite, row, 3),
		.country = text_at(sqlite, row, 4),
		.admin1 = text_at(sqlite, row, 5),
		.types = text_at(sqlite, row, 6),
		.hours = text_at(sqlite, row, 7),
		.population = (uint64_t)sqlite->integer(row, 8),
		.lat = sqlite->real(row, 9),
		.lng = sqlite->real(row, 10),
	};
}

/* Rows that are wrong are those of a file that somebody has changed. */
static bool
add_rows(struct gazetteer_maker *maker, sqlite3_stmt *row, const char *path,
    uint64_t *count, struct buf *why)
{
	struct maker_place place;
	const char *fault;
	int step;

	while ((step = maker->sqlite.step(row)) == SQLITE_ROW) {
		read_row(&maker->sqlite, row, &place);
		switch (gazetteer_maker_add(maker, &place, &fault)) {
		case MAKER_TAKEN: ++*count; break;
		case MAKER_DUPLICATE: break;
		case MAKER_REFUSED:
			putf(why, "%s: damaged: %s", path, fault);
			return false;
		case MAKER_FAILED:
			put_span(why, buf_span(&maker->why));
			return false;
		}
	}
	return step == SQLITE_DONE;
}

static bool
add_notice(const struct sqlite_api *sqlite, sqlite3 *db, struct buf *notice)
{
	static const char sql[] =
	    "SELECT value FROM meta WHERE key = '" GAZETTEER_META_NOTICE "'";
	sqlite3_stmt *row = NULL;
	bool done = sqlite->prepare(db, sql, -1, &row, NULL) == SQLITE_OK &&
		    sqlite->step(row) == SQLITE_ROW;

	if (done && notice->len > 0 &&
	    buf_span(notice).data[notice->len - 1] != '\n')
		put_byte(notice, '\n');
	if (done)
		put_span(notice, text_at(sqlite, row, 0));
	(void)sqlite->finalize(row);
	return done;
}

bool
gazetteer_towns_add(struct gazetteer_maker *maker, const char *path,
    struct buf *notice, uint64_t *count, struct buf *why)
{
	const struct sqlite_api *sqlite = &maker->sqlite;
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	bool done;

	*count = 0;
	done =
	    sqlite->open(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    add_notice(sqlite, db, notice) &&
	    sqlite->prepare(db, PLACES, -1, &row, NULL) == SQLITE_OK &&
	    add_rows(maker, row, path, count, why);
	if (!done && why->len == 0)
		putf(why, "%s: %s", path,
		    db == NULL ? "out of memory" : sqlite->errmsg(db));
	(void)sqlite->finalize(row);
	(void)sqlite->close(db);
	return done;
}
