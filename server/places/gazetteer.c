/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/herdfile.h"
#include "herd/text.h"
#include "herd/time.h"
#include "places/gazetteer_names.h"
#include "places/time_zone.h"
#include "herd/gazetteer_file.h"

#define FILE_NAME "gazetteer.sqlite"
/* SQLite cuts it to its own greatest, 2 GB. */
#define MAP_BYTES "1099511627776"

/* --- where it is --------------------------------------------------------- */

static bool
is_file(const char *path)
{
	struct stat facts;

	return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

/* The executable's folder, without a slash at its end; "" if unknown. */
static void
find_own_folder(char out[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);

	while (len > 0 && out[len - 1] != '/')
		len--;
	out[len > 0 ? len - 1 : 0] = '\0';
}

enum herd_error
gazetteer_locate(const char *setting, const char *node, const char *base_dir,
    struct buf *path, struct buf *message)
{
	char own[PATH_MAX];
	char places[3][PATH_MAX + sizeof("/../" FILE_NAME)];
	enum herd_error error;

	if (setting[0] != '\0')
		return herdfile_expand(path, setting, node, base_dir);
	find_own_folder(own);
	(void)snprintf(places[0], sizeof(places[0]), "%s/" FILE_NAME, own);
	(void)snprintf(places[1], sizeof(places[1]), "%s/../" FILE_NAME, own);
	(void)snprintf(
	    places[2], sizeof(places[2]), HERD_SHAREDIR "/" FILE_NAME);
	for (size_t i = 0; i < HERD_ARRAY_LEN(places); i++) {
		if (is_file(places[i]))
			return buf_add_text(path, places[i]);
	}
	error = buf_addf(message,
	    "the gazetteer has no data file: neither %s nor %s nor %s is there;"
	    " make it with `make build/gazetteer.sqlite`, name another one with"
	    " places.data, or choose another places.provider",
	    places[0], places[1], places[2]);
	return error != HERD_OK ? error : HERD_ENOTFOUND;
}

/* --- is it one? ---------------------------------------------------------- */

int
gazetteer_open_database(const char *path, sqlite3 **out)
{
	struct buf uri;
	int result = SQLITE_NOMEM;
	const char *text = NULL;

	*out = NULL;
	buf_init(&uri, 3 * PATH_MAX + 64);
	/* A slash as %2F is the same file to SQLite. */
	if (buf_add_text(&uri, "file:") == HERD_OK &&
	    text_to_percent(&uri, span_from(path)) == HERD_OK &&
	    buf_add_text(&uri, "?mode=ro&immutable=1") == HERD_OK)
		text = buf_cstr(&uri);
	if (text != NULL)
		result = sqlite3_open_v2(text, out,
		    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
			SQLITE_OPEN_NOMUTEX,
		    NULL);
	buf_release(&uri);
	if (result != SQLITE_OK)
		return result;
	/* The file is trusted no further than to be read. */
	(void)sqlite3_db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/*
	 * One transaction for the handle's whole life: the file never changes,
	 * and a transaction for each row would cost more than the row.
	 */
	return sqlite3_exec(
	    *out, "PRAGMA mmap_size = " MAP_BYTES "; BEGIN", NULL, NULL, NULL);
}

/* One integer that `sql` gives; -1 when it cannot be had. */
static int64_t
ask_integer(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* Appends the value of a key of meta. HERD_ENOTFOUND. */
static enum herd_error
ask_meta(sqlite3 *db, const char *key, struct buf *out)
{
	sqlite3_stmt *statement = NULL;
	enum herd_error error = HERD_ENOTFOUND;
	const char *sql = "SELECT value FROM meta WHERE key = ?";

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		error = buf_add(out, sqlite3_column_text(statement, 0),
		    (size_t)sqlite3_column_bytes(statement, 0));
	sqlite3_finalize(statement);
	return error;
}

static enum herd_error
refuse(struct buf *message, const char *path, const char *why)
{
	enum herd_error error = buf_addf(message,
	    "%s: %s; make it again with mkgazetteer(1) or"
	    " `make build/gazetteer.sqlite`",
	    path, why);

	return error != HERD_OK ? error : HERD_ESYNTAX;
}

static uint64_t
mtime_of(const struct stat *facts)
{
	return (uint64_t)facts->st_mtim.tv_sec * HERD_NS_PER_S +
	       (uint64_t)facts->st_mtim.tv_nsec;
}

/* Refuses a file that is cut off, another program's or of an old format. */
static enum herd_error
check_marks(struct gazetteer *gazetteer, sqlite3 *db, struct buf *message)
{
	const char *path = gazetteer->path;
	struct stat facts;
	int64_t mark = ask_integer(db, "PRAGMA application_id");
	int64_t format;
	int64_t bytes;

	if (mark == -1 && sqlite3_errcode(db) == SQLITE_CORRUPT)
		return refuse(message, path, "cut off or damaged");
	format = ask_integer(db, "PRAGMA user_version");
	bytes = ask_integer(db, "PRAGMA page_count") *
		ask_integer(db, "PRAGMA page_size");
	if (mark != GAZETTEER_APPLICATION_ID)
		return refuse(message, path, "not a gazetteer of Herd");
	if (format < GAZETTEER_FORMAT)
		return refuse(message, path, "made by an older Herd");
	if (format > GAZETTEER_FORMAT)
		return refuse(message, path, "made by a newer Herd");
	if (stat(path, &facts) != 0 || facts.st_size != bytes)
		return refuse(message, path, "cut off or damaged");
	gazetteer->bytes = (uint64_t)bytes;
	gazetteer->made_ns = mtime_of(&facts);
	gazetteer->inode = (uint64_t)facts.st_ino;
	return HERD_OK;
}

/* Splits the notice into the lines that html_attributions shows. */
static enum herd_error
take_notice(struct gazetteer *gazetteer, const struct buf *notice)
{
	struct span text = buf_span(notice);
	size_t start = 0;

	gazetteer->notice = malloc(text.len + 1);
	if (gazetteer->notice == NULL)
		return HERD_ENOMEM;
	memcpy(gazetteer->notice, text.len > 0 ? text.data : "", text.len);
	for (size_t i = 0; i <= text.len; i++) {
		if (i < text.len && text.data[i] != '\n')
			continue;
		if (i > start &&
		    gazetteer->line_count < GAZETTEER_NOTICE_LINES_MAX)
			gazetteer->lines[gazetteer->line_count++] =
			    span_of(gazetteer->notice + start, i - start);
		start = i + 1;
	}
	return HERD_OK;
}

static uint32_t
read_u32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
	       (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Copies a row of the tree's points. False: it is not as long as it must be. */
static bool
take_points(struct gazetteer *gazetteer, size_t first,
    const unsigned char *bytes, size_t len)
{
	size_t count = (size_t)gazetteer->rows - first;

	if (count > GAZETTEER_CHUNK)
		count = GAZETTEER_CHUNK;
	if (bytes == NULL || count == 0 || len != count * GAZETTEER_POINT_BYTES)
		return false;
	for (size_t i = 0; i < count; i++, bytes += GAZETTEER_POINT_BYTES) {
		struct kd_point *point = &gazetteer->points[first + i];

		for (size_t axis = 0; axis < 3; axis++)
			point->at[axis] = (int32_t)read_u32(bytes + 4 * axis);
		point->tag = read_u32(bytes + 12);
		if (point->tag >> GAZETTEER_LIST_SHIFT >= gazetteer->list_count)
			return false;
	}
	return true;
}

static enum herd_error
take_tree(struct gazetteer *gazetteer, sqlite3_stmt *statement)
{
	size_t first = 0;
	int step = SQLITE_ROW;

	gazetteer->points =
	    calloc((size_t)gazetteer->rows, sizeof(*gazetteer->points));
	if (gazetteer->points == NULL)
		return HERD_ENOMEM;
	while (first < gazetteer->rows &&
	       (step = sqlite3_step(statement)) == SQLITE_ROW) {
		if (!take_points(gazetteer, first,
			sqlite3_column_blob(statement, 0),
			(size_t)sqlite3_column_bytes(statement, 0)))
			return HERD_ESYNTAX;
		first += GAZETTEER_CHUNK;
	}
	return step == SQLITE_ROW ? HERD_OK : HERD_ESYNTAX;
}

/* Takes the types apart, which have commas between them. */
static bool
take_list(struct gazetteer *gazetteer, sqlite3_stmt *statement)
{
	struct gazetteer_list *list = &gazetteer->lists[gazetteer->list_count];
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	size_t len = (size_t)sqlite3_column_bytes(statement, 0);
	struct span rest;

	if (text == NULL || len == 0 || len > GAZETTEER_LIST_BYTES_MAX ||
	    !text_is_utf8(span_of(text, len)))
		return false;
	memcpy(list->text, text, len);
	rest = span_of(list->text, len);
	while (rest.len > 0 && list->count < GAZETTEER_TYPES_MAX) {
		struct span type = span_cut(&rest, ',');

		list->types[list->count++] = type;
		list->is_establishment =
		    list->is_establishment || span_is(type, "establishment");
	}
	list->places = (uint64_t)sqlite3_column_int64(statement, 1);
	gazetteer->list_count++;
	return true;
}

static enum herd_error
take_lists(struct gazetteer *gazetteer, sqlite3_stmt *statement)
{
	gazetteer->lists =
	    calloc(GAZETTEER_LISTS_MAX, sizeof(*gazetteer->lists));
	if (gazetteer->lists == NULL)
		return HERD_ENOMEM;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		if (gazetteer->list_count == GAZETTEER_LISTS_MAX ||
		    !take_list(gazetteer, statement))
			return HERD_ESYNTAX;
	}
	return HERD_OK;
}

/* Lets `take` read what `sql` gives. HERD_ESYNTAX: it is not as it must be. */
static enum herd_error
read_rows(struct gazetteer *gazetteer, sqlite3 *db, const char *sql,
    enum herd_error (*take)(
	struct gazetteer *gazetteer, sqlite3_stmt *statement))
{
	sqlite3_stmt *statement = NULL;
	enum herd_error error = HERD_ESYNTAX;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK)
		error = take(gazetteer, statement);
	sqlite3_finalize(statement);
	return error;
}

/* A short text of meta. */
static enum herd_error
read_text(sqlite3 *db, const char *key, char *out, size_t max)
{
	struct buf text;
	enum herd_error error;

	buf_init(&text, max);
	error = ask_meta(db, key, &text);
	if (error == HERD_OK && text.len > 0)
		memcpy(out, buf_span(&text).data, text.len);
	out[error == HERD_OK ? text.len : 0] = '\0';
	buf_release(&text);
	return error;
}

/* "south west north east" */
static enum herd_error
read_bounds(struct gazetteer *gazetteer, sqlite3 *db)
{
	char text[128];
	char *at = text;
	enum herd_error error =
	    read_text(db, GAZETTEER_META_BOUNDS, text, sizeof(text) - 1);

	for (size_t i = 0; error == HERD_OK && i < 4; i++) {
		char *end;

		gazetteer->bounds[i] = strtod(at, &end);
		if (end == at || !(fabs(gazetteer->bounds[i]) <= 180))
			error = HERD_ESYNTAX;
		at = end;
	}
	return error;
}

static enum herd_error
read_facts(struct gazetteer *gazetteer, sqlite3 *db, struct buf *message)
{
	struct buf text;
	enum herd_error error;

	buf_init(&text, GAZETTEER_NOTICE_MAX);
	error = ask_meta(db, GAZETTEER_META_ROWS, &text);
	if (error == HERD_OK)
		error = text_to_u64(
		    buf_span(&text), 1, GAZETTEER_ROWS_MAX, &gazetteer->rows);
	if (error == HERD_OK && ask_integer(db, "SELECT max(id) FROM place") !=
				    (int64_t)gazetteer->rows)
		error = HERD_ERANGE;
	buf_clear(&text);
	if (error == HERD_OK)
		error = read_text(db, GAZETTEER_META_SOURCE, gazetteer->source,
		    GAZETTEER_SOURCE_MAX);
	if (error == HERD_OK)
		error = read_text(db, GAZETTEER_META_ZONE, gazetteer->zone,
		    GAZETTEER_ZONE_MAX);
	if (error == HERD_OK)
		error = read_bounds(gazetteer, db);
	if (error == HERD_OK)
		error = ask_meta(db, GAZETTEER_META_NOTICE, &text);
	if (error == HERD_OK && !text_is_utf8(buf_span(&text)))
		error = HERD_ESYNTAX;
	if (error == HERD_OK)
		error = read_rows(gazetteer, db,
		    "SELECT types, places FROM list ORDER BY id", take_lists);
	if (error == HERD_OK)
		error = read_rows(gazetteer, db,
		    "SELECT points FROM tree ORDER BY id", take_tree);
	if (error == HERD_OK)
		error = take_notice(gazetteer, &text);
	else if (error != HERD_ENOMEM)
		error = refuse(message, gazetteer->path, "it is damaged");
	buf_release(&text);
	return error;
}

static enum herd_error
check(struct gazetteer *gazetteer, struct buf *message)
{
	sqlite3 *db = NULL;
	enum herd_error error;

	if (!is_file(gazetteer->path)) {
		error = buf_addf(message, "%s: %s", gazetteer->path,
		    errno != 0 ? strerror(errno) : "not a regular file");
		return error != HERD_OK ? error : HERD_ESYSTEM;
	}
	if (gazetteer_open_database(gazetteer->path, &db) != SQLITE_OK) {
		error = buf_addf(message, "%s: %s", gazetteer->path,
		    db != NULL ? sqlite3_errmsg(db) : "out of memory");
		if (error == HERD_OK)
			error = HERD_ESYSTEM;
	} else {
		error = check_marks(gazetteer, db, message);
		if (error == HERD_OK)
			error = read_facts(gazetteer, db, message);
	}
	sqlite3_close(db);
	return error;
}

enum herd_error
gazetteer_open(const char *path, const char *icon_base, struct buf *message,
    struct gazetteer **out)
{
	struct gazetteer *gazetteer;
	enum herd_error error;

	if (strlen(path) >= PATH_MAX ||
	    strlen(icon_base) > SETTING_ICON_BASE_MAX)
		return HERD_ELIMIT;
	gazetteer = calloc(1, sizeof(*gazetteer));
	if (gazetteer == NULL)
		return HERD_ENOMEM;
	atomic_init(&gazetteer->holders, 1);
	pthread_mutex_init(&gazetteer->names_lock, NULL);
	buf_init(&gazetteer->zone_file, TIME_ZONE_MAX);
	memcpy(gazetteer->path, path, strlen(path) + 1);
	memcpy(gazetteer->icon_base, icon_base, strlen(icon_base) + 1);
	/*
	 * SQLite's own count of memory takes a process-wide lock on every
	 * allocation. Refused if the store has started SQLite already, which
	 * costs speed only.
	 */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	errno = 0;
	error = check(gazetteer, message);
	if (error != HERD_OK) {
		gazetteer_close(gazetteer);
		return error;
	}
	/* A zone that this machine does not know: hours stay unknown. */
	if (gazetteer->zone[0] != '\0' &&
	    time_zone_read(gazetteer->zone, &gazetteer->zone_file) != HERD_OK)
		buf_clear(&gazetteer->zone_file);
	*out = gazetteer;
	return HERD_OK;
}

void
gazetteer_warm(struct gazetteer *gazetteer)
{
	const struct gazetteer_names *names;
	enum herd_error error HERD_UNUSED;
	sqlite3 *db = NULL;

	if (gazetteer_open_database(gazetteer->path, &db) == SQLITE_OK)
		error = gazetteer_names_find(gazetteer, db, &names);
	sqlite3_close(db);
}

bool
gazetteer_is_warm(struct gazetteer *gazetteer)
{
	bool is_warm;

	pthread_mutex_lock(&gazetteer->names_lock);
	is_warm = gazetteer->names != NULL;
	pthread_mutex_unlock(&gazetteer->names_lock);
	return is_warm;
}

struct gazetteer *
gazetteer_hold(struct gazetteer *gazetteer)
{
	if (gazetteer != NULL)
		atomic_fetch_add(&gazetteer->holders, 1);
	return gazetteer;
}

bool
gazetteer_has_changed(const struct gazetteer *gazetteer)
{
	struct stat facts;

	return stat(gazetteer->path, &facts) != 0 ||
	       gazetteer->inode != (uint64_t)facts.st_ino ||
	       gazetteer->bytes != (uint64_t)facts.st_size ||
	       gazetteer->made_ns != mtime_of(&facts);
}

const struct gazetteer_list *
gazetteer_list_of(const struct gazetteer *gazetteer, size_t index)
{
	uint32_t tag = gazetteer->points[index].tag;

	return &gazetteer->lists[tag >> GAZETTEER_LIST_SHIFT];
}

void
gazetteer_close(struct gazetteer *gazetteer)
{
	if (gazetteer == NULL || atomic_fetch_sub(&gazetteer->holders, 1) != 1)
		return;
	gazetteer_names_free(gazetteer->names);
	buf_release(&gazetteer->zone_file);
	pthread_mutex_destroy(&gazetteer->names_lock);
	free(gazetteer->lists);
	free(gazetteer->points);
	free(gazetteer->notice);
	free(gazetteer);
}
