/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The look of answers, the answer without results, plus codes, and the
 * histogram of times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "herd/text.h"
#include "places/answer.h"
#include "places/look.h"
#include "places/olc.h"
#include "places/stats.h"

static void
assert_text(const struct buf *buf, const char *expected)
{
	struct span text = buf_span(buf);

	if (!span_is(text, expected))
		fail_msg("got\n" SPAN_FMT "\nexpected\n%s", SPAN_ARG(text),
		    expected);
}

/* --- look ---------------------------------------------------------------- */

static void
test_look_writes_googles_look(void **state HERD_UNUSED)
{
	static const struct span two[] = { { "a", 1 }, { "b", 1 } };
	struct buf out;
	struct look look;

	buf_init(&out, 4096);
	look_begin(&look, &out, LOOK_GOOGLE);
	look_object(&look, NULL);
	look_array(&look, "empty");
	look_array_end(&look);
	look_array(&look, "list");
	look_object(&look, NULL);
	look_bool(&look, "b", true);
	look_null(&look, "n");
	look_object_end(&look);
	look_object(&look, NULL);
	look_object_end(&look);
	look_array_end(&look);
	look_texts(&look, "none", NULL, 0);
	look_texts(&look, "two", two, 2);
	look_object_end(&look);
	assert_int_equal(look_end(&look), HERD_OK);
	assert_text(&out, "{\n"
			  "   \"empty\" : [],\n"
			  "   \"list\" : [\n"
			  "      {\n"
			  "         \"b\" : true,\n"
			  "         \"n\" : null\n"
			  "      },\n"
			  "      {}\n"
			  "   ],\n"
			  "   \"none\" : [],\n"
			  "   \"two\" : [ \"a\", \"b\" ]\n"
			  "}");
	buf_release(&out);
}

static void
test_look_compact_has_no_lines(void **state HERD_UNUSED)
{
	struct buf out;
	struct look look;

	buf_init(&out, 4096);
	look_begin(&look, &out, LOOK_COMPACT);
	look_object(&look, NULL);
	look_array(&look, "l");
	look_count(&look, NULL, UINT64_MAX);
	look_ms(&look, NULL, 1.23456);
	look_ms(&look, NULL, -1);
	look_array_end(&look);
	look_object_end(&look);
	assert_int_equal(look_end(&look), HERD_OK);
	assert_text(&out, "{\"l\":[18446744073709551615,1.235,null]}");
	buf_release(&out);
}

/* The width counts brackets, quotes, commas and escapes. */
static void
test_look_texts_breaks_at_the_line_limit(void **state HERD_UNUSED)
{
	static const char word[] = "0123456789012345678901234567890123456789"
				   "01234567890123456789012345678901234567";
	struct span texts[1] = { { word, LOOK_LINE_MAX - 1 - 6 } };
	struct buf out;
	struct look look;

	buf_init(&out, 4096);
	look_begin(&look, &out, LOOK_GOOGLE);
	look_texts(&look, NULL, texts, 1);
	assert_int_equal(look_end(&look), HERD_OK);
	assert_int_equal(out.len, LOOK_LINE_MAX - 1);
	assert_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_clear(&out);
	texts[0].len++;
	look_begin(&look, &out, LOOK_GOOGLE);
	look_texts(&look, NULL, texts, 1);
	assert_int_equal(look_end(&look), HERD_OK);
	assert_non_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_clear(&out);
	texts[0] = span_from("<<<<<<<<<<<<");
	look_begin(&look, &out, LOOK_GOOGLE);
	look_texts(&look, NULL, texts, 1);
	assert_int_equal(look_end(&look), HERD_OK);
	assert_non_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_release(&out);
}

static void
test_look_text_escapes(void **state HERD_UNUSED)
{
	struct buf out;
	struct look look;

	buf_init(&out, 4096);
	look_begin(&look, &out, LOOK_GOOGLE);
	look_text(&look, NULL,
	    span_of("a\"\\/\b\f\n\r\t\x01\x1f\x7f<a>&'\xc3\xa9\0z", 21));
	assert_int_equal(look_end(&look), HERD_OK);
	assert_text(&out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
			  "\\u003ca\\u003e&'\xc3\xa9\\u0000z\"");
	buf_release(&out);
}

static void
test_look_numbers_are_shortest(void **state HERD_UNUSED)
{
	static const struct {
		double value;
		const char *text;
	} numbers[] = {
		{ 0, "0" },
		{ 4, "4" },
		{ 4.1, "4.1" },
		{ -33.8587323, "-33.8587323" },
		{ 151.2112436298927, "151.2112436298927" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ (double)NAN, "null" },
		{ (double)INFINITY, "null" },
	};
	static const struct {
		int64_t value;
		const char *text;
	} degrees[] = {
		{ 0, "0" },
		{ 1, "0.0000001" },
		{ -1, "-0.0000001" },
		{ 10000000, "1" },
		{ -1234500000, "-123.45" },
		{ 1800000000, "180" },
		{ 5, "0.0000005" },
		{ 10000010, "1.000001" },
	};
	struct buf out;
	struct look look;

	buf_init(&out, 4096);
	for (size_t i = 0; i < HERD_ARRAY_LEN(numbers); i++) {
		buf_clear(&out);
		look_begin(&look, &out, LOOK_GOOGLE);
		look_number(&look, NULL, numbers[i].value);
		assert_int_equal(look_end(&look), HERD_OK);
		assert_text(&out, numbers[i].text);
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(degrees); i++) {
		buf_clear(&out);
		look_begin(&look, &out, LOOK_GOOGLE);
		look_degrees(&look, NULL, degrees[i].value);
		assert_int_equal(look_end(&look), HERD_OK);
		assert_text(&out, degrees[i].text);
	}
	buf_release(&out);
}

/* Whatever room there is: all of it or a failure that sticks. */
static void
test_look_full_buffer_fails_once_and_for_all(void **state HERD_UNUSED)
{
	for (size_t max = 0; max < 40; max++) {
		struct buf out;
		struct look look;
		enum herd_error error;

		buf_init(&out, max);
		look_begin(&look, &out, LOOK_GOOGLE);
		look_object(&look, NULL);
		look_text(&look, "key", span_from("some text"));
		look_object_end(&look);
		error = look_end(&look);
		assert_int_equal(error, max < 26 ? HERD_ELIMIT : HERD_OK);
		if (error == HERD_OK)
			assert_text(&out, "{\n   \"key\" : \"some text\"\n}");
		buf_release(&out);
	}
}

static void
test_look_appends_behind_content_of_any_size(void **state HERD_UNUSED)
{
	const size_t digits = 10 + 2 * 90 + 3 * 200;

	for (size_t before = 0; before < 3000; before += 7) {
		struct buf out;
		struct look look;

		buf_init(&out, 1u << 20);
		for (size_t i = 0; i < before; i++)
			assert_int_equal(buf_add_byte(&out, 'x'), HERD_OK);
		look_begin(&look, &out, LOOK_GOOGLE);
		look_array(&look, NULL);
		for (unsigned i = 0; i < 300; i++)
			look_count(&look, NULL, i);
		look_array_end(&look);
		assert_int_equal(look_end(&look), HERD_OK);
		assert_int_equal(
		    out.len, before + 1 + 300 * 4 + digits + 299 + 2);
		buf_release(&out);
	}
}

/* --- answers ------------------------------------------------------------- */

static void
test_answer_empty_has_status_and_message(void **state HERD_UNUSED)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(places_answer_empty(&out, PLACES_OVER_QUERY_LIMIT,
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
	    places_answer_empty(&out, PLACES_ZERO_RESULTS, span_from("")),
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
		const char *name = places_status_name((enum places_status)i);

		assert_int_equal(
		    places_status_find(span_from(name), &found), HERD_OK);
		assert_int_equal(found, i);
	}
	assert_int_equal(
	    places_status_find(span_from("ok"), &found), HERD_ENOTFOUND);
	assert_true(places_status_is_good(PLACES_ZERO_RESULTS));
	assert_false(places_status_is_good(PLACES_REQUEST_DENIED));
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
		cmocka_unit_test(test_look_writes_googles_look),
		cmocka_unit_test(test_look_compact_has_no_lines),
		cmocka_unit_test(test_look_texts_breaks_at_the_line_limit),
		cmocka_unit_test(test_look_text_escapes),
		cmocka_unit_test(test_look_numbers_are_shortest),
		cmocka_unit_test(test_look_full_buffer_fails_once_and_for_all),
		cmocka_unit_test(test_look_appends_behind_content_of_any_size),
		cmocka_unit_test(test_answer_empty_has_status_and_message),
		cmocka_unit_test(test_statuses_are_found_by_name),
		cmocka_unit_test(test_olc_encodes_the_specifications_examples),
		cmocka_unit_test(test_olc_antimeridian_is_one_meridian),
		cmocka_unit_test(test_stats_percentiles_are_within_an_eighth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
