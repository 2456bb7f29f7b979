/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer of JSON: its styles, its numbers, its failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "herd/json.h"
#include "herd/text.h"

static void
assert_text(const struct buf *buf, const char *expected)
{
	struct span text = buf_span(buf);

	if (!span_is(text, expected))
		fail_msg("got\n" SPAN_FMT "\nexpected\n%s", SPAN_ARG(text),
		    expected);
}

static void
test_json_writes_googles_look(void **state HERD_UNUSED)
{
	static const struct span two[] = { { "a", 1 }, { "b", 1 } };
	struct buf out;
	struct json json;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_GOOGLE);
	json_object(&json, NULL);
	json_array(&json, "empty");
	json_array_end(&json);
	json_array(&json, "list");
	json_object(&json, NULL);
	json_bool(&json, "b", true);
	json_null(&json, "n");
	json_object_end(&json);
	json_object(&json, NULL);
	json_object_end(&json);
	json_array_end(&json);
	json_texts(&json, "none", NULL, 0);
	json_texts(&json, "two", two, 2);
	json_object_end(&json);
	assert_int_equal(json_end(&json), HERD_OK);
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
test_json_compact_has_no_lines(void **state HERD_UNUSED)
{
	struct buf out;
	struct json json;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_COMPACT);
	json_object(&json, NULL);
	json_array(&json, "l");
	json_count(&json, NULL, UINT64_MAX);
	json_rounded(&json, NULL, 1.23456);
	json_rounded(&json, NULL, -1);
	json_array_end(&json);
	json_object_end(&json);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_text(&out, "{\"l\":[18446744073709551615,1.235,null]}");
	buf_release(&out);
}

/* The width counts brackets, quotes, commas and escapes. */
static void
test_json_texts_breaks_at_the_line_limit(void **state HERD_UNUSED)
{
	static const char word[] = "0123456789012345678901234567890123456789"
				   "01234567890123456789012345678901234567";
	struct span texts[1] = { { word, JSON_LINE_MAX - 1 - 6 } };
	struct buf out;
	struct json json;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_GOOGLE);
	json_texts(&json, NULL, texts, 1);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_int_equal(out.len, JSON_LINE_MAX - 1);
	assert_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_clear(&out);
	texts[0].len++;
	json_begin(&json, &out, JSON_GOOGLE);
	json_texts(&json, NULL, texts, 1);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_non_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_clear(&out);
	texts[0] = span_from("<<<<<<<<<<<<");
	json_begin(&json, &out, JSON_GOOGLE);
	json_texts(&json, NULL, texts, 1);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_non_null(memchr(buf_span(&out).data, '\n', out.len));
	buf_release(&out);
}

static void
test_json_text_escapes(void **state HERD_UNUSED)
{
	struct buf out;
	struct json json;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_GOOGLE);
	json_text(&json, NULL,
	    span_of("a\"\\/\b\f\n\r\t\x01\x1f\x7f<a>&'\xc3\xa9\0z", 21));
	assert_int_equal(json_end(&json), HERD_OK);
	assert_text(&out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
			  "\\u003ca\\u003e&'\xc3\xa9\\u0000z\"");
	buf_release(&out);
}

static void
test_json_numbers_are_shortest(void **state HERD_UNUSED)
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
	struct json json;

	buf_init(&out, 4096);
	for (size_t i = 0; i < HERD_ARRAY_LEN(numbers); i++) {
		buf_clear(&out);
		json_begin(&json, &out, JSON_GOOGLE);
		json_number(&json, NULL, numbers[i].value);
		assert_int_equal(json_end(&json), HERD_OK);
		assert_text(&out, numbers[i].text);
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(degrees); i++) {
		buf_clear(&out);
		json_begin(&json, &out, JSON_GOOGLE);
		json_decimal(&json, NULL, degrees[i].value, 7);
		assert_int_equal(json_end(&json), HERD_OK);
		assert_text(&out, degrees[i].text);
	}
	buf_release(&out);
}

/* Whatever room there is: all of it or a failure that sticks. */
static void
test_json_full_buffer_fails_once_and_for_all(void **state HERD_UNUSED)
{
	for (size_t max = 0; max < 40; max++) {
		struct buf out;
		struct json json;
		enum herd_error error;

		buf_init(&out, max);
		json_begin(&json, &out, JSON_GOOGLE);
		json_object(&json, NULL);
		json_text(&json, "key", span_from("some text"));
		json_object_end(&json);
		error = json_end(&json);
		assert_int_equal(error, max < 26 ? HERD_ELIMIT : HERD_OK);
		if (error == HERD_OK)
			assert_text(&out, "{\n   \"key\" : \"some text\"\n}");
		buf_release(&out);
	}
}

static void
test_json_appends_after_content_of_any_size(void **state HERD_UNUSED)
{
	const size_t digits = 10 + 2 * 90 + 3 * 200;

	for (size_t before = 0; before < 3000; before += 7) {
		struct buf out;
		struct json json;

		buf_init(&out, 1u << 20);
		for (size_t i = 0; i < before; i++)
			assert_int_equal(buf_add_byte(&out, 'x'), HERD_OK);
		json_begin(&json, &out, JSON_GOOGLE);
		json_array(&json, NULL);
		for (unsigned i = 0; i < 300; i++)
			json_count(&json, NULL, i);
		json_array_end(&json);
		assert_int_equal(json_end(&json), HERD_OK);
		assert_int_equal(
		    out.len, before + 1 + 300 * 4 + digits + 299 + 2);
		buf_release(&out);
	}
}

static void
test_json_whole_numbers_are_exact(void **state HERD_UNUSED)
{
	struct json json;
	struct buf out;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_COMPACT);
	json_array(&json, NULL);
	json_count(&json, NULL, UINT64_MAX);
	json_integer(&json, NULL, INT64_MIN);
	json_integer(&json, NULL, INT64_MAX);
	json_count(&json, NULL, UINT64_C(9007199254740993)); /* 2^53 + 1 */
	json_decimal(&json, NULL, INT64_MIN, 19);
	json_decimal(&json, NULL, INT64_MAX, 9);
	json_seconds(&json, NULL, UINT64_MAX);
	json_ms(&json, NULL, 1499);
	json_ms(&json, NULL, 1500500);
	json_array_end(&json);
	assert_int_equal(json_end(&json), HERD_OK);
	assert_text(&out,
	    "[18446744073709551615,-9223372036854775808,9223372036854775807,"
	    "9007199254740993,-0.9223372036854775808,9223372036.854775807,"
	    "18446744073.709552,0.001,1.501]");
	buf_release(&out);
}

/* One string in each style. */
static void
test_json_styles_escape_what_their_readers_obey(void **state HERD_UNUSED)
{
	static const char text[] =
	    "<a\"\\\n\x1b\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\xff>";
	static const char *const expected[] = {
		[JSON_GOOGLE] =
		    "\"\\u003ca\\\"\\\\\\n\\u001b\x7f\xc2\x9b\xe2\x80\xae"
		    "\xc3\xa9\xef\xbf\xbd\\u003e\"",
		[JSON_COMPACT] = "\"<a\\\"\\\\\\n\\u001b\x7f\xc2\x9b"
				 "\xe2\x80\xae\xc3\xa9\xef\xbf\xbd>\"",
		[JSON_TERMINAL] = "\"<a\\\"\\\\\\n\\u001b\\u007f\\u009b\\u202e"
				  "\xc3\xa9\xef\xbf\xbd>\"",
		[JSON_ASCII] = "\"<a\\\"\\\\\\n\\u001b\\u007f\\u00c2\\u009b"
			       "\\u00e2\\u0080\\u00ae\\u00c3\\u00a9\\u00ff>\"",
	};

	for (unsigned i = 0; i < HERD_ARRAY_LEN(expected); i++) {
		struct json json;
		struct buf out;

		buf_init(&out, 4096);
		json_begin(&json, &out, (enum json_style)i);
		json_word(&json, NULL, text);
		assert_int_equal(json_end(&json), HERD_OK);
		assert_text(&out, expected[i]);
		buf_release(&out);
	}
}

static void
test_json_failure_of_a_caller_sticks(void **state HERD_UNUSED)
{
	struct json json;
	struct buf out;

	buf_init(&out, 4096);
	json_begin(&json, &out, JSON_COMPACT);
	json_object(&json, NULL);
	json_fail(&json, HERD_ELIMIT);
	json_fail(&json, HERD_ENOMEM);
	json_word(&json, "a", "b");
	json_object_end(&json);
	assert_int_equal(json_end(&json), HERD_ELIMIT);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_writes_googles_look),
		cmocka_unit_test(test_json_compact_has_no_lines),
		cmocka_unit_test(test_json_texts_breaks_at_the_line_limit),
		cmocka_unit_test(test_json_text_escapes),
		cmocka_unit_test(test_json_numbers_are_shortest),
		cmocka_unit_test(test_json_full_buffer_fails_once_and_for_all),
		cmocka_unit_test(test_json_appends_after_content_of_any_size),
		cmocka_unit_test(test_json_whole_numbers_are_exact),
		cmocka_unit_test(
		    test_json_styles_escape_what_their_readers_obey),
		cmocka_unit_test(test_json_failure_of_a_caller_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
