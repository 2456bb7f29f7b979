/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <math.h>

#include "herd/location.h"
#include "herd/text.h"

static void
test_location_is_two_signed_numbers(void **state HERD_UNUSED)
{
	static const struct {
		const char *text;
		enum herd_error error;
		int64_t lat_nd, lon_nd;
	} cases[] = { { "+34.068930-118.445127", HERD_OK, 34068930000,
			  -118445127000 },
		{ "+12-118", HERD_OK, 12000000000, -118000000000 },
		{ "+6.9-6.9", HERD_OK, 6900000000, -6900000000 },
		{ "+0+0", HERD_OK, 0, 0 }, { "-0-0", HERD_OK, 0, 0 },
		{ "-0.000000001+0.000000001", HERD_OK, -1, 1 },
		{ "+0.0000000019-0.0000000019", HERD_OK, 1, -1 },
		{ "+90+180", HERD_OK, 90000000000, 180000000000 },
		{ "-90-180", HERD_OK, -90000000000, -180000000000 },
		{ "+90.0000000000+180.0000000000", HERD_OK, 90000000000,
		    180000000000 },
		{ "+89.9999999999+179.9999999999", HERD_OK, 89999999999,
		    179999999999 },
		{ "+00000000000000000000034-000000000000000000118", HERD_OK,
		    34000000000, -118000000000 },
		{ "+90.000000001+0", HERD_ERANGE, 0, 0 },
		{ "+90.0000000001+0", HERD_ERANGE, 0, 0 },
		{ "-90.00000000000000000000000000001+0", HERD_ERANGE, 0, 0 },
		{ "+91+0", HERD_ERANGE, 0, 0 }, { "+0+181", HERD_ERANGE, 0, 0 },
		{ "+0-180.0000000000000001", HERD_ERANGE, 0, 0 },
		{ "+0+180.000000001", HERD_ERANGE, 0, 0 },
		{ "+1000000000000000000000000000000+0", HERD_ERANGE, 0, 0 },
		{ "+0+18446744073709551617", HERD_ERANGE, 0, 0 },
		{ "", HERD_ESYNTAX, 0, 0 }, { "+", HERD_ESYNTAX, 0, 0 },
		{ "+34", HERD_ESYNTAX, 0, 0 }, { "+34-", HERD_ESYNTAX, 0, 0 },
		{ "34.068930-118.445127", HERD_ESYNTAX, 0, 0 },
		{ "+34.068930118.445127", HERD_ESYNTAX, 0, 0 },
		{ "++34-118", HERD_ESYNTAX, 0, 0 },
		{ "+34--118", HERD_ESYNTAX, 0, 0 },
		{ "+34+-118", HERD_ESYNTAX, 0, 0 },
		{ "+34.-118.", HERD_ESYNTAX, 0, 0 },
		{ "+.5-.5", HERD_ESYNTAX, 0, 0 },
		{ "+34.5.5-118", HERD_ESYNTAX, 0, 0 },
		{ "+34,5-118", HERD_ESYNTAX, 0, 0 },
		{ "+34,-118", HERD_ESYNTAX, 0, 0 },
		{ "+3e1-118", HERD_ESYNTAX, 0, 0 },
		{ "+nan-118", HERD_ESYNTAX, 0, 0 },
		{ "+inf-118", HERD_ESYNTAX, 0, 0 },
		{ "+0x22-118", HERD_ESYNTAX, 0, 0 },
		{ "+34:04:08-118:26:42", HERD_ESYNTAX, 0, 0 },
		{ "+34.0-118.4/", HERD_ESYNTAX, 0, 0 },
		{ "+34.0-118.4+100", HERD_ESYNTAX, 0, 0 },
		{ "+34.0-118.4x", HERD_ESYNTAX, 0, 0 },
		{ " +34.0-118.4", HERD_ESYNTAX, 0, 0 },
		{ "+34.0-118.4 ", HERD_ESYNTAX, 0, 0 },
		{ "+34.0 -118.4", HERD_ESYNTAX, 0, 0 },
		{ "\xe2\x88\x92"
		  "34-118",
		    HERD_ESYNTAX, 0, 0 },
		{ "+\xd9\xa3\xd9\xa4-118", HERD_ESYNTAX, 0, 0 },
		{ "+91x-118", HERD_ESYNTAX, 0, 0 } };
	struct location location;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		location = (struct location){ 4711, 4712 };
		if (location_parse(span_from(cases[i].text), &location) !=
		    cases[i].error)
			fail_msg("%s", cases[i].text);
		if (cases[i].error != HERD_OK)
			assert_true(
			    location.lat_nd == 4711 && location.lon_nd == 4712);
		else if (location.lat_nd != cases[i].lat_nd ||
			 location.lon_nd != cases[i].lon_nd)
			fail_msg("%s", cases[i].text);
	}
}

/* The rule once more, a byte at a time; digits are compared as text. */
static bool
plain_degrees(const char **at, const char *end, const char *max, bool *beyond,
    int64_t *nd)
{
	const char *p = *at, *whole, *fraction;
	char padded[4] = "000";
	size_t len, i;
	bool negative;

	if (p == end || (*p != '+' && *p != '-'))
		return false;
	negative = *p++ == '-';
	whole = p;
	while (p < end && text_is_digit(*p))
		p++;
	if (p == whole)
		return false;
	while (whole < p && *whole == '0')
		whole++;
	len = (size_t)(p - whole);
	*beyond = len > 3;
	if (!*beyond) {
		memcpy(padded + 3 - len, whole, len);
		*beyond = memcmp(padded, max, 3) > 0;
	}
	*nd = 0;
	for (i = 0; i < 3; i++)
		*nd = *nd * 10 + (padded[i] - '0');
	fraction = p;
	if (p < end && *p == '.') {
		fraction = ++p;
		while (p < end && text_is_digit(*p)) {
			if (*p != '0' && memcmp(padded, max, 3) == 0)
				*beyond = true;
			p++;
		}
		if (p == fraction)
			return false;
	}
	for (i = 0; i < 9; i++)
		*nd = *nd * 10 + (fraction + i < p ? fraction[i] - '0' : 0);
	if (negative)
		*nd = -*nd;
	*at = p;
	return true;
}

static enum herd_error
plain_parse(struct span text, struct location *out)
{
	const char *p = text.data, *end = p + text.len;
	bool lat_beyond, lon_beyond;

	if (!plain_degrees(&p, end, "090", &lat_beyond, &out->lat_nd) ||
	    !plain_degrees(&p, end, "180", &lon_beyond, &out->lon_nd) ||
	    p != end)
		return HERD_ESYNTAX;
	return lat_beyond || lon_beyond ? HERD_ERANGE : HERD_OK;
}

static size_t
random_degrees(struct unit_random *random, char *out)
{
	static const char digits[] = "0000111889990123456789";
	size_t n = 0, whole = 1 + unit_below(random, 4), fraction, i;

	out[n++] = unit_below(random, 2) == 0 ? '+' : '-';
	for (i = 0; i < whole; i++)
		out[n++] = digits[unit_below(random, sizeof(digits) - 1u)];
	fraction = unit_below(random, 14);
	if (fraction > 0)
		out[n++] = '.';
	for (i = 1; i < fraction; i++)
		out[n++] =
		    unit_below(random, 2) == 0
			? '0'
			: digits[unit_below(random, sizeof(digits) - 1u)];
	return n;
}

static void
test_location_agrees_with_the_plain_rule(void **state HERD_UNUSED)
{
	static const char noise[] = "0123456789+-. ,/:x";
	struct unit_random random = unit_random("location");
	struct unit_fence fence = unit_fence_new();
	struct location left = { 0 }, right = { 0 }, plain = { 0 };
	enum herd_error error;
	char text[64];
	size_t step, len, seen[HERD_ESYSTEM + 1] = { 0 };
	struct span span;

	for (step = 0; step < 2000000; step++) {
		len = random_degrees(&random, text);
		len += random_degrees(&random, text + len);
		if (unit_below(&random, 3) == 0)
			text[unit_below(&random, len)] =
			    noise[unit_below(&random, sizeof(noise) - 1u)];
		span = span_of(text, len);
		error = plain_parse(span, &plain);
		seen[error]++;
		if (location_parse(unit_fence_left(&fence, span), &left) !=
			error ||
		    location_parse(unit_fence_right(&fence, span), &right) !=
			error)
			fail_msg("%.*s", (int)len, text);
		if (error == HERD_OK && (left.lat_nd != plain.lat_nd ||
					    left.lon_nd != plain.lon_nd ||
					    right.lat_nd != plain.lat_nd ||
					    right.lon_nd != plain.lon_nd))
			fail_msg("%.*s", (int)len, text);
	}
	assert_true(seen[HERD_OK] > 1000 && seen[HERD_ERANGE] > 1000 &&
		    seen[HERD_ESYNTAX] > 1000);
	unit_fence_free(&fence);
}

static void
test_people_may_type_a_comma(void **state HERD_UNUSED)
{
	static const struct {
		const char *typed;
		const char *text;
	} good[] = { { "34.068930,-118.445127", "+34.068930-118.445127" },
		{ " 34.1,  118.40 ", "+34.1+118.40" },
		{ "-33.86,151.2", "-33.86+151.2" }, { "+1,+2", "+1+2" },
		{ "+34.068930-118.445127", "+34.068930-118.445127" } };
	static const struct {
		const char *typed;
		enum herd_error error;
	} bad[] = { { "", HERD_ESYNTAX }, { ",", HERD_ESYNTAX },
		{ "34.1", HERD_ESYNTAX }, { "34.1 118.4", HERD_ESYNTAX },
		{ "34.1,118,4", HERD_ESYNTAX }, { "34.1,--1", HERD_ESYNTAX },
		{ "91,0", HERD_ERANGE }, { "0,181", HERD_ERANGE },
		{ "x,y", HERD_ESYNTAX }, { "34.1 ,5", HERD_ESYNTAX },
		{ "nan,nan", HERD_ESYNTAX } };
	struct location location;
	struct buf text;
	size_t i;

	buf_init(&text, 24);
	for (i = 0; i < HERD_ARRAY_LEN(good); i++) {
		buf_clear(&text);
		assert_ok(location_from_human(
		    span_from(good[i].typed), &text, &location));
		assert_buf(&text, good[i].text);
	}
	buf_clear(&text);
	for (i = 0; i < HERD_ARRAY_LEN(bad); i++) {
		assert_int_equal(location_from_human(
				     span_from(bad[i].typed), &text, &location),
		    bad[i].error);
		assert_int_equal(text.len, 0);
	}
	assert_int_equal(
	    location_from_human(
		span_from("34.0689300000,-118.4451270000"), &text, &location),
	    HERD_ELIMIT);
	assert_int_equal(text.len, 0);
	buf_release(&text);
}

static struct location
at(double lat, double lon)
{
	return (struct location){ (int64_t)(lat * 1e9), (int64_t)(lon * 1e9) };
}

static bool
is_near(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance;
}

/* Against arcs whose length follows from the radius alone. */
static void
test_distance_is_that_of_the_sphere(void **state HERD_UNUSED)
{
	const double radius = 6371008.8, pi = acos(-1.0);

	assert_true(location_distance_m(at(34, -118), at(34, -118)) == 0.0);
	assert_true(is_near(
	    location_distance_m(at(0, 0), at(0, 1)), radius * pi / 180, 1e-6));
	assert_true(is_near(
	    location_distance_m(at(90, 7), at(-90, 99)), radius * pi, 1e-6));
	assert_true(is_near(
	    location_distance_m(at(0, 0), at(0, 180)), radius * pi, 1e-6));
	assert_true(is_near(location_distance_m(at(0, 179.5), at(0, -179.5)),
	    radius * pi / 180, 1e-3));
	assert_true(is_near(
	    location_distance_m(at(45, 45), at(-45, -135)), radius * pi, 1.0));
	assert_true(is_near(location_lat(at(34.5, -118.25)), 34.5, 1e-12));
	assert_true(is_near(location_lon(at(34.5, -118.25)), -118.25, 1e-12));
}

static void
test_bearing_is_clockwise_from_north(void **state HERD_UNUSED)
{
	assert_true(location_bearing_deg(at(0, 0), at(1, 0)) == 0.0);
	assert_true(
	    is_near(location_bearing_deg(at(0, 0), at(0, 1)), 90, 1e-9));
	assert_true(
	    is_near(location_bearing_deg(at(1, 0), at(0, 0)), 180, 1e-9));
	assert_true(
	    is_near(location_bearing_deg(at(0, 0), at(0, -1)), 270, 1e-9));
	assert_true(location_bearing_deg(at(5, 5), at(5, 5)) == 0.0);
}

static void
test_bearing_is_below_360_always(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("bearing");
	struct location a, b;
	double bearing;
	size_t i;

	for (i = 0; i < 200000; i++) {
		a = (struct location){ (int64_t)unit_below(&random, 180) - 90,
			(int64_t)unit_below(&random, 360) - 180 };
		b = (struct location){ (int64_t)unit_below(&random, 180) - 90,
			(int64_t)unit_below(&random, 3) - 1 };
		bearing = location_bearing_deg(a, b);
		assert_true(bearing >= 0.0 && bearing < 360.0);
		assert_non_null(location_compass(bearing));
	}
}

static void
test_compass_has_sixteen_points(void **state HERD_UNUSED)
{
	assert_string_equal(location_compass(0), "N");
	assert_string_equal(location_compass(11.24), "N");
	assert_string_equal(location_compass(11.26), "NNE");
	assert_string_equal(location_compass(45), "NE");
	assert_string_equal(location_compass(180), "S");
	assert_string_equal(location_compass(270), "W");
	assert_string_equal(location_compass(348.7), "NNW");
	assert_string_equal(location_compass(348.8), "N");
	assert_string_equal(location_compass(359.999999), "N");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_location_is_two_signed_numbers),
		cmocka_unit_test(test_location_agrees_with_the_plain_rule),
		cmocka_unit_test(test_people_may_type_a_comma),
		cmocka_unit_test(test_distance_is_that_of_the_sphere),
		cmocka_unit_test(test_bearing_is_clockwise_from_north),
		cmocka_unit_test(test_bearing_is_below_360_always),
		cmocka_unit_test(test_compass_has_sixteen_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
