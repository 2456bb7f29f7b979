/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the herd file's nodes and their numbers. */
#include "core.h"

static struct span
name_of(unsigned number, char text[32])
{
	snprintf(text, 32, "node-%u", number);
	return span_from(text);
}

static void
test_names_are_stored_once(void **state)
{
	struct names names;

	(void)state;
	assert_ok(names_init(&names));
	assert_int_equal(names_find(&names, span_from("Riley")), NAME_NONE);
	assert_ok(names_add(&names, span_from("Riley")));
	assert_ok(names_add(&names, span_from("Jaquez")));
	assert_ok(names_add(&names, span_from("Riley")));
	assert_int_equal(names_find(&names, span_from("Riley")), 0);
	assert_int_equal(names_find(&names, span_from("Jaquez")), 1);
	assert_int_equal(names_find(&names, span_from("Rile")), NAME_NONE);
	assert_span(names_text(&names, 0), "Riley");
	assert_span(names_text(&names, 1), "Jaquez");
	names_release(&names);
}

static void
test_names_hold_the_longest(void **state)
{
	struct names names;
	char text[REPORT_ORIGIN_MAX];
	struct span longest = span_of(text, sizeof(text));

	(void)state;
	memset(text, 'n', sizeof(text));
	assert_ok(names_init(&names));
	assert_ok(names_add(&names, longest));
	assert_true(span_equal(names_text(&names, 0), longest));
	names_release(&names);
}

/* A node that left the file keeps its number, for the records that bear it. */
static void
test_names_are_listed_while_the_file_has_them(void **state)
{
	struct names names;

	(void)state;
	assert_ok(names_init(&names));
	assert_ok(names_add(&names, span_from("Riley")));
	assert_ok(names_add(&names, span_from("Jaquez")));
	assert_true(names_is_listed(&names, span_from("Riley")));
	assert_false(names_is_listed(&names, span_from("Bernard")));
	assert_true(names_are_all_listed(&names));
	names_unlist(&names);
	assert_ok(names_add(&names, span_from("Jaquez")));
	assert_false(names_is_listed(&names, span_from("Riley")));
	assert_false(names_are_all_listed(&names));
	assert_true(names_is_listed(&names, span_from("Jaquez")));
	assert_int_equal(names_find(&names, span_from("Riley")), 0);
	names_release(&names);
}

/* All numbers, then no more; those that have one are found still. */
static void
test_names_end_at_their_limit(void **state)
{
	struct names *names = calloc(1, sizeof(*names));
	char text[32];

	(void)state;
	assert_non_null(names);
	assert_ok(names_init(names));
	for (unsigned i = 0; i < NAMES_MAX; i++)
		assert_ok(names_add(names, name_of(i, text)));
	assert_int_equal(names_add(names, span_from("one-more")), HERD_ELIMIT);
	assert_int_equal(names_find(names, span_from("one-more")), NAME_NONE);
	assert_false(names_is_listed(names, span_from("one-more")));
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		assert_int_equal(names_find(names, name_of(i, text)), i);
		assert_span(names_text(names, (uint16_t)i), text);
	}
	names_release(names);
	free(names);
}

/* --- origins that the herd file does not have ---------------------------- */

static void
set_origin(struct unit_report *made, const char *origin)
{
	made->report.origin = span_from(origin);
}

static void
assert_origin(struct table *table, struct span client, const char *origin)
{
	struct record record;

	record_init(&record);
	assert_ok(table_get(table, client, &record));
	assert_span(record.report.origin, origin);
	assert_true(span_equal(record.report.client, client));
	record_release(&record);
}

/* The same record, whether its origin has a number or not. */
static void
test_a_strange_origin_is_kept_byte_for_byte(void **state)
{
	struct table *table = unit_table(0, 0);
	char longest[REPORT_ORIGIN_MAX + 1] = "";
	struct unit_report made;

	(void)state;
	memset(longest, 'x', REPORT_ORIGIN_MAX);
	assert_ok(names_add(table_names(table), span_from("Riley")));
	unit_report(&made, 1, 10);
	set_origin(&made, "Mallory");
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_ACCEPTED);
	assert_origin(table, made.report.client, "Mallory");
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_EQUAL);
	set_origin(&made, longest);
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_ACCEPTED);
	assert_origin(table, made.report.client, longest);
	/* Least of the three in the order of origins. */
	set_origin(&made, "Alice");
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_STALE);
	/* It gets a number; what is held is the same record still. */
	set_origin(&made, longest);
	assert_ok(names_add(table_names(table), made.report.origin));
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_EQUAL);
	assert_origin(table, made.report.client, longest);
	table_free(table);
}

/* More names than 16 bits can count come and go: nothing of them stays. */
static void
test_invented_origins_leave_nothing(void **state)
{
	struct table *table = unit_table(0, 0);
	struct table_counts before;
	struct table_counts after;
	struct unit_report made;
	char text[32];

	(void)state;
	unit_report(&made, 1, 1);
	set_origin(&made, "Riley");
	assert_ok(names_add(table_names(table), made.report.origin));
	(void)unit_put_at(table, &made.report, 7, 0);
	table_count(table, &before);
	for (unsigned i = 0; i < 70000; i++) {
		unit_report(&made, 1, i + 2);
		made.report.origin = name_of(i, text);
		assert_int_equal(
		    unit_put_at(table, &made.report, 7, 0), PUT_ACCEPTED);
	}
	unit_report(&made, 1, 80000);
	set_origin(&made, "Riley");
	assert_int_equal(unit_put_at(table, &made.report, 7, 0), PUT_ACCEPTED);
	table_count(table, &after);
	assert_int_equal(after.bytes, before.bytes);
	assert_int_equal(
	    names_find(table_names(table), span_from("node-5")), NAME_NONE);
	table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_stored_once),
		cmocka_unit_test(test_names_hold_the_longest),
		cmocka_unit_test(test_names_are_listed_while_the_file_has_them),
		cmocka_unit_test(test_names_end_at_their_limit),
		cmocka_unit_test(test_a_strange_origin_is_kept_byte_for_byte),
		cmocka_unit_test(test_invented_origins_leave_nothing),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
