/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/text.h"
#include "herd/time.h"

#define NS HERD_NS_PER_S

static void
test_iso_is_read_with_offsets_and_fractions(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		uint64_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", HERD_OK, 0 },
		{ "1970-01-01T00:00Z", HERD_OK, 0 },
		{ "1969-12-31T23:00:00-01:00", HERD_OK, 0 },
		{ "1970-01-01T01:30:00+01:30", HERD_OK, 0 },
		{ "1970-01-01T00:59:59+01:00", HERD_ERANGE, 0 },
		{ "1969-12-31T23:59:59Z", HERD_ERANGE, 0 },
		{ "2026-11-28T10:00Z", HERD_OK, 1795860000 * NS },
		{ "2026-11-28T10:00:00Z", HERD_OK, 1795860000 * NS },
		{ "2026-11-28t10:00:00z", HERD_OK, 1795860000 * NS },
		{ "2026-11-28 10:00:00Z", HERD_OK, 1795860000 * NS },
		{ "2026-11-28T11:00:00+0100", HERD_OK, 1795860000 * NS },
		{ "2026-11-28T04:30:00.5-05:30", HERD_OK,
		    1795860000 * NS + NS / 2 },
		{ "2021-05-19T22:53:47.959498503Z", HERD_OK,
		    UINT64_C(1621464827959498503) },
		{ "2021-05-19T22:53:47.9594985039Z", HERD_OK,
		    UINT64_C(1621464827959498503) },
		{ "2024-02-29T00:00:00Z", HERD_OK, 1709164800 * NS },
		{ "2000-02-29T00:00:00Z", HERD_OK, 951782400 * NS },
		{ "2023-02-29T00:00:00Z", HERD_ERANGE, 0 },
		{ "2100-02-29T00:00:00Z", HERD_ERANGE, 0 },
		{ "2026-13-01T00:00:00Z", HERD_ERANGE, 0 },
		{ "2026-00-01T00:00:00Z", HERD_ERANGE, 0 },
		{ "2026-04-31T00:00:00Z", HERD_ERANGE, 0 },
		{ "2026-01-01T24:00:00Z", HERD_ERANGE, 0 },
		{ "2026-01-01T23:60:00Z", HERD_ERANGE, 0 },
		{ "2026-01-01T23:59:60Z", HERD_ERANGE, 0 },
		{ "2026-01-01T00:00:00+24:00", HERD_ERANGE, 0 },
		{ "2514-05-30T01:53:03.999999999Z", HERD_OK,
		    UINT64_C(17179869183999999999) },
		{ "2514-05-30T01:53:04Z", HERD_ERANGE, 0 },
		{ "9999-12-31T23:59:59Z", HERD_ERANGE, 0 },
		{ "", HERD_ESYNTAX, 0 },
		{ "2026-11-28", HERD_ESYNTAX, 0 },
		{ "2026-11-28T10:00:00", HERD_ESYNTAX, 0 },
		{ "2026-11-28T10:00:00.Z", HERD_ESYNTAX, 0 },
		{ "2026-11-28T10:00:00ZZ", HERD_ESYNTAX, 0 },
		{ "2026-11-28T10:00:00+01", HERD_ESYNTAX, 0 },
		{ "2026-11-28T10Z", HERD_ESYNTAX, 0 },
		{ "26-11-28T10:00:00Z", HERD_ESYNTAX, 0 },
		{ "2026-1-28T10:00:00Z", HERD_ESYNTAX, 0 },
		{ "1621464827.959498503", HERD_ESYNTAX, 0 },
		{ "2026-99-99", HERD_ESYNTAX, 0 },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		uint64_t ns = 7;

		assert_int_equal(time_from_iso(span_from(cases[i].text), &ns),
		    cases[i].error);
		assert_true(
		    ns == (cases[i].error == HERD_OK ? cases[i].ns : 7));
	}
}

/* Each day of the range, and a fraction: written and read back. */
static void
test_iso_is_written_and_read_back(void **state HERD_UNUSED)
{
	static const uint64_t fractions[] = { 0, 1, 500000000, 999999999,
		120000000 };
	char text[TIME_ISO_MAX];

	for (uint64_t day = 0; day < HERD_TIME_MAX_S / 86400u; day++) {
		uint64_t ns = (day * 86400u + day * 7919u % 86400u) * NS +
			      fractions[day % HERD_ARRAY_LEN(fractions)];
		uint64_t back = 0;
		size_t len = time_to_iso(ns, text);

		assert_true(len <= TIME_ISO_MAX);
		assert_int_equal(
		    time_from_iso(span_of(text, len), &back), HERD_OK);
		assert_true(back == ns);
	}
	assert_int_equal(time_to_iso(UINT64_C(1795860000500000000), text), 22);
	assert_memory_equal(text, "2026-11-28T10:00:00.5Z", 22);
}

static void
test_time_is_read_to_the_nanosecond(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		uint64_t ns;
	} cases[] = { { "0", HERD_OK, 0 }, { "1", HERD_OK, NS },
		{ "1621464827.959498503", HERD_OK,
		    UINT64_C(1621464827959498503) },
		{ "1.5", HERD_OK, 1500000000 },
		{ "1.000000001", HERD_OK, NS + 1 },
		{ "1.0000000019", HERD_OK, NS + 1 },
		{ "00000000000000000000000000000001", HERD_OK, NS },
		{ "000000000000000000000000000000001", HERD_ERANGE, 0 },
		{ "0.123456789012345678901234567890", HERD_OK, 123456789 },
		{ "0.1234567890123456789012345678901", HERD_ERANGE, 0 },
		{ "17179869183", HERD_OK, UINT64_C(17179869183) * NS },
		{ "17179869183.999999999", HERD_OK,
		    UINT64_C(17179869183999999999) },
		{ "17179869184", HERD_ERANGE, 0 },
		{ "17179869184.0", HERD_ERANGE, 0 },
		{ "99999999999999999999999999999999", HERD_ERANGE, 0 },
		{ "", HERD_ESYNTAX, 0 }, { ".", HERD_ESYNTAX, 0 },
		{ "1.", HERD_ESYNTAX, 0 }, { ".5", HERD_ESYNTAX, 0 },
		{ "+1", HERD_ESYNTAX, 0 }, { "-1", HERD_ESYNTAX, 0 },
		{ "1e3", HERD_ESYNTAX, 0 }, { "1.5.5", HERD_ESYNTAX, 0 },
		{ "1 ", HERD_ESYNTAX, 0 }, { " 1", HERD_ESYNTAX, 0 },
		{ "1,5", HERD_ESYNTAX, 0 }, { "0x10", HERD_ESYNTAX, 0 },
		{ "nan", HERD_ESYNTAX, 0 }, { "inf", HERD_ESYNTAX, 0 },
		{ "12345678:", HERD_ESYNTAX, 0 }, { "1/", HERD_ESYNTAX, 0 },
		{ "1\xd9\xa1", HERD_ESYNTAX, 0 },
		{ "1.123456789x", HERD_ESYNTAX, 0 } };
	uint64_t ns;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		ns = 4711;
		if (time_parse(span_from(cases[i].text), &ns) != cases[i].error)
			fail_msg("%s", cases[i].text);
		assert_true(
		    ns == (cases[i].error == HERD_OK ? cases[i].ns : 4711));
	}
}

/* The rule once more, a byte at a time. */
static enum herd_error
plain_time_parse(struct span text, uint64_t *ns)
{
	uint64_t whole = 0, fraction = 0, unit = NS;
	size_t i = 0, point;

	if (text.len > HERD_TIME_TEXT_MAX)
		return HERD_ERANGE;
	for (; i < text.len && text_is_digit(text.data[i]); i++)
		if (whole < HERD_TIME_MAX_S)
			whole = whole * 10 + (uint64_t)(text.data[i] - '0');
	if (i == 0)
		return HERD_ESYNTAX;
	if (i < text.len && text.data[i] == '.') {
		point = i++;
		for (; i < text.len && text_is_digit(text.data[i]); i++) {
			unit /= 10;
			fraction += unit * (uint64_t)(text.data[i] - '0');
		}
		if (i == point + 1u)
			return HERD_ESYNTAX;
	}
	if (i != text.len)
		return HERD_ESYNTAX;
	if (whole >= HERD_TIME_MAX_S)
		return HERD_ERANGE;
	*ns = whole * NS + fraction;
	return HERD_OK;
}

static void
test_time_agrees_with_the_plain_rule(void **state HERD_UNUSED)
{
	static const char alphabet[] = "00112233445566778899....+-/: x";
	struct unit_random random = unit_random("time");
	struct unit_fence fence = unit_fence_new();
	uint64_t left = 0, right = 0, plain = 0;
	enum herd_error error;
	char text[40];
	size_t step, len, i, letters;

	for (step = 0; step < 2000000; step++) {
		len = unit_below(&random, 36);
		letters = unit_below(&random, 4) > 0 ? 24 : 30;
		for (i = 0; i < len; i++)
			text[i] = alphabet[unit_below(&random, letters)];
		error = plain_time_parse(span_of(text, len), &plain);
		if (time_parse(unit_fence_left(&fence, span_of(text, len)),
			&left) != error ||
		    time_parse(unit_fence_right(&fence, span_of(text, len)),
			&right) != error ||
		    (error == HERD_OK && (left != plain || right != plain)))
			fail_msg("%.*s", (int)len, text);
	}
	unit_fence_free(&fence);
}

static void
test_time_and_skew_survive_the_round_trip(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("round trip");
	uint64_t max = HERD_TIME_MAX_S * NS, sent, received, back;
	char text[TIME_FORMAT_MAX], skew_text[SKEW_FORMAT_MAX];
	struct skew skew;
	size_t step, len;

	for (step = 0; step < 5000000; step++) {
		/* Of every magnitude. */
		sent = (unit_next(&random) >> unit_below(&random, 64)) % max;
		received =
		    (unit_next(&random) >> unit_below(&random, 64)) % max;
		len = time_format(sent, text);
		if (time_parse(span_of(text, len), &back) != HERD_OK ||
		    back != sent)
			fail_msg("%llu", (unsigned long long)sent);
		len = skew_format(received, sent, skew_text);
		if (skew_parse(span_of(skew_text, len), &skew) != HERD_OK ||
		    skew_apply(sent, skew) != received)
			fail_msg("%llu %llu", (unsigned long long)received,
			    (unsigned long long)sent);
	}
}

static void
test_time_is_written_with_nine_decimals(void **state HERD_UNUSED)
{
	char text[TIME_FORMAT_MAX];

	assert_span(span_of(text, time_format(0, text)), "0.000000000");
	assert_span(span_of(text, time_format(1, text)), "0.000000001");
	assert_span(
	    span_of(text, time_format(UINT64_C(1621464827959498503), text)),
	    "1621464827.959498503");
	assert_span(span_of(text, time_format(UINT64_MAX, text)),
	    "18446744073.709551615");
}

static void
test_skew_has_a_sign_always(void **state HERD_UNUSED)
{
	char text[SKEW_FORMAT_MAX];

	assert_span(span_of(text, skew_format(5, 5, text)), "+0.000000000");
	assert_span(span_of(text, skew_format(UINT64_C(1621464828223371889),
				      UINT64_C(1621464827959498503), text)),
	    "+0.263873386");
	assert_span(span_of(text, skew_format(0, 1, text)), "-0.000000001");
	assert_span(span_of(text, skew_format(0, UINT64_MAX, text)),
	    "-18446744073.709551615");
}

static void
test_skew_is_read_only_as_it_is_written(void **state HERD_UNUSED)
{
	static const char *const bad[] = { "", "+", "0.263873386",
		"+.263873386", "+0.26387338", "+0.2638733861", "+0",
		"+0,263873386", "+00.263873386", "+01.263873386",
		"-0.000000000", "+0.26387338x", "+x.263873386", "+-0.263873386",
		"++0.26387338", " +0.26387338", "+0.263873386 ", "*0.263873386",
		"+1e.000000000" };
	struct skew skew = { true, 4711 };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(bad); i++)
		if (skew_parse(span_from(bad[i]), &skew) != HERD_ESYNTAX)
			fail_msg("%s", bad[i]);
	assert_int_equal(skew_parse(span_from("+17179869184.000000000"), &skew),
	    HERD_ERANGE);
	assert_true(skew.negative && skew.ns == 4711);
	assert_ok(skew_parse(span_from("-17179869183.999999999"), &skew));
	assert_true(skew.negative);
	assert_true(skew.ns == UINT64_C(17179869183999999999));
	assert_ok(skew_parse(span_from("+0.000000000"), &skew));
	assert_true(!skew.negative && skew.ns == 0);
}

static void
test_skew_stops_at_both_ends(void **state HERD_UNUSED)
{
	assert_true(skew_apply(5, (struct skew){ true, 6 }) == 0);
	assert_true(skew_apply(5, (struct skew){ true, 5 }) == 0);
	assert_true(skew_apply(5, (struct skew){ true, 4 }) == 1);
	assert_true(skew_apply(UINT64_MAX - 1u, (struct skew){ false, 1 }) ==
		    UINT64_MAX);
	assert_true(
	    skew_apply(UINT64_MAX, (struct skew){ false, 1 }) == UINT64_MAX);
}

static void
test_mono_saturates(void **state HERD_UNUSED)
{
	struct mono early = { 10 }, late = { 30 };

	assert_true(mono_since(late, early) == 20);
	assert_true(mono_since(early, late) == 0);
	assert_true(mono_add(early, 5).ns == 15);
	assert_true(mono_add(early, UINT64_MAX).ns == UINT64_MAX);
}

static void
test_duration_adds_its_parts(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		uint64_t ns;
	} cases[] = { { "0", HERD_OK, 0 }, { "0s", HERD_OK, 0 },
		{ "24h", HERD_OK, 86400 * NS },
		{ "1d12h", HERD_OK, 129600 * NS }, { "90s", HERD_OK, 90 * NS },
		{ "1.5s", HERD_OK, 1500000000 },
		{ "200ms", HERD_OK, 200000000 }, { "50us", HERD_OK, 50000 },
		{ "7ns", HERD_OK, 7 }, { "1m30s", HERD_OK, 90 * NS },
		{ "0.5d", HERD_OK, 43200 * NS }, { "0.000000001s", HERD_OK, 1 },
		{ "0.999999999d", HERD_OK, UINT64_C(86399999913600) },
		{ "1d2h3m4s5ms6us7ns", HERD_OK, UINT64_C(93784005006007) },
		{ "18446744073709551615ns", HERD_OK, UINT64_MAX },
		{ "18446744073709551616ns", HERD_ERANGE, 0 },
		{ "99999999999999999999ns", HERD_ERANGE, 0 },
		{ "213504d", HERD_ERANGE, 0 },
		{ "213503d23h59m", HERD_ERANGE, 0 },
		{ "213503d", HERD_OK, UINT64_C(213503) * 86400 * NS },
		{ "213503.99d", HERD_ERANGE, 0 }, { "", HERD_ESYNTAX, 0 },
		{ "1", HERD_ESYNTAX, 0 }, { "00", HERD_ESYNTAX, 0 },
		{ "10", HERD_ESYNTAX, 0 }, { "s", HERD_ESYNTAX, 0 },
		{ "1.s", HERD_ESYNTAX, 0 }, { ".5s", HERD_ESYNTAX, 0 },
		{ "-1s", HERD_ESYNTAX, 0 }, { "+1s", HERD_ESYNTAX, 0 },
		{ "1 s", HERD_ESYNTAX, 0 }, { "1S", HERD_ESYNTAX, 0 },
		{ "1sec", HERD_ESYNTAX, 0 }, { "1s1s", HERD_ESYNTAX, 0 },
		{ "5s1h", HERD_ESYNTAX, 0 }, { "1w", HERD_ESYNTAX, 0 },
		{ "1y", HERD_ESYNTAX, 0 }, { "1h30", HERD_ESYNTAX, 0 },
		{ "0.5ns", HERD_ESYNTAX, 0 }, { "1.0ns", HERD_OK, 1 },
		{ "0.0000000001s", HERD_ESYNTAX, 0 },
		{ "1.5.5s", HERD_ESYNTAX, 0 }, { "1h ", HERD_ESYNTAX, 0 } };
	uint64_t ns;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		ns = 4711;
		if (duration_parse(span_from(cases[i].text), &ns) !=
		    cases[i].error)
			fail_msg("%s", cases[i].text);
		if (ns != (cases[i].error == HERD_OK ? cases[i].ns : 4711))
			fail_msg("%s", cases[i].text);
	}
}

static void
test_duration_is_written_short_and_exact(void **state HERD_UNUSED)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = { { 0, "0" }, { 1, "1ns" }, { 999, "999ns" },
		{ 1000, "1us" }, { 1500, "1.5us" }, { 50000, "50us" },
		{ 200000000, "200ms" }, { 1500000, "1.5ms" },
		{ 1500000000, "1.5s" }, { NS, "1s" }, { 59 * NS, "59s" },
		{ 60 * NS, "1m" }, { 90 * NS, "1m30s" }, { 3600 * NS, "1h" },
		{ 86400 * NS, "24h" }, { 129600 * NS, "36h" },
		{ 172800 * NS, "2d" }, { 180000 * NS, "2d2h" },
		{ 3660 * NS, "1h1m" }, { 3600 * NS + 1, "1h1ns" },
		{ 86400 * NS + 1500000000, "24h1.5s" },
		{ NS + 1, "1.000000001s" } };
	struct buf buf;
	size_t i;

	buf_init(&buf, 64);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&buf);
		assert_ok(duration_format(&buf, cases[i].ns));
		assert_buf(&buf, cases[i].text);
	}
	buf_release(&buf);
	buf_init(&buf, 2);
	assert_int_equal(duration_format(&buf, 90 * NS), HERD_ELIMIT);
	assert_int_equal(duration_for_people(&buf, 90 * NS), HERD_ELIMIT);
	assert_int_equal(buf.len, 0);
	buf_release(&buf);
}

static void
test_durations_survive_the_round_trip(void **state HERD_UNUSED)
{
	static const uint64_t units[] = { 1, 1000, 1000000, NS, 60 * NS,
		3600 * NS, 86400 * NS };
	struct unit_random random = unit_random("durations");
	uint64_t ns, back, unit;
	struct buf buf;
	size_t step;

	buf_init(&buf, 64);
	for (step = 0; step < 500000; step++) {
		unit = units[unit_below(&random, HERD_ARRAY_LEN(units))];
		ns = unit_next(&random) >> unit_below(&random, 64);
		ns = ns / unit * unit;
		buf_clear(&buf);
		assert_ok(duration_format(&buf, ns));
		if (duration_parse(buf_span(&buf), &back) != HERD_OK ||
		    back != ns)
			fail_msg("%llu", (unsigned long long)ns);
	}
	buf_release(&buf);
}

static void
test_people_read_two_units_at_most(void **state HERD_UNUSED)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = { { 0, "0ms" }, { 999, "0ms" }, { 1000, "1us" },
		{ 29999, "29us" }, { 99999, "99us" }, { 100000, "0.1ms" },
		{ 400000, "0.4ms" }, { 1000000, "1ms" }, { 9990000, "9.9ms" },
		{ 12700000, "12ms" }, { 999999999, "999ms" }, { NS, "1s" },
		{ 1290000000, "1.2s" }, { 41 * NS + 5, "41s" },
		{ 60 * NS, "1m" }, { 61 * NS, "1m 1s" }, { 3600 * NS, "1h" },
		{ 3660 * NS + 59 * NS, "1h 1m" },
		{ (3 * 86400 + 4 * 3600 + 59) * NS, "3d 4h" },
		{ 86400 * NS + 59 * NS, "1d" } };
	struct buf buf;
	size_t i;

	buf_init(&buf, 64);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&buf);
		assert_ok(duration_for_people(&buf, cases[i].ns));
		assert_buf(&buf, cases[i].text);
	}
	buf_release(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso_is_read_with_offsets_and_fractions),
		cmocka_unit_test(test_iso_is_written_and_read_back),
		cmocka_unit_test(test_time_is_read_to_the_nanosecond),
		cmocka_unit_test(test_time_agrees_with_the_plain_rule),
		cmocka_unit_test(test_time_and_skew_survive_the_round_trip),
		cmocka_unit_test(test_time_is_written_with_nine_decimals),
		cmocka_unit_test(test_skew_has_a_sign_always),
		cmocka_unit_test(test_skew_is_read_only_as_it_is_written),
		cmocka_unit_test(test_skew_stops_at_both_ends),
		cmocka_unit_test(test_mono_saturates),
		cmocka_unit_test(test_duration_adds_its_parts),
		cmocka_unit_test(test_duration_is_written_short_and_exact),
		cmocka_unit_test(test_durations_survive_the_round_trip),
		cmocka_unit_test(test_people_read_two_units_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
