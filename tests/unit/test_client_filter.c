/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --where: expressions over typed rows. */
#include "unit.h"

#include "base/xbuf.h"
#include "herd/filter.h"

static const struct column columns[] = {
	{ "peer", "PEER", VALUE_TEXT, 0, 0, NULL, 0 },
	{ "state", "STATE", VALUE_STATE, 0, 0, NULL, 0 },
	{ "rtt_ms", "RTT", VALUE_MS, 0, 0, NULL, 0 },
	{ "since_s", "SINCE", VALUE_SECONDS, 0, 0, NULL, 0 },
	{ "owed", "OWED", VALUE_INTEGER, 0, 0, NULL, 0 },
	{ "enabled", "ENABLED", VALUE_BOOL, 0, 0, NULL, 0 },
	{ "distance_m", "DISTANCE", VALUE_DISTANCE, 0, 0, NULL, 0 },
	{ "time", "CLIENT TIME", VALUE_TIME, 0, 0, NULL, 0 },
};

static const struct view view = { "x/1", "rows", VIEW_LIST, columns,
	HERD_ARRAY_LEN(columns) };

static struct value row[HERD_ARRAY_LEN(columns)];

static void
fill_row(void)
{
	memset(row, 0, sizeof(row));
	for (size_t i = 0; i < HERD_ARRAY_LEN(columns); i++)
		row[i].type = columns[i].type;
	row[0].known = true;
	row[0].text = span_from("Jaquez");
	row[1].known = true;
	row[1].text = span_from("synced");
	row[2].known = true;
	row[2].real = 12.5;
	row[3].known = true;
	row[3].real = 7200;
	row[4].known = true;
	row[4].integer = 57;
	row[5].known = true;
	row[5].integer = 1;
	row[7].known = true;
	row[7].text = span_from("1479413884.392014450");
}

static bool
matches(const char *text)
{
	struct filter *where = NULL;
	struct buf message;
	bool result;

	fill_row();
	buf_init(&message, XBUF_MAX);
	if (filter_parse(span_from(text), &view, &where, &message) != HERD_OK) {
		print_error("%s: %s\n", text, text_of(&message));
		fail();
	}
	result = filter_matches(where, filter_get_value, row);
	filter_free(where);
	buf_release(&message);
	return result;
}

static void
assert_wrong(const char *text, const char *part)
{
	struct filter *where = NULL;
	struct buf message;

	buf_init(&message, XBUF_MAX);
	assert_int_not_equal(
	    filter_parse(span_from(text), &view, &where, &message), HERD_OK);
	if (strstr(text_of(&message), part) == NULL) {
		print_error("%s: %s\n", text, text_of(&message));
		fail();
	}
	buf_release(&message);
}

static void
test_comparisons_know_types_and_units(void **state HERD_UNUSED)
{
	assert_true(matches("peer = Jaquez"));
	assert_true(matches("peer=='Jaquez'"));
	assert_false(matches("peer != Jaquez"));
	assert_true(matches("rtt_ms > 10ms"));
	assert_true(matches("rtt > 0.01s"));
	assert_false(matches("rtt >= 13"));
	assert_true(matches("since >= 2h and since <= 2h"));
	assert_true(matches("owed < 100"));
	assert_true(matches("enabled = yes"));
	assert_true(matches("SINCE > 1h"));
	assert_true(matches("time > 1479413884.392014449"));
	assert_false(matches("time > 1479413885"));
}

static void
test_globs_match_texts(void **state HERD_UNUSED)
{
	assert_true(matches("peer ~ 'J*z'"));
	assert_false(matches("peer ~ R*"));
	assert_true(matches("peer !~ R*"));
}

static void
test_unknown_values_equal_only_null(void **state HERD_UNUSED)
{
	assert_true(matches("distance = null"));
	assert_true(matches("distance = -"));
	assert_true(matches("rtt != null"));
	assert_false(matches("distance < 5km"));
	assert_false(matches("distance >= 0"));
	assert_true(matches("distance != 5"));
	assert_false(matches("distance"));
	assert_true(matches("owed"));
}

static void
test_words_and_signs_combine(void **state HERD_UNUSED)
{
	assert_true(matches("state = synced and (owed > 99 or rtt > 10)"));
	assert_false(matches("not state = synced"));
	assert_true(matches("!(state = x) && !distance"));
	assert_true(matches("state=x||owed=57"));
	/* and binds closer than or */
	assert_true(matches("owed = 57 or owed = 1 and owed = 2"));
	assert_false(matches("(owed = 57 or owed = 1) and owed = 2"));
}

static void
test_mistakes_are_named(void **state HERD_UNUSED)
{
	assert_wrong("stat = x", "did you mean `state'?");
	assert_wrong("zzzzzzz = x", "there are peer, state");
	assert_wrong("rtt > fast",
	    "`fast' is no value for the column `rtt_ms', such as 500ms");
	assert_wrong("rtt > 5km", "`5km' is no value");
	assert_wrong("time > soon", "2026-11-28T10:00Z");
	assert_wrong("enabled > maybe", "yes or no");
	assert_wrong("owed > many", "`many' is no value for the column `owed'");
	assert_wrong("owed >", "missing");
	assert_wrong("owed > 5 and", "a column is missing");
	assert_wrong("(owed > 5", "not closed");
	assert_wrong("peer = 'x", "not closed");
	assert_wrong("owed > 5 5", "cannot read on");
	assert_wrong("", "a column is missing");
}

/* What follows a NUL is no comment: it may be what makes the choice small. */
static void
test_a_nul_ends_no_expression(void **state HERD_UNUSED)
{
	static const char *const TEXTS[] = { "owed > 5\0 and owed > 99",
		"peer = 'x\0'", "peer = x\0", "owed\0" };
	static const size_t LENGTHS[] = { 24, 11, 9, 5 };

	for (size_t i = 0; i < HERD_ARRAY_LEN(TEXTS); i++) {
		struct filter *where = NULL;
		struct buf message;

		buf_init(&message, XBUF_MAX);
		assert_int_equal(filter_parse(span_of(TEXTS[i], LENGTHS[i]),
				     &view, &where, &message),
		    HERD_ESYNTAX);
		buf_release(&message);
	}
}

static void
test_long_mistakes_are_named_too(void **state HERD_UNUSED)
{
	static const char *const BEGINS[] = { "owed > x", "x" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(BEGINS); i++) {
		struct filter *where = NULL;
		struct buf text;
		struct buf message;

		buf_init(&text, XBUF_MAX);
		buf_init(&message, 1024);
		put_text(&text, BEGINS[i]);
		put_fill(&text, 'y', 5000);
		assert_int_equal(
		    filter_parse(buf_span(&text), &view, &where, &message),
		    HERD_ESYNTAX);
		assert_non_null(strstr(text_of(&message), "xyyy"));
		buf_release(&text);
		buf_release(&message);
	}
}

static void
test_globs_have_a_bound_together(void **state HERD_UNUSED)
{
	struct filter *where = NULL;
	struct buf text;
	struct buf message;

	buf_init(&text, XBUF_MAX);
	buf_init(&message, XBUF_MAX);
	put_text(&text, "peer ~ '*b'");
	assert_int_equal(
	    filter_parse(buf_span(&text), &view, &where, &message), HERD_OK);
	assert_true(filter_cost(where, 60000) >= 2 * 60000);
	filter_free(where);
	for (size_t i = 0; i < FILTER_GLOBS_MAX / FILTER_GLOB_COST; i++)
		put_text(&text, " or peer !~ '*b'");
	assert_int_equal(filter_parse(buf_span(&text), &view, &where, &message),
	    HERD_ELIMIT);
	buf_clear(&text);
	put_text(&text, "peer ~ '");
	put_fill(&text, '*', 1025);
	put_text(&text, "'");
	assert_int_equal(filter_parse(buf_span(&text), &view, &where, &message),
	    HERD_ELIMIT);
	buf_release(&text);
	buf_release(&message);
}

static void
test_deep_expressions_are_refused(void **state HERD_UNUSED)
{
	struct buf text;
	struct filter *where = NULL;
	struct buf message;

	buf_init(&text, XBUF_MAX);
	buf_init(&message, XBUF_MAX);
	put_fill(&text, '(', 100000);
	assert_int_equal(filter_parse(buf_span(&text), &view, &where, &message),
	    HERD_ELIMIT);
	buf_clear(&text);
	put_text(&text, "owed");
	for (size_t i = 0; i < FILTER_NODES_MAX; i++)
		put_text(&text, " and owed");
	assert_int_equal(filter_parse(buf_span(&text), &view, &where, &message),
	    HERD_ELIMIT);
	buf_release(&text);
	buf_release(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comparisons_know_types_and_units),
		cmocka_unit_test(test_globs_match_texts),
		cmocka_unit_test(test_unknown_values_equal_only_null),
		cmocka_unit_test(test_words_and_signs_combine),
		cmocka_unit_test(test_mistakes_are_named),
		cmocka_unit_test(test_a_nul_ends_no_expression),
		cmocka_unit_test(test_long_mistakes_are_named_too),
		cmocka_unit_test(test_globs_have_a_bound_together),
		cmocka_unit_test(test_deep_expressions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
