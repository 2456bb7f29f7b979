/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages of real SQLite files, made here in every shape: what is cleaned must
 * change nothing that SQLite reads, and leave nothing of what was deleted.
 */
#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "store/sqlite_page.h"

#define PAGE 1024u
#define ROWS 400

static char path[] = "/tmp/herd-unit-page-XXXXXX";

static void
run(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

/* Rows come, grow and go; nothing is overwritten by SQLite. */
static void
make_file(void)
{
	sqlite3 *db;
	char sql[256];

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	run(db, "PRAGMA page_size=1024; PRAGMA secure_delete=OFF;"
		"PRAGMA journal_mode=OFF;"
		"CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
	for (int i = 0; i < ROWS; i++) {
		(void)snprintf(sql, sizeof(sql),
		    "INSERT INTO t VALUES ('%03d', 'gone%d'||zeroblob(%d))",
		    i * 7 % ROWS, i, i % 5 == 0 ? 3000 : i % 90);
		run(db, sql);
	}
	run(db, "UPDATE t SET v='kept' WHERE k % 3 = 0;"
		"DELETE FROM t WHERE k % 3 <> 0");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static size_t
read_file(uint8_t *out, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, out, room);

	assert_true(n > 0);
	(void)close(fd);
	return (size_t)n;
}

static void
write_file(const uint8_t *data, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(write(fd, data, len), len);
	(void)close(fd);
}

static void
assert_sound(void)
{
	sqlite3_stmt *row;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db,
		"SELECT integrity_check='ok' AND"
		" (SELECT count(*)=134 AND min(v)='kept' AND max(v)='kept'"
		" FROM t) FROM pragma_integrity_check",
		-1, &row, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(row, 0), 1);
	(void)sqlite3_finalize(row);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Pages of the tree; those that are free belong to no row at all. */
static bool
is_free(const uint8_t *data, const struct sqlite_page_head *head, uint32_t page)
{
	uint32_t trunk = head->first_trunk;

	while (trunk != 0) {
		const uint8_t *at = data + (size_t)(trunk - 1) * PAGE;
		uint32_t leaves = sqlite_page_read_4(at + 4);

		if (trunk == page)
			return true;
		for (uint32_t i = 0; i < leaves; i++) {
			if (sqlite_page_read_4(at + 8 + 4 * i) == page)
				return true;
		}
		trunk = sqlite_page_read_4(at);
	}
	return false;
}

static void
test_cleaned_pages_have_the_rows_and_nothing_else(void **state HERD_UNUSED)
{
	static uint8_t data[2 << 20];
	struct sqlite_page_head head;
	size_t cleared = 0;
	size_t len;
	int fd = mkstemp(path);

	(void)close(fd);
	make_file();
	assert_sound();
	len = read_file(data, sizeof(data));
	assert_true(sqlite_page_read_head(data, &head));
	assert_int_equal(head.page_size, PAGE);
	assert_int_equal(head.usable, PAGE);
	assert_non_null(memmem(data, len, "gone1", 5));
	for (uint32_t page = 1; page <= len / PAGE; page++) {
		uint8_t *at = data + (size_t)(page - 1) * PAGE;

		if (is_free(data, &head, page))
			continue;
		cleared += sqlite_page_clean(at, &head, page == 1);
		assert_int_equal(sqlite_page_clean(at, &head, page == 1), 0);
		assert_null(memmem(at, PAGE, "gone", 4));
	}
	assert_true(cleared > 0);
	write_file(data, len);
	assert_sound();
	(void)unlink(path);
}

/* Whatever a page says, only its own bytes are touched. */
static void
test_damaged_pages_are_left_alone(void **state HERD_UNUSED)
{
	static const uint8_t types[] = { 0, 1, 2, 5, 10, 13, 255 };
	const struct sqlite_page_head head = { .page_size = 512,
		.usable = 500 };
	struct unit_random random = unit_random("pages");

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t page[512 + 16];
		uint8_t before[sizeof(page)];
		bool first = unit_below(&random, 2) == 0;

		for (size_t k = 0; k < sizeof(page); k++)
			page[k] = (uint8_t)unit_below(
			    &random, unit_below(&random, 2) == 0 ? 256 : 3);
		page[first ? 100 : 0] =
		    types[unit_below(&random, sizeof(types))];
		memcpy(before, page, sizeof(page));
		if (sqlite_page_clean(page, &head, first) == 0)
			assert_memory_equal(page, before, sizeof(page));
		assert_memory_equal(page + 500, before + 500, 28);
	}
}

static void
test_what_is_no_file_of_sqlite_is_told(void **state HERD_UNUSED)
{
	uint8_t head[SQLITE_PAGE_HEAD] = "SQLite format 3";
	struct sqlite_page_head out;

	assert_false(sqlite_page_read_head(head, &out));
	head[16] = 0x03;
	assert_false(sqlite_page_read_head(head, &out));
	head[16] = 0x10;
	assert_true(sqlite_page_read_head(head, &out));
	assert_int_equal(out.page_size, 4096);
	head[16] = 0;
	head[17] = 1;
	assert_true(sqlite_page_read_head(head, &out));
	assert_int_equal(out.page_size, 65536);
	head[0] = 's';
	assert_false(sqlite_page_read_head(head, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_cleaned_pages_have_the_rows_and_nothing_else),
		cmocka_unit_test(test_damaged_pages_are_left_alone),
		cmocka_unit_test(test_what_is_no_file_of_sqlite_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
