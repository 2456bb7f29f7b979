/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/text.h"

#define BYTES(s) span_of(s, sizeof(s) - 1u)

static void
test_white_space_is_six_bytes(void **state HERD_UNUSED)
{
	const char spaces[] = " \t\r\n\f\v";
	int c;

	for (c = 0; c < 256; c++)
		assert_int_equal(text_is_space((char)(unsigned char)c),
		    c != 0 && strchr(spaces, c) != NULL);
}

static void
test_next_field_walks_over_runs(void **state HERD_UNUSED)
{
	struct span rest = BYTES(" \t a\x1c\xc2\xa0 bc\r\n\v\f d\0e ");

	assert_true(span_equal(text_next_field(&rest), BYTES("a\x1c\xc2\xa0")));
	assert_span(text_next_field(&rest), "bc");
	assert_true(span_equal(text_next_field(&rest), BYTES("d\0e")));
	assert_int_equal(text_next_field(&rest).len, 0);
	assert_int_equal(text_next_field(&rest).len, 0);
	assert_int_equal(rest.len, 0);
}

static void
test_trim_takes_white_space_off_both_ends(void **state HERD_UNUSED)
{
	assert_span(text_trim(BYTES("")), "");
	assert_span(text_trim(BYTES(" \t\r\n")), "");
	assert_span(text_trim(BYTES(" a b\v")), "a b");
	assert_span(text_trim(BYTES("a")), "a");
}

static void
test_escape_shows_printable_ascii_only(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 100);
	assert_ok(text_escape(
	    &buf, BYTES("a\n\t\r\"\\\x01\x7f\xc3\xa9%s~ "), SIZE_MAX));
	assert_buf(&buf, "a\\n\\t\\r\\\"\\\\\\x01\\x7f\\xc3\\xa9%s~ ");
	buf_clear(&buf);
	assert_ok(text_escape(&buf, BYTES("abcdef"), 3));
	assert_buf(&buf, "abc...");
	buf_clear(&buf);
	assert_ok(text_escape(&buf, BYTES("abc"), 3));
	assert_buf(&buf, "abc");
	buf_release(&buf);
}

static void
test_failed_conversions_leave_the_output(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 6);
	assert_ok(buf_add_text(&buf, "abc"));
	assert_int_equal(text_escape(&buf, BYTES("xx\x01"), 9), HERD_ELIMIT);
	assert_int_equal(text_escape(&buf, BYTES("xxxx"), 2), HERD_ELIMIT);
	assert_int_equal(text_to_utf8(&buf, BYTES("xx\xff")), HERD_ELIMIT);
	assert_int_equal(text_to_terminal(&buf, BYTES("x\x1b")), HERD_ELIMIT);
	assert_int_equal(text_to_base64(&buf, BYTES("xxxx")), HERD_ELIMIT);
	assert_int_equal(
	    text_from_base64(&buf, BYTES("QUJDRA==")), HERD_ELIMIT);
	assert_int_equal(text_from_base64(&buf, BYTES("QUJDR")), HERD_ESYNTAX);
	assert_int_equal(text_to_percent(&buf, BYTES("x%")), HERD_ELIMIT);
	assert_int_equal(text_from_percent(&buf, BYTES("xxxx")), HERD_ELIMIT);
	assert_int_equal(text_from_percent(&buf, BYTES("x%zz")), HERD_ESYNTAX);
	assert_buf(&buf, "abc");
	buf_release(&buf);
}

static void
test_utf8_is_shortest_form_without_surrogates(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = { { "", true }, { "a", true }, { "\xc3\xa9", true },
		{ "\xe2\x82\xac", true }, { "\xf0\x9f\x90\x84", true },
		{ "\xf4\x8f\xbf\xbf", true }, { "\xed\x9f\xbf", true },
		{ "\xee\x80\x80", true }, { "\xe0\xa0\x80", true },
		{ "\xf0\x90\x80\x80", true }, { "\xc2\x80", true },
		{ "\x80", false }, { "\xbf", false }, { "\xc0\x80", false },
		{ "\xc1\xbf", false }, { "\xe0\x9f\xbf", false },
		{ "\xf0\x8f\xbf\xbf", false }, { "\xed\xa0\x80", false },
		{ "\xed\xbf\xbf", false }, { "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false }, { "\xff", false },
		{ "\xc3", false }, { "\xe2\x82", false },
		{ "\xf0\x9f\x90", false }, { "\xc3g", false },
		{ "\xe2\x82g", false }, { "\xf0\x9fg\x84", false },
		{ "ok\xfe", false } };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++)
		assert_int_equal(
		    text_is_utf8(span_from(cases[i].text)), cases[i].valid);
}

/* Every code point, encoded by hand, is valid and comes back as it is. */
static void
test_utf8_takes_every_code_point(void **state HERD_UNUSED)
{
	struct buf buf;
	uint32_t c;
	char t[4];
	size_t n;
	bool valid;

	buf_init(&buf, 16);
	for (c = 0; c < 0x110000; c++) {
		if (c < 0x80) {
			t[0] = (char)c;
			n = 1;
		} else if (c < 0x800) {
			t[0] = (char)(0xc0 | c >> 6);
			t[1] = (char)(0x80 | (c & 0x3f));
			n = 2;
		} else if (c < 0x10000) {
			t[0] = (char)(0xe0 | c >> 12);
			t[1] = (char)(0x80 | (c >> 6 & 0x3f));
			t[2] = (char)(0x80 | (c & 0x3f));
			n = 3;
		} else {
			t[0] = (char)(0xf0 | c >> 18);
			t[1] = (char)(0x80 | (c >> 12 & 0x3f));
			t[2] = (char)(0x80 | (c >> 6 & 0x3f));
			t[3] = (char)(0x80 | (c & 0x3f));
			n = 4;
		}
		valid = c < 0xd800 || c > 0xdfff;
		if (text_is_utf8(span_of(t, n)) != valid)
			fail_msg("U+%04X", c);
		if (!valid)
			continue;
		buf_clear(&buf);
		assert_ok(text_to_utf8(&buf, span_of(t, n)));
		if (!span_equal(buf_span(&buf), span_of(t, n)))
			fail_msg("U+%04X", c);
	}
	buf_release(&buf);
}

static void
test_utf8_last_are_whole_characters(void **state HERD_UNUSED)
{
	struct span text = span_from("a\xc3\xa9\xe2\x82\xacz");

	assert_span(text_utf8_last(text, 0), "");
	assert_span(text_utf8_last(text, 1), "z");
	assert_span(text_utf8_last(text, 2), "\xe2\x82\xacz");
	assert_span(text_utf8_last(text, 3), "\xc3\xa9\xe2\x82\xacz");
	assert_int_equal(text_utf8_last(text, 9).len, text.len);
	assert_int_equal(text_utf8_last(BYTES(""), 2).len, 0);
	assert_int_equal(text_utf8_last(BYTES("\x80\x80"), 1).len, 2);
}

static void
test_utf8_whole_drops_a_cut_character_only(void **state HERD_UNUSED)
{
	const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x9cz";
	static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };

	for (size_t len = 0; len <= strlen(text); len++)
		assert_int_equal(
		    text_utf8_whole(span_of(text, len)).len, whole[len]);
	/* What never was a character is not its business. */
	assert_int_equal(text_utf8_whole(BYTES("a\x80\x80\x80")).len, 4);
	assert_int_equal(text_utf8_whole(BYTES("\x80")).len, 1);
}

static void
test_to_utf8_replaces_each_bad_byte(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 100);
	assert_ok(text_to_utf8(&buf, BYTES("a\xff\xe2\x82z\xc3\xa9")));
	assert_buf(&buf, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xc3\xa9");
	buf_release(&buf);
}

static void
test_terminal_obeys_nothing(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = { { "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\x1b[2J", "\\x1b[2J" }, { "a\tb\n", "a\\x09b\\x0a" },
		{ "\x7f", "\\x7f" }, { "\xc2\x9b", "\\u{009b}" },
		{ "\xc2\xa0", "\xc2\xa0" }, { "\xd8\x9c", "\\u{061c}" },
		{ "\xe2\x80\x8d", "\xe2\x80\x8d" },
		{ "\xe2\x80\x8e", "\\u{200e}" },
		{ "\xe2\x80\x8f", "\\u{200f}" },
		{ "\xe2\x80\xa8", "\\u{2028}" },
		{ "\xe2\x80\xa9", "\\u{2029}" },
		{ "\xe2\x80\xaa", "\\u{202a}" },
		{ "\xe2\x80\xae", "\\u{202e}" },
		{ "\xe2\x80\xaf", "\xe2\x80\xaf" },
		{ "\xe2\x81\xa5", "\xe2\x81\xa5" },
		{ "\xe2\x81\xa6", "\\u{2066}" },
		{ "\xe2\x81\xa9", "\\u{2069}" },
		{ "\xe2\x81\xaa", "\xe2\x81\xaa" }, { "\x9b", "\\x9b" },
		{ "\xff", "\\xff" },
		{ "\xf0\x9f\x90\x84", "\xf0\x9f\x90\x84" } };
	struct buf buf;
	size_t i;

	buf_init(&buf, 100);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&buf);
		assert_ok(text_to_terminal(&buf, span_from(cases[i].text)));
		assert_buf(&buf, cases[i].shown);
	}
	buf_release(&buf);
}

/* Source: RFC 4648, 10. */
static void
test_base64_has_the_vectors_of_its_rfc(void **state HERD_UNUSED)
{
	static const struct {
		const char *bytes;
		const char *text;
	} cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" } };
	struct buf buf;
	size_t i;

	buf_init(&buf, 100);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&buf);
		assert_ok(text_to_base64(&buf, span_from(cases[i].bytes)));
		assert_buf(&buf, cases[i].text);
		buf_clear(&buf);
		assert_ok(text_from_base64(&buf, span_from(cases[i].text)));
		assert_buf(&buf, cases[i].bytes);
	}
	buf_release(&buf);
}

static void
test_base64_takes_one_text_per_value(void **state HERD_UNUSED)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zh==", "Zm9=", "====", "=g==", "Zg==Zg==", "Zm 9",
		"Zm9-", "Z===", "Zm8=Zm8=" };
	struct buf buf;
	size_t i;

	buf_init(&buf, 100);
	for (i = 0; i < HERD_ARRAY_LEN(bad); i++)
		assert_int_equal(
		    text_from_base64(&buf, span_from(bad[i])), HERD_ESYNTAX);
	buf_release(&buf);
}

static void
test_percent_keeps_unreserved_characters(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 100);
	assert_ok(text_to_percent(&buf, BYTES("aZ0-._~ /%\xc3\0")));
	assert_buf(&buf, "aZ0-._~%20%2F%25%C3%00");
	buf_clear(&buf);
	assert_ok(text_from_percent(&buf, BYTES("a%2f%C3+%00")));
	assert_true(span_equal(buf_span(&buf), BYTES("a/\xc3+\0")));
	assert_int_equal(text_from_percent(&buf, BYTES("%")), HERD_ESYNTAX);
	assert_int_equal(text_from_percent(&buf, BYTES("%2")), HERD_ESYNTAX);
	assert_int_equal(text_from_percent(&buf, BYTES("%2g")), HERD_ESYNTAX);
	assert_int_equal(text_from_percent(&buf, BYTES("%g2")), HERD_ESYNTAX);
	buf_release(&buf);
}

static void
test_random_bytes_survive_both_encodings(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("encodings");
	struct buf coded, decoded;
	char bytes[64];
	size_t step, len, i;

	buf_init(&coded, 256);
	buf_init(&decoded, 256);
	for (step = 0; step < 100000; step++) {
		len = unit_below(&random, sizeof(bytes));
		for (i = 0; i < len; i++)
			bytes[i] = (char)unit_next(&random);
		buf_clear(&coded);
		buf_clear(&decoded);
		assert_ok(text_to_base64(&coded, span_of(bytes, len)));
		assert_ok(text_from_base64(&decoded, buf_span(&coded)));
		assert_true(
		    span_equal(buf_span(&decoded), span_of(bytes, len)));
		buf_clear(&coded);
		buf_clear(&decoded);
		assert_ok(text_to_percent(&coded, span_of(bytes, len)));
		assert_ok(text_from_percent(&decoded, buf_span(&coded)));
		assert_true(
		    span_equal(buf_span(&decoded), span_of(bytes, len)));
	}
	buf_release(&coded);
	buf_release(&decoded);
}

static void
test_u64_is_digits_within_its_range(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		enum herd_error error;
		uint64_t value;
	} cases[] = { { "0", 0, 9, HERD_OK, 0 }, { "007", 0, 9, HERD_OK, 7 },
		{ "9", 0, 9, HERD_OK, 9 }, { "10", 0, 9, HERD_ERANGE, 0 },
		{ "0", 1, 9, HERD_ERANGE, 0 },
		{ "18446744073709551615", 0, UINT64_MAX, HERD_OK, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, HERD_ERANGE, 0 },
		{ "99999999999999999999999", 0, UINT64_MAX, HERD_ERANGE, 0 },
		{ "", 0, 9, HERD_ESYNTAX, 0 }, { "+1", 0, 9, HERD_ESYNTAX, 0 },
		{ "-1", 0, 9, HERD_ESYNTAX, 0 },
		{ " 1", 0, 9, HERD_ESYNTAX, 0 },
		{ "1 ", 0, 9, HERD_ESYNTAX, 0 },
		{ "1x", 0, 9, HERD_ESYNTAX, 0 },
		{ "99999999999999999999999x", 0, 9, HERD_ESYNTAX, 0 },
		{ "0x1", 0, 9, HERD_ESYNTAX, 0 } };
	uint64_t value;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		value = 4711;
		assert_int_equal(text_to_u64(span_from(cases[i].text),
				     cases[i].min, cases[i].max, &value),
		    cases[i].error);
		assert_true(value == (cases[i].error == HERD_OK ? cases[i].value
								: 4711));
	}
}

static void
test_distance_counts_edits(void **state HERD_UNUSED)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = { { "", "", 0 }, { "abc", "abc", 0 }, { "abc", "", 3 },
		{ "", "abc", 3 }, { "wokers", "workers", 1 },
		{ "wrokers", "workers", 1 }, { "kitten", "sitting", 3 },
		{ "ca", "abc", 3 }, { "level", "lvl", 2 } };
	char word[100];
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++)
		assert_int_equal(
		    text_distance(span_from(cases[i].a), span_from(cases[i].b)),
		    cases[i].distance);
	memset(word, 'a', sizeof(word));
	assert_int_equal(
	    text_distance(span_of(word, 64), span_of(word, 63)), 1);
	assert_int_equal(
	    text_distance(span_of(word, 65), span_of(word, 65)), 65);
}

static void
test_did_you_mean_finds_the_nearest(void **state HERD_UNUSED)
{
	static const char *const words[] = { "level", "format", "traffic", "on",
		NULL };

	assert_string_equal(
	    text_did_you_mean(span_from("levle"), words), "level");
	assert_string_equal(
	    text_did_you_mean(span_from("fromat"), words), "format");
	assert_string_equal(
	    text_did_you_mean(span_from("level"), words), "level");
	assert_null(text_did_you_mean(span_from("xyzzy"), words));
	assert_null(text_did_you_mean(span_from("x"), words));
	assert_null(text_did_you_mean(span_from("ab"), words));
	assert_null(text_did_you_mean(span_from("lave"), words));
	assert_string_equal(
	    text_did_you_mean(span_from("leve"), words), "level");
	assert_string_equal(text_did_you_mean(span_from("of"), words), "on");
	assert_null(text_did_you_mean(span_from(""), words));
	assert_null(text_did_you_mean(span_from("a"), words + 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_white_space_is_six_bytes),
		cmocka_unit_test(test_next_field_walks_over_runs),
		cmocka_unit_test(test_trim_takes_white_space_off_both_ends),
		cmocka_unit_test(test_escape_shows_printable_ascii_only),
		cmocka_unit_test(test_failed_conversions_leave_the_output),
		cmocka_unit_test(test_utf8_is_shortest_form_without_surrogates),
		cmocka_unit_test(test_utf8_takes_every_code_point),
		cmocka_unit_test(test_utf8_last_are_whole_characters),
		cmocka_unit_test(test_utf8_whole_drops_a_cut_character_only),
		cmocka_unit_test(test_to_utf8_replaces_each_bad_byte),
		cmocka_unit_test(test_terminal_obeys_nothing),
		cmocka_unit_test(test_base64_has_the_vectors_of_its_rfc),
		cmocka_unit_test(test_base64_takes_one_text_per_value),
		cmocka_unit_test(test_percent_keeps_unreserved_characters),
		cmocka_unit_test(test_random_bytes_survive_both_encodings),
		cmocka_unit_test(test_u64_is_digits_within_its_range),
		cmocka_unit_test(test_distance_counts_edits),
		cmocka_unit_test(test_did_you_mean_finds_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
