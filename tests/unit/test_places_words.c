/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words about places: opening hours, time zones, folded names, the types of
 * each source, streets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "herd/opening_hours.h"
#include "herd/place_types.h"
#include "herd/street.h"
#include "herd/text_fold.h"
#include "places/time_zone.h"

enum { MO, TU, WE, TH, FR, SA, SU };
#define AT(h, m) ((h)*60 + (m))

#define OFFICE "Mo-Fr 08:00-12:00,13:00-18:00; Sa 9:30-14:00"
#define BAR "Tu-Su 18:00-02:00"
static const struct {
	const char *text;
	unsigned day;
	unsigned minute;
	enum opening_state expected;
} OPENINGS[] = {
	{ "24/7", SU, AT(3, 0), OPENING_OPEN },
	{ OFFICE, MO, AT(8, 0), OPENING_OPEN },
	{ OFFICE, MO, AT(7, 59), OPENING_CLOSED },
	{ OFFICE, MO, AT(12, 0), OPENING_CLOSED },
	{ OFFICE, FR, AT(17, 59), OPENING_OPEN },
	{ OFFICE, SA, AT(9, 30), OPENING_OPEN },
	{ OFFICE, SA, AT(17, 0), OPENING_CLOSED },
	{ OFFICE, SU, AT(10, 0), OPENING_CLOSED },
	{ BAR, TU, AT(18, 0), OPENING_OPEN },
	{ BAR, WE, AT(1, 59), OPENING_OPEN },
	{ BAR, WE, AT(2, 0), OPENING_CLOSED },
	{ BAR, TU, AT(1, 0), OPENING_CLOSED }, /* Monday is closed */
	{ BAR, MO, AT(1, 0), OPENING_OPEN },   /* of Sunday's night */
	{ "08:00-20:00", SU, AT(9, 0), OPENING_OPEN },
	{ "Mo-Su 08:00-20:00; Su off", SU, AT(9, 0), OPENING_CLOSED },
	{ "Sa-Mo 10:00-11:00", SU, AT(10, 30), OPENING_OPEN },
	{ "Sa-Mo 10:00-11:00", TU, AT(10, 30), OPENING_CLOSED },
	{ "Mo 20:00-26:00", TU, AT(1, 0), OPENING_OPEN },
	{ "Mo-Fr 08:00-18:00;", MO, AT(9, 0), OPENING_OPEN },
	/* On a holiday it would be closed, but closed it is anyway. */
	{ "Mo-Fr 08:00-18:00; PH off", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo-Fr 08:00-18:00; PH off", MO, AT(7, 0), OPENING_CLOSED },
	{ "Mo-Fr 08:00-18:00; PH 10:00-12:00", MO, AT(7, 0), OPENING_UNKNOWN },
	/* beyond a week */
	{ "Apr-Oct: Mo-Fr 08:00-18:00", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "sunrise-sunset", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo-Fr 08:00+", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo[1] 08:00-10:00", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo-Fr 08:00-18:00 \"by appointment\"", MO, AT(9, 0),
	    OPENING_UNKNOWN },
	{ "Mo-Fr 08:61-18:00", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo-Fr 8-18", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "Mo-", MO, AT(9, 0), OPENING_UNKNOWN },
	{ ",", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "", MO, AT(9, 0), OPENING_UNKNOWN },
	{ "1:00-2:00,1:00-2:00,1:00-2:00,1:00-2:00,1:00-2:00,1:00-2:00,"
	  "1:00-2:00,1:00-2:00,1:00-2:00",
	    MO, AT(1, 0), OPENING_UNKNOWN },
};

static void
test_opening_hours_of_a_week(void **state HERD_UNUSED)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(OPENINGS); i++) {
		enum opening_state got =
		    opening_hours_at(span_from(OPENINGS[i].text),
			OPENINGS[i].day, OPENINGS[i].minute);

		if (got != OPENINGS[i].expected)
			fail_msg("%s, day %u minute %u: %d", OPENINGS[i].text,
			    OPENINGS[i].day, OPENINGS[i].minute, (int)got);
	}
	assert_true(opening_hours_are_always(span_from(" 24/7 ")));
	assert_false(opening_hours_are_always(span_from(OFFICE)));
}

/* Every beginning of a text is judged without reading beyond it. */
static void
test_opening_hours_survive_any_cut(void **state HERD_UNUSED)
{
	static const char text[] =
	    "Mo-Fr,Su 08:00-12:00,13:00-26:00; PH,SH off";

	for (size_t len = 0; len < sizeof(text); len++) {
		char copy[sizeof(text)];

		memcpy(copy, text, len);
		(void)opening_hours_at(span_of(copy, len), MO, 600);
	}
}

static void
test_time_zone_knows_summer_and_its_end(void **state HERD_UNUSED)
{
	struct buf zone;
	struct buf cut;
	int32_t east = 0;

	buf_init(&zone, TIME_ZONE_MAX);
	if (time_zone_read("Europe/Berlin", &zone) != HERD_OK)
		skip(); /* a machine without tzdata */
	assert_true(time_zone_offset(buf_span(&zone), 1784116800, &east));
	assert_int_equal(east, 7200); /* 2026-07-15 */
	assert_true(time_zone_offset(buf_span(&zone), 1768478400, &east));
	assert_int_equal(east, 3600); /* 2026-01-15 */
	/* The file's table ends; what comes then only a rule says. */
	assert_false(time_zone_offset(buf_span(&zone), 5000000000, &east));
	buf_init(&cut, TIME_ZONE_MAX);
	for (size_t len = 0; len < zone.len; len++) {
		assert_int_equal(
		    buf_set(&cut, buf_span(&zone).data, len), HERD_OK);
		(void)time_zone_offset(buf_span(&cut), 1784116800, &east);
	}
	buf_clear(&zone);
	assert_int_equal(time_zone_read("UTC", &zone), HERD_OK);
	assert_true(time_zone_offset(buf_span(&zone), 5000000000, &east));
	assert_int_equal(east, 0);
	buf_release(&cut);
	buf_release(&zone);
}

static void
test_time_zone_names_stay_in_their_folder(void **state HERD_UNUSED)
{
	static const char *const names[] = { "", "/etc/passwd", "../passwd",
		"Europe/../../../etc/passwd", "Nowhere/Land", "zone.tab" };
	struct buf zone;

	buf_init(&zone, TIME_ZONE_MAX);
	for (size_t i = 0; i < HERD_ARRAY_LEN(names); i++)
		assert_int_not_equal(time_zone_read(names[i], &zone), HERD_OK);
	buf_release(&zone);
}

static void
test_fold_minds_neither_case_nor_accents(void **state HERD_UNUSED)
{
	static const char *const cases[][2] = {
		{ "CAFÉ", "cafe" },
		{ "Cafe\xcc\x81", "cafe" }, /* the accent of its own */
		{ "Straße", "strasse" },
		{ "ŁÓDŹ Åre Œuvre Þing", "lodz are oeuvre thing" },
		{ "Phở Việt", "pho viet" },
		{ "ΑΘΉΝΑΣ", "αθηνασ" },
		{ "ΣΟΦΙΑς", "σοφιασ" },
		{ "МОСКВА Ёлка", "москва елка" },
		{ "東京", "東京" },
		{ "a\xff"
		  "B",
		    "a\xff"
		    "b" },
		{ "", "" },
	};
	struct buf out;

	buf_init(&out, 256);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		assert_int_equal(
		    text_fold(&out, span_from(cases[i][0])), HERD_OK);
		if (!span_is(buf_span(&out), cases[i][1]))
			fail_msg("%s: " SPAN_FMT, cases[i][0],
			    SPAN_ARG(buf_span(&out)));
	}
	buf_release(&out);
}

static void
test_labels_of_each_source_have_types(void **state HERD_UNUSED)
{
	static const char *const cases[][2] = {
		{ "coffee_shop", "cafe" },
		{ "thai_restaurant", "restaurant" },
		{ "sports_bar", "bar" },
		{ "elementary_school", "school" },
		{ "shoe_store", "shoe_store" },
		{ "toy_store", "store" },
		{ "Dining and Drinking > Bar > Sports Bar", "bar" },
		{ "Retail > Food and Beverage Retail > Grocery Store",
		    "supermarket" },
		{ "[\"Dining and Drinking > Café\", \"Retail > Bookstore\"]",
		    "cafe" },
		{ "[Dining and Drinking > Cafe, Coffee, and Tea House > Café, "
		  "Retail > Bookstore]",
		    "cafe" },
		{ "Health and Medicine > Dentist", "dentist" },
		{ "Dining and Drinking > Something New", "restaurant" },
		{ "Unheard of", NULL },
		{ ">", NULL },
		{ "\"", NULL },
		{ "", NULL },
	};
	struct span types[PLACE_TYPES_MAX];
	struct buf scratch;

	buf_init(&scratch, 1024);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		size_t count = place_types_of_label(
		    span_from(cases[i][0]), &scratch, types);

		if (cases[i][1] == NULL
			? count != 0
			: count == 0 || !span_is(types[0], cases[i][1]))
			fail_msg("%s: %zu", cases[i][0], count);
	}
	buf_release(&scratch);
}

static void
test_street_is_in_the_countrys_order(void **state HERD_UNUSED)
{
	static const char *const cases[][4] = {
		{ "DE", "Weg", "3", "Weg 3" },
		{ "US", "Main St", "3", "3 Main St" },
		{ "", "Weg", "3", "Weg 3" },
		{ "GB", "High Street", "", "High Street" },
		{ "GB", "", "3", "" },
	};
	struct buf out;

	buf_init(&out, 64);
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		assert_int_equal(
		    street_format(&out, span_from(cases[i][0]),
			span_from(cases[i][1]), span_from(cases[i][2])),
		    HERD_OK);
		assert_true(span_is(buf_span(&out), cases[i][3]));
	}
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opening_hours_of_a_week),
		cmocka_unit_test(test_opening_hours_survive_any_cut),
		cmocka_unit_test(test_time_zone_knows_summer_and_its_end),
		cmocka_unit_test(test_time_zone_names_stay_in_their_folder),
		cmocka_unit_test(test_fold_minds_neither_case_nor_accents),
		cmocka_unit_test(test_labels_of_each_source_have_types),
		cmocka_unit_test(test_street_is_in_the_countrys_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
