/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cursors, and pages of a real table against a plain sort of all rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admin/page.h"
#include "herd/text.h"

#define CLIENTS 2000u
#define NOW_NS (UINT64_C(1700000000) * HERD_NS_PER_S)

static const char *const NODES[] = { "Ann", "Bob", "Cy" };

/* --- cursors ------------------------------------------------------------ */

/* An order that no cursor below is of. */
static const struct page_order OTHER = { CLIENT_SKEW, true };

static void
check_cursor(
    size_t column, uint64_t number, const char *word, struct span client)
{
	const struct page_order order = { column, number % 2 == 0 };
	const struct page_order back_to_front = { column, number % 2 != 0 };
	struct page_key key = { number == 1, number, span_from(word), client };
	struct page_key back;
	struct buf text;
	struct buf bytes;

	buf_init(&text, PAGE_CURSOR_TEXT_MAX);
	buf_init(&bytes, PAGE_CURSOR_MAX);
	assert_int_equal(page_cursor_format(&text, &order, &key), HERD_OK);
	for (size_t i = 0; i < text.len; i++) {
		char c = buf_span(&text).data[i];

		assert_true(text_is_digit(c) || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '-' || c == '_');
	}
	assert_int_equal(
	    page_cursor_parse(buf_span(&text), &order, &bytes, &back), HERD_OK);
	assert_true(back.number == number);
	assert_true(back.unknown == key.unknown);
	assert_true(span_equal(back.text, key.text));
	assert_true(span_equal(back.client, client));
	/* One of another order is none. */
	buf_clear(&bytes);
	assert_int_equal(
	    page_cursor_parse(buf_span(&text), &OTHER, &bytes, &back),
	    HERD_ESYNTAX);
	buf_clear(&bytes);
	assert_int_equal(
	    page_cursor_parse(buf_span(&text), &back_to_front, &bytes, &back),
	    HERD_ESYNTAX);
	buf_release(&text);
	buf_release(&bytes);
}

static void
test_cursor_comes_back_as_it_was(void **state)
{
	char *longest = malloc(REPORT_CLIENT_MAX);

	(void)state;
	assert_non_null(longest);
	memset(longest, 0xfe, REPORT_CLIENT_MAX);
	check_cursor(CLIENT_ID, 0, "", span_from("kiwi"));
	check_cursor(
	    CLIENT_TIME, UINT64_MAX, "Riley", span_of("\xff\x01/+", 4));
	check_cursor(CLIENT_ORIGIN, 1,
	    "0123456789012345678901234567890123456789012345678901234567890123",
	    span_of(longest, REPORT_CLIENT_MAX));
	check_cursor(PAGE_TABLE, UINT64_C(1) << 40, "", span_from(""));
	free(longest);
}

static void
test_cursor_nonsense_is_refused(void **state)
{
	/* The last two decode to 01ak0...0fffff (a text of 1 MB) and 01akx...
	 */
	static const char *const BAD[] = { "a", "====", "aTAw", "!!!!", "+/+/",
		"MDFhazAwMDAwMDAwMDAwMDAwMDBmZmZmZg",
		"MDFha3h4eHh4eHh4eHh4eHh4eHgwMDAwMA" };
	static const struct page_order order = { CLIENT_ID, false };
	struct page_key key;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, PAGE_CURSOR_MAX);
	for (size_t i = 0; i < HERD_ARRAY_LEN(BAD); i++) {
		buf_clear(&bytes);
		assert_int_equal(
		    page_cursor_parse(span_from(BAD[i]), &order, &bytes, &key),
		    HERD_ESYNTAX);
	}
	buf_release(&bytes);
}

/* --- a table ------------------------------------------------------------ */

struct fixture {
	struct table *table;
	struct node node;
	struct client_scene scene;
	unsigned seed;
};

static unsigned
next_random(struct fixture *fixture)
{
	fixture->seed = fixture->seed * 1664525u + 1013904223u;
	return fixture->seed >> 8;
}

static void
put(struct fixture *fixture, const char *id, unsigned node, double lat,
    uint64_t time_ns, enum report_kind kind)
{
	char time[TIME_FORMAT_MAX];
	char location[64];
	struct report report = {
		.client = span_from(id),
		.time = span_of(time, time_format(time_ns, time)),
		.origin = span_from(NODES[node]),
		.time_ns = time_ns,
		.kind = kind,
	};
	struct wall now = { NOW_NS };

	if (kind == REPORT_POSITION) {
		snprintf(location, sizeof(location), "%+.6f-118.445127", lat);
		report.location = span_from(location);
		report.skew = span_from("+0.000000001");
	}
	assert_int_equal(
	    table_put(fixture->table, &report, FROM_CLIENT, now, NULL, NULL),
	    PUT_ACCEPTED);
}

static int
setup(void **state)
{
	struct table_config config = { .max_clients = 0 };
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_int_equal(table_new(&config, &fixture->table), HERD_OK);
	fixture->seed = 20;
	fixture->node.name = "Ann";
	client_scene_init(&fixture->scene, &fixture->node);
	fixture->scene.now.ns = NOW_NS;
	for (unsigned i = 0; i < CLIENTS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "c%05u", i * 7919u % CLIENTS);
		put(fixture, id, next_random(fixture) % 3,
		    (double)(next_random(fixture) % 100) / 100,
		    NOW_NS + next_random(fixture) % 50 * HERD_NS_PER_S,
		    REPORT_POSITION);
	}
	put(fixture, "removed", 0, 0, NOW_NS, REPORT_REMOVAL);
	*state = fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	table_free(fixture->table);
	free(fixture);
	return 0;
}

/*
 * Reads all pages and checks that rows are strictly in order over all of
 * them; returns how many there were.
 */
static unsigned
read_all(struct fixture *fixture, struct page_filter *filter)
{
	struct buf cursor;
	struct buf last_client;
	struct buf last_text;
	struct page_key last = { 0 };
	unsigned rows = 0;
	bool more = true;

	buf_init(&cursor, PAGE_CURSOR_TEXT_MAX);
	buf_init(&last_client, REPORT_CLIENT_MAX);
	buf_init(&last_text, REPORT_CLIENT_MAX);
	filter->scene = &fixture->scene;
	while (more) {
		struct page *page;
		bool walking = true;

		assert_int_equal(
		    page_new(filter, buf_span(&cursor), &page), HERD_OK);
		while (walking)
			assert_int_equal(
			    page_walk(page, fixture->table, 1, &walking),
			    HERD_OK);
		assert_true(page_count(page) <= filter->limit);
		for (unsigned i = 0; i < page_count(page); i++, rows++) {
			const struct page_row *row = page_row(page, i);
			struct page_key key = row->key;

			if (rows > 0 && filter->order.column != PAGE_TABLE)
				assert_true(page_key_compare(&filter->order,
						&last, &key) < 0);
			assert_int_equal(buf_set(&last_client, key.client.data,
					     key.client.len),
			    HERD_OK);
			assert_int_equal(
			    buf_set(&last_text, key.text.data, key.text.len),
			    HERD_OK);
			last = key;
			last.client = buf_span(&last_client);
			last.text = buf_span(&last_text);
		}
		buf_clear(&cursor);
		more = page_next_cursor(page, &cursor) == HERD_OK;
		page_free(page);
	}
	buf_release(&cursor);
	buf_release(&last_client);
	buf_release(&last_text);
	return rows;
}

static void
test_pages_show_every_client_once_in_order(void **state)
{
	static const char *const ORDERS[] = { "id", "time", "node", "received",
		"distance", "table", "client:desc", "age", "age_s:desc",
		"ahead_s:desc", "location:desc", "from", "skew", "status" };
	static const unsigned LIMITS[] = { 1000, 333, 17 };

	for (size_t i = 0; i < HERD_ARRAY_LEN(ORDERS); i++) {
		for (size_t j = 0; j < HERD_ARRAY_LEN(LIMITS); j++) {
			struct page_filter filter = {
				.limit = LIMITS[j],
				.near = strcmp(ORDERS[i], "distance") == 0,
			};

			assert_int_equal(page_order_parse(span_from(ORDERS[i]),
					     &filter.order),
			    HERD_OK);
			assert_int_equal(read_all(*state, &filter), CLIENTS);
		}
	}
}

static void
test_pages_filters_narrow(void **state)
{
	struct page_filter filter = {
		.order = { CLIENT_ID, false },
		.limit = 10,
		.prefix = span_from("c0001"),
	};

	assert_int_equal(read_all(*state, &filter), 10);
	filter.order.column = PAGE_TABLE;
	assert_int_equal(read_all(*state, &filter), 10);
	filter.prefix = span_from("nobody");
	assert_int_equal(read_all(*state, &filter), 0);
	filter = (struct page_filter){ .order = { CLIENT_DISTANCE, false },
		.limit = 100,
		.near = true,
		.at = { 500000000, -118445127000 },
		.within_m = 1 };
	assert_in_range(read_all(*state, &filter), 1, CLIENTS / 20);
	filter = (struct page_filter){ .order = { CLIENT_ID, false },
		.limit = 100,
		.glob = span_from("c00[01]?7") };
	assert_int_equal(read_all(*state, &filter), 20);
	filter.prefix = span_from("c001");
	assert_int_equal(read_all(*state, &filter), 10);
}

/* What `where` says is what a plain look at each report says. */
static void
test_pages_take_what_the_expression_says(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *where;
		unsigned rows;
	} CASES[] = {
		{ "client = c00042", 1 },
		{ "client ~ 'c0004*' and not client ~ '*[02468]'", 5 },
		{ "lat < 0", 0 },
		{ "lat >= 0 and lon < -118.4", CLIENTS },
		{ "age = 0", CLIENTS },
		{ "time < 1700000000.000000000", 0 },
		{ "ahead > 49s", 0 },
		{ "from = client and node = Ann", CLIENTS },
		{ "origin = Ann or origin = Bob or origin = Cy", CLIENTS },
		{ "status", 0 },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		struct filter *where = NULL;
		struct page_filter filter = { .limit = 1000 };
		struct buf message;

		buf_init(&message, 1024);
		assert_int_equal(filter_parse(span_from(CASES[i].where),
				     &client_view, &where, &message),
		    HERD_OK);
		filter.where = where;
		filter.order.column = PAGE_TABLE;
		if (read_all(fixture, &filter) != CASES[i].rows)
			fail_msg(
			    "%s: not %u rows", CASES[i].where, CASES[i].rows);
		filter_free(where);
		buf_release(&message);
	}
}

/* A stream is one page again and again; together they are the table once. */
static void
test_pages_go_on_where_they_were(void **state)
{
	struct fixture *fixture = *state;
	struct page_filter filter = { .scene = &fixture->scene,
		.order = { PAGE_TABLE, false },
		.limit = 300,
		.removals = true };
	struct page *page;
	unsigned rows = 0;
	bool more = true;

	assert_int_equal(page_new(&filter, span_from(""), &page), HERD_OK);
	while (more) {
		bool walking = true;

		while (walking)
			assert_int_equal(
			    page_walk(page, fixture->table, 1, &walking),
			    HERD_OK);
		rows += page_count(page);
		more = page_again(page, 1 + rows % 300);
	}
	assert_int_equal(rows, CLIENTS + 1);
	page_free(page);
}

/* Rows are copies: of an origin that the table has no name for as well. */
static void
test_pages_stand_while_the_table_changes(void **state)
{
	struct fixture *fixture = *state;
	struct page_filter filter = {
		.scene = &fixture->scene,
		.order = { CLIENT_ORIGIN, false },
		.limit = 10,
		.prefix = span_from("c0000"),
	};
	struct page *page;
	bool walking = true;

	for (unsigned i = 0; i < 10; i++) {
		char id[32];

		snprintf(id, sizeof(id), "c%05u", i);
		put(fixture, id, 1, 1, NOW_NS + 100 * HERD_NS_PER_S,
		    REPORT_POSITION);
	}
	assert_int_equal(page_new(&filter, span_from(""), &page), HERD_OK);
	while (walking)
		assert_int_equal(
		    page_walk(page, fixture->table, 1, &walking), HERD_OK);
	for (unsigned i = 0; i < 10; i++) {
		char id[32];

		snprintf(id, sizeof(id), "c%05u", i);
		put(fixture, id, 2, 2, NOW_NS + 200 * HERD_NS_PER_S,
		    REPORT_POSITION);
	}
	assert_int_equal(page_count(page), 10);
	for (unsigned i = 0; i < 10; i++)
		assert_true(span_is(page_row(page, i)->report.origin, "Bob"));
	page_free(page);
}

static void
test_pages_removals_are_shown_when_asked(void **state)
{
	struct page_filter filter = {
		.order = { CLIENT_ID, false },
		.limit = 10,
		.prefix = span_from("removed"),
	};

	assert_int_equal(read_all(*state, &filter), 0);
	filter.removals = true;
	assert_int_equal(read_all(*state, &filter), 1);
}

static void
test_pages_count_needs_no_rows(void **state)
{
	struct fixture *fixture = *state;
	struct page_filter filter = { .scene = &fixture->scene, .limit = 0 };
	struct page *page;
	bool more = true;

	assert_int_equal(page_new(&filter, span_from(""), &page), HERD_OK);
	while (more)
		assert_int_equal(
		    page_walk(page, fixture->table, 100, &more), HERD_OK);
	assert_int_equal(page_total(page), CLIENTS);
	assert_int_equal(page_removals(page), 1);
	assert_int_equal(page_count(page), 0);
	page_free(page);
}

/* Few rows of many bytes: the page ends early and the next one goes on. */
static void
test_pages_end_at_their_bytes(void **state)
{
	static const struct {
		size_t column;
		size_t bytes;
	} ORDERS[] = { { CLIENT_ID, PAGE_BYTES_MAX },
		{ PAGE_TABLE, PAGE_TABLE_BYTES_MAX } };
	struct fixture *fixture = *state;
	char *id = malloc(REPORT_CLIENT_MAX + 1u);

	assert_non_null(id);
	memset(id, 'x', REPORT_CLIENT_MAX);
	id[REPORT_CLIENT_MAX] = '\0';
	for (unsigned i = 0; i < 100; i++) {
		id[0] = 'L';
		id[1] = (char)('0' + i / 10);
		id[2] = (char)('0' + i % 10);
		put(fixture, id, 0, 1, NOW_NS + i, REPORT_POSITION);
	}
	free(id);
	for (size_t i = 0; i < HERD_ARRAY_LEN(ORDERS); i++) {
		struct page_filter filter = { .order.column = ORDERS[i].column,
			.limit = 1000,
			.prefix = span_from("L") };
		struct page *page;
		bool more = true;

		assert_int_equal(read_all(fixture, &filter), 100);
		assert_int_equal(
		    page_new(&filter, span_from(""), &page), HERD_OK);
		while (more)
			assert_int_equal(
			    page_walk(page, fixture->table, 1, &more), HERD_OK);
		assert_in_range(page_count(page), 1,
		    ORDERS[i].bytes / REPORT_CLIENT_MAX + 1);
		page_free(page);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_comes_back_as_it_was),
		cmocka_unit_test(test_cursor_nonsense_is_refused),
		cmocka_unit_test_setup_teardown(
		    test_pages_show_every_client_once_in_order, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_stand_while_the_table_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_filters_narrow, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_take_what_the_expression_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_go_on_where_they_were, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_removals_are_shown_when_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_count_needs_no_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_pages_end_at_their_bytes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
