/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/gazetteer_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/file.h"
#include "herd/kd_tree.h"
#include "herd/siphash.h"
#include "herd/text.h"
#include "herd/text_fold.h"

#define ROOM_MAX ((size_t)64 << 30)
#define SLOTS_FIRST 4096u
#define TEXTS 6u

/* What is staged of a place; its texts follow. */
struct staged {
	double lat;
	double lng;
	uint64_t population;
	uint16_t lens[TEXTS];
	uint16_t list;
	char kind;
};

#define STAGED_MAX                                                            \
	(sizeof(struct staged) + 4u * GAZETTEER_NAME_MAX + GAZETTEER_ID_MAX + \
	    GAZETTEER_HOURS_MAX)

static bool HERD_PRINTF(2, 3)
    fail(struct gazetteer_maker *maker, const char *fmt, ...)
{
	va_list args;

	if (maker->why.len > 0)
		return false;
	va_start(args, fmt);
	putv(&maker->why, fmt, args);
	va_end(args);
	return false;
}

static bool
fail_database(struct gazetteer_maker *maker)
{
	return fail(
	    maker, "%s: %s", maker->temporary, maker->sqlite.errmsg(maker->db));
}

/* --- opening -------------------------------------------------------------- */

/* A file without a name beside the one to be, on a disk with room for it. */
static bool
open_stage(struct gazetteer_maker *maker)
{
	int fd = open(maker->temporary,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(maker, "%s: %s", maker->temporary, strerror(errno));
	(void)unlink(maker->temporary);
	maker->stage = fdopen(fd, "w+");
	if (maker->stage == NULL)
		out_of_memory();
	return true;
}

bool
gazetteer_maker_open(
    struct gazetteer_maker *maker, const char *path, uint64_t rows_max)
{
	const char *error = NULL;
	int len;

	*maker = (struct gazetteer_maker){
		.rows_max = rows_max,
		.south = 90,
		.north = -90,
		.west = 180,
		.east = -180,
		.points = { .max = ROOM_MAX },
		.starts = { .max = ROOM_MAX },
		.text = XBUF,
		.why = XBUF,
	};
	len = snprintf(maker->temporary, sizeof(maker->temporary), "%s.%ld.new",
	    path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(maker->temporary)) {
		maker->temporary[0] = '\0';
		return fail(maker, "%s: the path is too long", path);
	}
	memcpy(maker->path, path, strlen(path) + 1);
	if (sqlite_api_load(&maker->sqlite, &error) != 0)
		return fail(maker, "%s", error);
	maker->id_slots = SLOTS_FIRST;
	maker->ids = xcalloc(maker->id_slots, sizeof(*maker->ids));
	return open_stage(maker);
}

/* --- taking places -------------------------------------------------------- */

/* The slot of the hash, or the free one where it belongs. */
static uint64_t *
find_slot(uint64_t *ids, size_t slots, uint64_t hash)
{
	size_t at = (size_t)hash & (slots - 1);

	while (ids[at] != 0 && ids[at] != hash)
		at = (at + 1) & (slots - 1);
	return &ids[at];
}

static void
grow_ids(struct gazetteer_maker *maker)
{
	size_t slots = maker->id_slots * 2;
	uint64_t *ids = xcalloc(slots, sizeof(*ids));

	for (size_t i = 0; i < maker->id_slots; i++) {
		if (maker->ids[i] != 0)
			*find_slot(ids, slots, maker->ids[i]) = maker->ids[i];
	}
	free(maker->ids);
	maker->ids = ids;
	maker->id_slots = slots;
}

/* Of two ids with one hash, one in 10^12 files of a million, one is lost. */
static bool
is_new_id(struct gazetteer_maker *maker, struct span id)
{
	static const uint8_t bytes[16] = "herd's gazetteer";
	struct siphash_key key = siphash_key(bytes);
	uint64_t hash = siphash(&key, id.data, id.len);
	uint64_t *slot;

	hash += hash == 0;
	if (maker->rows * 5 >= maker->id_slots * 3)
		grow_ids(maker);
	slot = find_slot(maker->ids, maker->id_slots, hash);
	if (*slot != 0)
		return false;
	*slot = hash;
	return true;
}

static bool
has_control(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.data[i] < ' ')
			return true;
	}
	return false;
}

/* What the file's readers count on. NULL: it is good. */
static const char *
find_fault(const struct maker_place *place)
{
	const struct gazetteer_kind *kind = gazetteer_kind_find(place->kind);
	const struct span texts[] = { place->id, place->name, place->vicinity,
		place->country, place->admin1, place->hours };

	if (place->id.len == 0 || place->id.len > GAZETTEER_ID_MAX)
		return "the id is empty or too long";
	if (!(fabs(place->lat) <= 90))
		return "the latitude is not within -90..90";
	if (!(fabs(place->lng) <= 180))
		return "the longitude is not within -180..180";
	if (kind == NULL)
		return "the kind is not one of C A B D E P X F f T N";
	if (place->name.len == 0 || place->name.len > GAZETTEER_NAME_MAX)
		return "the name is empty or too long";
	if (place->vicinity.len > GAZETTEER_NAME_MAX)
		return "the vicinity is too long";
	if (place->country.len > GAZETTEER_NAME_MAX ||
	    place->admin1.len > GAZETTEER_NAME_MAX)
		return "the country or its division is too long";
	if (place->hours.len > GAZETTEER_HOURS_MAX)
		return "the opening hours are too long";
	if (place->types.len > GAZETTEER_LIST_BYTES_MAX)
		return "the list of types is too long";
	if (place->types.len == 0 && kind->types[0] == '\0')
		return "a place of kind N needs types";
	for (size_t i = 0; i < HERD_ARRAY_LEN(texts); i++) {
		if (!text_is_utf8(texts[i]))
			return "not UTF-8";
		if (has_control(texts[i]))
			return "a text has a control character";
	}
	return NULL;
}

/* The number of a list of types; -1: there are too many. */
static int
find_list(struct gazetteer_maker *maker, struct span types)
{
	unsigned i = 0;

	while (i < maker->list_count && !span_is(types, maker->lists[i].types))
		i++;
	if (i == GAZETTEER_LISTS_MAX)
		return -1;
	if (i == maker->list_count) {
		maker->lists[i].types = xstrndup(types.data, types.len);
		maker->list_count++;
	}
	maker->lists[i].places++;
	return (int)i;
}

static bool
stage(struct gazetteer_maker *maker, const struct maker_place *place, int list)
{
	const struct span texts[TEXTS] = { place->id, place->name,
		place->vicinity.len > 0 ? place->vicinity : place->name,
		place->country, place->admin1, place->hours };
	struct staged head;
	size_t written;

	memset(&head, 0, sizeof(head)); /* with its padding */
	head.lat = place->lat;
	head.lng = place->lng;
	head.population = place->population;
	head.list = (uint16_t)list;
	head.kind = place->kind;
	buf_clear(&maker->text);
	for (size_t i = 0; i < TEXTS; i++) {
		head.lens[i] = (uint16_t)texts[i].len;
		put_span(&maker->text, texts[i]);
	}
	put(&maker->starts, &maker->staged, sizeof(maker->staged));
	written = fwrite(&head, 1, sizeof(head), maker->stage);
	written += fwrite(
	    buf_span(&maker->text).data, 1, maker->text.len, maker->stage);
	maker->staged += sizeof(head) + maker->text.len;
	if (written != sizeof(head) + maker->text.len)
		return fail(maker, "%s: %s", maker->temporary, strerror(errno));
	return true;
}

static void
add_point(struct gazetteer_maker *maker, const struct maker_place *place)
{
	struct kd_point point = { .tag = (uint32_t)maker->rows };
	double vector[3];

	gazetteer_vector(place->lat, place->lng, vector);
	for (int axis = 0; axis < 3; axis++)
		point.at[axis] = (int32_t)lround(vector[axis]);
	put(&maker->points, &point, sizeof(point));
	maker->rows++;
	maker->south = fmin(maker->south, place->lat);
	maker->north = fmax(maker->north, place->lat);
	maker->west = fmin(maker->west, place->lng);
	maker->east = fmax(maker->east, place->lng);
}

enum maker_result
gazetteer_maker_add(struct gazetteer_maker *maker,
    const struct maker_place *place, const char **fault)
{
	const struct gazetteer_kind *kind = gazetteer_kind_find(place->kind);
	int list;

	*fault = find_fault(place);
	if (*fault != NULL)
		return MAKER_REFUSED;
	if (maker->rows >= maker->rows_max) {
		fail(maker, "more than %" PRIu64 " places", maker->rows_max);
		return MAKER_FAILED;
	}
	list = find_list(maker,
	    place->types.len > 0 ? place->types : span_from(kind->types));
	if (list < 0) {
		*fault = "the file has too many different lists of types";
		return MAKER_REFUSED;
	}
	if (!is_new_id(maker, place->id)) {
		maker->lists[list].places--;
		return MAKER_DUPLICATE;
	}
	if (!stage(maker, place, list))
		return MAKER_FAILED;
	add_point(maker, place);
	return MAKER_TAKEN;
}

/* --- writing the file ----------------------------------------------------- */

static bool
run(struct gazetteer_maker *maker, const char *sql)
{
	if (maker->sqlite.exec(maker->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail_database(maker);
	return true;
}

static bool
step_and_reset(struct gazetteer_maker *maker, sqlite3_stmt *statement)
{
	if (maker->sqlite.step(statement) != SQLITE_DONE ||
	    maker->sqlite.reset(statement) != SQLITE_OK)
		return fail_database(maker);
	return true;
}

static bool
prepare(
    struct gazetteer_maker *maker, const char *sql, sqlite3_stmt **statement)
{
	if (maker->sqlite.prepare(maker->db, sql, -1, statement, NULL) !=
	    SQLITE_OK)
		return fail_database(maker);
	return true;
}

static void
bind_span(struct gazetteer_maker *maker, sqlite3_stmt *statement, int at,
    struct span text)
{
	(void)maker->sqlite.bind_text(statement, at,
	    text.len > 0 ? text.data : "", (int)text.len, SQLITE_STATIC);
}

/* The temporary file needs no journal: a failure removes it. */
static bool
open_database(struct gazetteer_maker *maker)
{
	char mark[128];

	if (maker->sqlite.open(maker->temporary, &maker->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return fail_database(maker);
	snprintf(mark, sizeof(mark),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    GAZETTEER_APPLICATION_ID, GAZETTEER_FORMAT);
	return run(maker,
		   "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF;"
		   "PRAGMA synchronous = OFF; PRAGMA cache_size = -16384") &&
	       run(maker, mark) && run(maker, "BEGIN; " GAZETTEER_SCHEMA) &&
	       prepare(maker,
		   "INSERT INTO place VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
		   &maker->put_place);
}

static bool
read_staged(struct gazetteer_maker *maker, size_t row, struct staged *head,
    struct span texts[TEXTS])
{
	uint64_t start;
	char *bytes;
	ssize_t len;
	size_t at = sizeof(*head);

	memcpy(&start, buf_span(&maker->starts).data + row * sizeof(start),
	    sizeof(start));
	buf_clear(&maker->text);
	must(buf_reserve(&maker->text, STAGED_MAX));
	bytes = buf_tail(&maker->text);
	len = pread(fileno(maker->stage), bytes, STAGED_MAX, (off_t)start);
	if (len < (ssize_t)sizeof(*head))
		return fail(maker, "%s: %s", maker->temporary,
		    len < 0 ? strerror(errno) : "cut off");
	memcpy(head, bytes, sizeof(*head));
	for (size_t i = 0; i < TEXTS; at += head->lens[i++])
		texts[i] = span_of(bytes + at, head->lens[i]);
	return (size_t)len >= at ||
	       fail(maker, "%s: cut off", maker->temporary);
}

/* One place; its folded name and its hours go to `names'. */
static bool
put_place(struct gazetteer_maker *maker, size_t id, size_t row,
    struct kd_point *point, struct buf *names)
{
	static const int columns[TEXTS] = { 2, 4, 5, 6, 7, 12 };
	const struct sqlite_api *sqlite = &maker->sqlite;
	sqlite3_stmt *place = maker->put_place;
	struct span texts[TEXTS];
	struct staged head;

	if (!read_staged(maker, row, &head, texts))
		return false;
	(void)sqlite->bind_int64(place, 1, (sqlite3_int64)id);
	for (size_t i = 0; i < TEXTS; i++)
		bind_span(maker, place, columns[i], texts[i]);
	bind_span(maker, place, 3, span_of(&head.kind, 1));
	(void)sqlite->bind_int64(place, 8, (sqlite3_int64)head.population);
	(void)sqlite->bind_double(place, 9, head.lat);
	(void)sqlite->bind_double(place, 10, head.lng);
	(void)sqlite->bind_int64(place, 11, head.list);
	point->tag |= (uint32_t)head.list << GAZETTEER_LIST_SHIFT;
	must(text_fold(names, texts[1]));
	put_byte(names, '\0');
	put_span(names, texts[5]);
	put_byte(names, '\0');
	return step_and_reset(maker, place);
}

static void
write_u32(char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (char)(value >> (8 * i));
}

static void
put_point(struct buf *out, const struct kd_point *point)
{
	char bytes[GAZETTEER_POINT_BYTES];

	for (size_t axis = 0; axis < 3; axis++)
		write_u32(bytes + 4 * axis, (uint32_t)point->at[axis]);
	write_u32(bytes + 12, point->tag);
	put(out, bytes, sizeof(bytes));
}

/* The places [first .. end) of the tree, in its order: near ones share pages.
 */
static bool
put_chunk(struct gazetteer_maker *maker, sqlite3_stmt *put_tree,
    struct kd_point *points, const uint32_t *order, size_t first, size_t end)
{
	struct buf bytes = XBUF;
	struct buf names = XBUF;
	bool done = true;

	for (size_t i = first; done && i < end; i++) {
		done = put_place(maker, i + 1, order[i], &points[i], &names);
		put_point(&bytes, &points[i]);
	}
	(void)maker->sqlite.bind_blob(
	    put_tree, 1, buf_span(&bytes).data, (int)bytes.len, SQLITE_STATIC);
	(void)maker->sqlite.bind_blob(
	    put_tree, 2, buf_span(&names).data, (int)names.len, SQLITE_STATIC);
	done = done && step_and_reset(maker, put_tree);
	buf_release(&bytes);
	buf_release(&names);
	return done;
}

static bool
put_places(struct gazetteer_maker *maker)
{
	size_t rows = (size_t)maker->rows;
	/* The buffer is ours alone, and aligned as malloc() aligns. */
	struct kd_point *points = (void *)(uintptr_t)maker->points.data;
	uint32_t *order = xcalloc(rows, sizeof(*order));
	sqlite3_stmt *put_tree = NULL;
	bool done;

	kd_tree_build(points, rows, order);
	done = prepare(maker, "INSERT INTO tree VALUES(NULL, ?, ?)", &put_tree);
	for (size_t first = 0; done && first < rows; first += GAZETTEER_CHUNK)
		done = put_chunk(maker, put_tree, points, order, first,
		    rows - first > GAZETTEER_CHUNK ? first + GAZETTEER_CHUNK
						   : rows);
	(void)maker->sqlite.finalize(put_tree);
	free(order);
	return done;
}

static bool
put_lists(struct gazetteer_maker *maker)
{
	sqlite3_stmt *put_list = NULL;
	bool done =
	    prepare(maker, "INSERT INTO list VALUES(?, ?, ?)", &put_list);

	for (unsigned i = 0; done && i < maker->list_count; i++) {
		(void)maker->sqlite.bind_int64(put_list, 1, i);
		bind_span(maker, put_list, 2, span_from(maker->lists[i].types));
		(void)maker->sqlite.bind_int64(
		    put_list, 3, (sqlite3_int64)maker->lists[i].places);
		done = step_and_reset(maker, put_list);
	}
	(void)maker->sqlite.finalize(put_list);
	return done;
}

static bool
put_meta(struct gazetteer_maker *maker, const struct maker_facts *facts,
    struct span rows, struct span bounds)
{
	const struct {
		const char *key;
		struct span value;
	} metas[] = {
		{ GAZETTEER_META_ROWS, rows },
		{ GAZETTEER_META_SOURCE, facts->source },
		{ GAZETTEER_META_MAKER, span_from(facts->made_by) },
		{ GAZETTEER_META_NOTICE, facts->notice },
		{ GAZETTEER_META_BOUNDS, bounds },
		{ GAZETTEER_META_ZONE, facts->zone },
	};
	sqlite3_stmt *put_row = NULL;
	bool done = prepare(maker, "INSERT INTO meta VALUES(?, ?)", &put_row);

	for (size_t i = 0; done && i < HERD_ARRAY_LEN(metas); i++) {
		bind_span(maker, put_row, 1, span_from(metas[i].key));
		bind_span(maker, put_row, 2, metas[i].value);
		done = step_and_reset(maker, put_row);
	}
	(void)maker->sqlite.finalize(put_row);
	return done;
}

static bool
put_facts(struct gazetteer_maker *maker, const struct maker_facts *facts)
{
	char rows[24];
	char bounds[128];

	snprintf(rows, sizeof(rows), "%" PRIu64, maker->rows);
	snprintf(bounds, sizeof(bounds), "%.6f %.6f %.6f %.6f", maker->south,
	    maker->west, maker->north, maker->east);
	return put_meta(maker, facts, span_from(rows), span_from(bounds));
}

static void
close_database(struct gazetteer_maker *maker)
{
	if (maker->db == NULL)
		return;
	(void)maker->sqlite.finalize(maker->put_place);
	maker->put_place = NULL;
	(void)maker->sqlite.close(maker->db);
	maker->db = NULL;
}

/* The file is on the disk before it gets its name. */
static bool
publish(struct gazetteer_maker *maker)
{
	int fd = open(maker->temporary, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0 || fchmod(fd, 0644) != 0) {
		fail(maker, "%s: %s", maker->temporary, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	if (rename(maker->temporary, maker->path) != 0)
		return fail(maker, "%s: %s", maker->path, strerror(errno));
	return true;
}

bool
gazetteer_maker_finish(
    struct gazetteer_maker *maker, const struct maker_facts *facts)
{
	bool done;

	if (maker->rows == 0)
		return fail(maker, "there are no places");
	free(maker->ids);
	maker->ids = NULL;
	if (fflush(maker->stage) != 0)
		return fail(maker, "%s: %s", maker->temporary, strerror(errno));
	done = open_database(maker) && put_places(maker) && put_lists(maker) &&
	       put_facts(maker, facts) && run(maker, "COMMIT");
	close_database(maker);
	return done && publish(maker);
}

void
gazetteer_maker_release(struct gazetteer_maker *maker)
{
	close_database(maker);
	if (maker->stage != NULL)
		(void)fclose(maker->stage);
	/* After a rename there is none. */
	if (maker->temporary[0] != '\0')
		(void)unlink(maker->temporary);
	for (unsigned i = 0; i < maker->list_count; i++)
		free(maker->lists[i].types);
	free(maker->ids);
	buf_release(&maker->points);
	buf_release(&maker->starts);
	buf_release(&maker->text);
	buf_release(&maker->why);
}

bool
gazetteer_maker_notice(const char *path, struct buf *out, struct buf *why)
{
	unsigned lines = 0;

	if (file_read(path, GAZETTEER_NOTICE_MAX, out) != HERD_OK)
		putf(why, "%s: cannot read it: %s", path, file_strerror(errno));
	else if (!text_is_utf8(buf_span(out)))
		putf(why, "%s: not UTF-8", path);
	for (size_t i = 0; i < out->len; i++)
		lines += buf_span(out).data[i] == '\n';
	if (lines > GAZETTEER_NOTICE_LINES_MAX)
		putf(why, "%s: more than %u lines", path,
		    GAZETTEER_NOTICE_LINES_MAX);
	return why->len == 0;
}
