/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mkgazetteer: turns a table of places on standard input into the data file
 * of the gazetteer. Columns, tab, UTF-8, no header: id, lat, lng, kind, name,
 * vicinity (empty = name), country, admin1, population (empty = 0). The file
 * is written beside its place and renamed, so that nobody reads half of it;
 * a bad line ends the run with its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <sqlite3.h>

#include "herd/buf.h"
#include "herd/herdfile.h"
#include "herd/text.h"
#include "herd/version.h"
#include "places/gazetteer_file.h"
#include "places/kd_tree.h"

#define LINE_BYTES_MAX 8192u
#define TABLE_BYTES_MAX (UINT64_C(16) << 30)

enum column {
	COLUMN_ID,
	COLUMN_LAT,
	COLUMN_LNG,
	COLUMN_KIND,
	COLUMN_NAME,
	COLUMN_VICINITY,
	COLUMN_COUNTRY,
	COLUMN_ADMIN1,
	COLUMN_POPULATION,
	COLUMN_COUNT,
};

struct row {
	struct span columns[COLUMN_COUNT];
	double lat;
	double lng;
	uint64_t population;
};

/* The table in memory: lines as they came, and where each begins. */
struct place_table {
	struct buf lines;
	struct buf starts; /* size_t each */
	struct buf points; /* struct kd_point each */
	size_t rows;
};

struct maker {
	sqlite3 *db;
	sqlite3_stmt *put_place;
	EVP_MD_CTX *hash;
	char temporary[PATH_MAX];
	struct place_table table;
};

/* Prints what is wrong; returns false for the caller to return. */
static bool HERD_PRINTF(1, 2) fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("mkgazetteer: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return false;
}

static bool
fail_database(struct maker *maker)
{
	return fail("%s: %s", maker->temporary, sqlite3_errmsg(maker->db));
}

/* A plain decimal number within +-limit; strtod() would take other forms. */
static bool
parse_degrees(struct span text, double limit, double *out)
{
	char copy[32];
	char *end;

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_digit(text.data[i]) && text.data[i] != '.' &&
		    !(i == 0 && text.data[i] == '-'))
			return false;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0' && fabs(*out) <= limit;
}

/* NULL: *row is good; else what is wrong with the line. */
static const char *
parse_row(struct span line, struct row *row)
{
	size_t start = 0;
	unsigned count = 0;

	for (size_t i = 0; i <= line.len; i++) {
		if (i < line.len && line.data[i] != '\t')
			continue;
		if (count == COLUMN_COUNT)
			return "more than 9 columns";
		row->columns[count++] = span_of(line.data + start, i - start);
		start = i + 1;
	}
	if (count != COLUMN_COUNT)
		return "fewer than 9 columns";
	if (!text_is_utf8(line))
		return "not UTF-8";
	if (row->columns[COLUMN_ID].len == 0 ||
	    row->columns[COLUMN_ID].len > GAZETTEER_ID_MAX)
		return "the id (column 1) is empty or too long";
	if (!parse_degrees(row->columns[COLUMN_LAT], 90, &row->lat))
		return "the latitude (column 2) is not within -90..90";
	if (!parse_degrees(row->columns[COLUMN_LNG], 180, &row->lng))
		return "the longitude (column 3) is not within -180..180";
	if (row->columns[COLUMN_KIND].len != 1 ||
	    gazetteer_kind_find(row->columns[COLUMN_KIND].data[0]) == NULL)
		return "the kind (column 4) is not one of C A B D E P X F f T";
	if (row->columns[COLUMN_NAME].len == 0 ||
	    row->columns[COLUMN_NAME].len > GAZETTEER_NAME_MAX)
		return "the name (column 5) is empty or too long";
	if (row->columns[COLUMN_VICINITY].len > GAZETTEER_NAME_MAX)
		return "the vicinity (column 6) is too long";
	row->population = 0;
	if (row->columns[COLUMN_POPULATION].len > 0 &&
	    text_to_u64(row->columns[COLUMN_POPULATION], 0,
		UINT64_C(100000000000), &row->population) != HERD_OK)
		return "the population (column 9) is not a number";
	return NULL;
}

static bool
step_and_reset(struct maker *maker, sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE ||
	    sqlite3_reset(statement) != SQLITE_OK)
		return fail_database(maker);
	return true;
}

static void
bind_span(sqlite3_stmt *statement, int at, struct span text)
{
	sqlite3_bind_text(
	    statement, at, text.data, (int)text.len, SQLITE_STATIC);
}

/* --- reading the table --------------------------------------------------- */

static bool
add_row(struct place_table *table, struct span line, const struct row *row)
{
	struct kd_point point = { .tag = (uint32_t)table->rows };
	size_t start = table->lines.len;
	double vector[3];

	gazetteer_vector(row->lat, row->lng, vector);
	for (int axis = 0; axis < 3; axis++)
		point.at[axis] = (int32_t)lround(vector[axis]);
	if (buf_add_span(&table->lines, line) != HERD_OK ||
	    buf_add_byte(&table->lines, '\n') != HERD_OK ||
	    buf_add(&table->starts, &start, sizeof(start)) != HERD_OK ||
	    buf_add(&table->points, &point, sizeof(point)) != HERD_OK)
		return fail("the table is too large for the memory");
	table->rows++;
	return true;
}

static bool
read_table(struct maker *maker, FILE *in)
{
	static char line[LINE_BYTES_MAX];
	struct place_table *table = &maker->table;
	uint64_t number = 0;

	while (fgets(line, sizeof(line), in) != NULL) {
		size_t len = strlen(line);
		struct row row;
		const char *wrong;

		number++;
		if (len == 0 || line[len - 1] != '\n')
			return fail("line %" PRIu64 ": longer than %u bytes, "
				    "holds NUL, or has no end",
			    number, LINE_BYTES_MAX - 2);
		EVP_DigestUpdate(maker->hash, line, len);
		wrong = parse_row(span_of(line, len - 1), &row);
		if (wrong != NULL)
			return fail("line %" PRIu64 ": %s", number, wrong);
		if (table->rows == GAZETTEER_ROWS_MAX)
			return fail("more than %u places", GAZETTEER_ROWS_MAX);
		if (!add_row(table, span_of(line, len - 1), &row))
			return false;
	}
	if (ferror(in))
		return fail("standard input: %s", strerror(errno));
	if (table->rows == 0)
		return fail("no places on standard input");
	return true;
}

/* --- writing the file ---------------------------------------------------- */

static bool
put_row(struct maker *maker, sqlite3_int64 id, const struct row *row)
{
	sqlite3_stmt *place = maker->put_place;

	sqlite3_bind_int64(place, 1, id);
	bind_span(place, 2, row->columns[COLUMN_ID]);
	bind_span(place, 3, row->columns[COLUMN_KIND]);
	bind_span(place, 4, row->columns[COLUMN_NAME]);
	bind_span(place, 5,
	    row->columns[COLUMN_VICINITY].len > 0
		? row->columns[COLUMN_VICINITY]
		: row->columns[COLUMN_NAME]);
	bind_span(place, 6, row->columns[COLUMN_COUNTRY]);
	bind_span(place, 7, row->columns[COLUMN_ADMIN1]);
	sqlite3_bind_int64(place, 8, (sqlite3_int64)row->population);
	sqlite3_bind_double(place, 9, row->lat);
	sqlite3_bind_double(place, 10, row->lng);
	return step_and_reset(maker, place);
}

/* The rows in the tree's order, so that near places share pages. */
static bool
put_rows(struct maker *maker, const uint32_t *order)
{
	const struct place_table *table = &maker->table;
	struct span lines = buf_span(&table->lines);
	struct span starts = buf_span(&table->starts);

	for (size_t i = 0; i < table->rows; i++) {
		struct row row;
		const char *wrong;
		const char *end;
		size_t start;

		memcpy(&start, starts.data + order[i] * sizeof(start),
		    sizeof(start));
		end = memchr(lines.data + start, '\n', lines.len - start);
		wrong = parse_row(span_of(lines.data + start,
				      (size_t)(end - lines.data) - start),
		    &row);
		if (wrong != NULL)
			return fail("%s", wrong);
		if (!put_row(maker, (sqlite3_int64)i + 1, &row))
			return false;
	}
	return true;
}

static void
write_u32(unsigned char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static bool
put_points(struct maker *maker, const struct kd_point *points)
{
	size_t rows = maker->table.rows;
	size_t len = rows * GAZETTEER_POINT_BYTES;
	unsigned char *bytes = malloc(len);
	sqlite3_stmt *statement = NULL;
	bool done;

	if (bytes == NULL)
		return fail("%s", herd_strerror(HERD_ENOMEM));
	for (size_t i = 0; i < rows; i++) {
		unsigned char *at = bytes + i * GAZETTEER_POINT_BYTES;

		for (size_t axis = 0; axis < 3; axis++)
			write_u32(at + 4 * axis, (uint32_t)points[i].at[axis]);
		write_u32(at + 12, points[i].tag);
	}
	if (sqlite3_prepare_v2(maker->db, "INSERT INTO tree VALUES(1, ?)", -1,
		&statement, NULL) != SQLITE_OK) {
		free(bytes);
		return fail_database(maker);
	}
	sqlite3_bind_blob(statement, 1, bytes, (int)len, SQLITE_STATIC);
	done = step_and_reset(maker, statement);
	sqlite3_finalize(statement);
	free(bytes);
	return done;
}

static bool
put_table(struct maker *maker)
{
	size_t rows = maker->table.rows;
	struct kd_point *points = calloc(rows, sizeof(*points));
	uint32_t *order = calloc(rows, sizeof(*order));
	bool done = false;

	if (points == NULL || order == NULL) {
		fail("%s", herd_strerror(HERD_ENOMEM));
	} else {
		memcpy(points, buf_span(&maker->table.points).data,
		    rows * sizeof(*points));
		kd_tree_build(points, rows, order);
		done = put_rows(maker, order) && put_points(maker, points);
	}
	free(points);
	free(order);
	return done;
}

static bool
run(struct maker *maker, const char *sql)
{
	if (sqlite3_exec(maker->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail_database(maker);
	return true;
}

static bool
put_meta(struct maker *maker, const char *key, struct span value)
{
	sqlite3_stmt *statement = NULL;
	bool done;

	if (sqlite3_prepare_v2(maker->db, "INSERT INTO meta VALUES(?, ?)", -1,
		&statement, NULL) != SQLITE_OK)
		return fail_database(maker);
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	bind_span(statement, 2, value);
	done = step_and_reset(maker, statement);
	sqlite3_finalize(statement);
	return done;
}

static bool
put_facts(struct maker *maker, struct span notice)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE];
	char rows[24];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(maker->hash, digest, &len) != 1)
		return fail("SHA-256 failed");
	for (unsigned i = 0; i < len; i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	snprintf(rows, sizeof(rows), "%zu", maker->table.rows);
	return put_meta(maker, GAZETTEER_META_ROWS, span_from(rows)) &&
	       put_meta(maker, GAZETTEER_META_SOURCE, span_of(text, 2 * len)) &&
	       put_meta(maker, GAZETTEER_META_MAKER,
		   span_from("mkgazetteer " HERD_VERSION)) &&
	       put_meta(maker, GAZETTEER_META_NOTICE, notice);
}

/* The temporary file needs no journal: a failure removes it. */
static bool
open_database(struct maker *maker)
{
	char mark[128];

	if (sqlite3_open_v2(maker->temporary, &maker->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return fail_database(maker);
	snprintf(mark, sizeof(mark),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    GAZETTEER_APPLICATION_ID, GAZETTEER_FORMAT);
	if (!run(maker,
		"PRAGMA page_size = 4096; PRAGMA journal_mode = OFF;"
		"PRAGMA synchronous = OFF; PRAGMA cache_size = -65536") ||
	    !run(maker, mark) || !run(maker, "BEGIN; " GAZETTEER_SCHEMA))
		return false;
	if (sqlite3_prepare_v2(maker->db,
		"INSERT INTO place VALUES(?,?,?,?,?,?,?,?,?,?)", -1,
		&maker->put_place, NULL) != SQLITE_OK)
		return fail_database(maker);
	return true;
}

/* Readers of answers could not tell two places with one id apart. */
static bool
check_ids(struct maker *maker)
{
	sqlite3_stmt *statement = NULL;
	bool unique;

	if (sqlite3_prepare_v2(maker->db,
		"SELECT place_id FROM place GROUP BY place_id"
		" HAVING count(*) > 1 LIMIT 1",
		-1, &statement, NULL) != SQLITE_OK)
		return fail_database(maker);
	unique = sqlite3_step(statement) == SQLITE_DONE;
	if (!unique)
		fail("two places have the id %s",
		    (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return unique;
}

static void
close_database(struct maker *maker)
{
	sqlite3_finalize(maker->put_place);
	maker->put_place = NULL;
	sqlite3_close(maker->db);
	maker->db = NULL;
}

/* The file is on the disk before it gets its name. */
static bool
publish(struct maker *maker, const char *path)
{
	int fd = open(maker->temporary, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0 || fchmod(fd, 0644) != 0) {
		fail("%s: %s", maker->temporary, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	if (rename(maker->temporary, path) != 0)
		return fail("%s: %s", path, strerror(errno));
	return true;
}

static bool
make(const char *path, struct span notice)
{
	struct maker maker = { .hash = EVP_MD_CTX_new() };
	int len = snprintf(maker.temporary, sizeof(maker.temporary),
	    "%s.%ld.new", path, (long)getpid());
	bool done;

	if (len < 0 || (size_t)len >= sizeof(maker.temporary))
		return fail("%s: the path is too long", path);
	buf_init(&maker.table.lines, TABLE_BYTES_MAX);
	buf_init(&maker.table.starts, TABLE_BYTES_MAX);
	buf_init(&maker.table.points, TABLE_BYTES_MAX);
	(void)unlink(maker.temporary);
	done = maker.hash != NULL &&
	       EVP_DigestInit_ex(maker.hash, EVP_sha256(), NULL) == 1 &&
	       read_table(&maker, stdin) && open_database(&maker) &&
	       put_table(&maker) && check_ids(&maker) &&
	       put_facts(&maker, notice) && run(&maker, "COMMIT");
	close_database(&maker);
	done = done && publish(&maker, path);
	if (!done)
		(void)unlink(maker.temporary);
	EVP_MD_CTX_free(maker.hash);
	buf_release(&maker.table.lines);
	buf_release(&maker.table.starts);
	buf_release(&maker.table.points);
	return done;
}

static bool
read_notice(const char *path, struct buf *out)
{
	unsigned lines = 0;

	if (file_read(path, GAZETTEER_NOTICE_MAX, out) != HERD_OK)
		return fail("%s: cannot read it: %s", path, strerror(errno));
	if (!text_is_utf8(buf_span(out)))
		return fail("%s: not UTF-8", path);
	for (size_t i = 0; i < out->len; i++)
		lines += buf_span(out).data[i] == '\n';
	if (lines > GAZETTEER_NOTICE_LINES_MAX)
		return fail(
		    "%s: more than %u lines", path, GAZETTEER_NOTICE_LINES_MAX);
	return true;
}

int
main(int argc, char **argv)
{
	static const char usage[] =
	    "usage: mkgazetteer [-n NOTICE] FILE <TABLE\n"
	    "Makes the gazetteer's data FILE of the tab-separated TABLE:\n"
	    "id lat lng kind name vicinity country admin1 population.\n"
	    "Each line of the file NOTICE is shown with every answer.\n";
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct buf notice;
	bool done = true;
	int option;

	if (file_hold_standard() != HERD_OK)
		return EXIT_FAILURE;
	/* At the file-size limit the write fails, and the file is removed. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	buf_init(&notice, GAZETTEER_NOTICE_MAX);
	while ((option = getopt(argc, argv, "hn:V")) != -1) {
		switch (option) {
		case 'h': fputs(usage, stdout); return EXIT_SUCCESS;
		case 'V':
			puts("mkgazetteer " HERD_VERSION);
			return EXIT_SUCCESS;
		case 'n': done = read_notice(optarg, &notice) && done; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		return 2;
	}
	done = done && make(argv[optind], buf_span(&notice));
	buf_release(&notice);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
