/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Places answers: the answer without results, its statuses, plus codes,
 * and the histogram of times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "herd/json.h"
#include "herd/text.h"
#include "places/answer.h"
#include "places/olc.h"
#include "places/places_stats.h"

static void
assert_text(const struct buf *buf, const char *expected)
{
	struct span text = buf_span(buf);

	if (!span_is(text, expected))
		fail_msg("got\n" SPAN_FMT "\nexpected\n%s", SPAN_ARG(text),
		    expected);
}

/* --- answers ------------------------------------------------------------- */

static void
test_answer_empty_has_status_and_message(void **state HERD_UNUSED)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(answer_write_empty(&out, PLACES_OVER_QUERY_LIMIT,
			     span_from("The \xff quota\nis <used> up.")),
	    HERD_OK);
	assert_text(&out,
	    "{\n"
	    "   \"error_message\" : \"The \xef\xbf\xbd quota\\nis "
	    "\\u003cused\\u003e up.\",\n"
	    "   \"html_attributions\" : [],\n"
	    "   \"results\" : [],\n"
	    "   \"status\" : \"OVER_QUERY_LIMIT\"\n"
	    "}");
	buf_clear(&out);
	assert_int_equal(
	    answer_write_empty(&out, PLACES_ZERO_RESULTS, span_from("")),
	    HERD_OK);
	assert_text(&out, "{\n"
			  "   \"html_attributions\" : [],\n"
			  "   \"results\" : [],\n"
			  "   \"status\" : \"ZERO_RESULTS\"\n"
			  "}");
	buf_release(&out);
}

static void
test_statuses_are_found_by_name(void **state HERD_UNUSED)
{
	enum places_status found;

	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++) {
		const char *name = answer_status_name((enum places_status)i);

		assert_int_equal(
		    answer_status_find(span_from(name), &found), HERD_OK);
		assert_int_equal(found, i);
	}
	assert_int_equal(
	    answer_status_find(span_from("ok"), &found), HERD_ENOTFOUND);
	assert_true(answer_is_good(PLACES_ZERO_RESULTS));
	assert_false(answer_is_good(PLACES_REQUEST_DENIED));
}

/* --- plus codes ---------------------------------------------------------- */

/* From the specification's test_data/encoding.csv, those of ten digits. */
static void
test_olc_encodes_the_specifications_examples(void **state HERD_UNUSED)
{
	static const struct {
		int64_t lat_e7;
		int64_t lng_e7;
		const char *code;
	} cases[] = {
		{ 203700625, 27821875, "7FG49QCJ+2V" },
		{ 470000625, 80000625, "8FVC2222+22" },
		{ -412730625, 1747859375, "4VCPPQGP+Q9" },
		{ 475000000, 85000000, "8FVCGG22+22" },
		{ 900000000, 10000000, "CFX3X2X2+X2" },
		{ -900000000, -1800000000, "22222222+22" },
		{ 377749000, -1224194000, "849VQHFJ+X6" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		char code[OLC_LEN + 1] = { 0 };

		olc_encode(cases[i].lat_e7, cases[i].lng_e7, code);
		assert_string_equal(code, cases[i].code);
	}
}

static void
test_olc_antimeridian_is_one_meridian(void **state HERD_UNUSED)
{
	char east[OLC_LEN + 1] = { 0 };
	char west[OLC_LEN + 1] = { 0 };

	olc_encode(0, 1800000000, east);
	olc_encode(0, -1800000000, west);
	assert_string_equal(east, west);
	assert_string_equal(west, "62G22222+22");
}

/* --- statistics ---------------------------------------------------------- */

static void
test_stats_percentiles_are_within_an_eighth(void **state HERD_UNUSED)
{
	struct places_stats stats;
	struct places_stats sum;

	places_stats_init(&stats);
	places_stats_init(&sum);
	assert_true(places_stats_percentile_ms(&stats, 50) < 0);
	for (uint64_t i = 1; i <= 1000; i++)
		places_stats_count(&stats,
		    i % 10 == 0 ? PLACES_UNKNOWN_ERROR : PLACES_OK,
		    i * 1000000);
	places_stats_count(&stats, PLACES_ZERO_RESULTS, UINT64_MAX);
	places_stats_count(&stats, PLACES_ZERO_RESULTS, 0);
	places_stats_add(&sum, &stats);
	places_stats_add(&sum, &stats);
	assert_int_equal(places_stats_answered(&sum), 1804);
	assert_int_equal(places_stats_failed(&sum), 200);
	assert_int_equal(places_stats_of(&sum, PLACES_OK), 1800);
	assert_true(
	    fabs(places_stats_percentile_ms(&sum, 50) / 500 - 1) < 0.125);
	assert_true(
	    fabs(places_stats_percentile_ms(&sum, 99) / 990 - 1) < 0.125);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer_empty_has_status_and_message),
		cmocka_unit_test(test_statuses_are_found_by_name),
		cmocka_unit_test(test_olc_encodes_the_specifications_examples),
		cmocka_unit_test(test_olc_antimeridian_is_one_meridian),
		cmocka_unit_test(test_stats_percentiles_are_within_an_eighth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
