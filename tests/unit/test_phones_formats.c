/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the apps send, as files of their recorded shapes (the people are made
 * up), and the numbers in it.
 */
#include "unit.h"

#include "herd/file.h"
#include "herd/location.h"
#include "herd/text.h"
#include "phones/overland.h"
#include "phones/owntracks.h"
#include "phones/query_form.h"
#include "phones/traccar.h"

#define DATA "tests/unit/data/phones/"
#define FILE_MAX (1u << 20)
#define NOW_NS (UINT64_C(1700000099) * HERD_NS_PER_S + 987654321u)

/* --- numbers ---------------------------------------------------------------
 */

static void
assert_decimal(const char *number, int shift, const char *want)
{
	char out[DECIMAL_MAX];
	size_t len = decimal_write(span_from(number), shift, out);

	assert_span(span_of(out, len), want);
}

static void
test_a_number_keeps_its_digits(void **state HERD_UNUSED)
{
	static const struct {
		const char *number;
		int shift;
		const char *want;
	} rows[] = {
		{ "48.856826", 0, "48.856826" },
		{ "-0.0", 0, "-0.0" },
		{ "+7", 0, "7" },
		{ "0", 0, "0" },
		{ "5.0E-4", 0, "0.00050" },
		{ "-5.0e-4", 0, "-0.00050" },
		{ "1.25e1", 0, "12.5" },
		{ "1.5e+3", 0, "1500" },
		{ "0.05e2", 0, "5" },
		{ "0.005e2", 0, "0.5" },
		{ "12E0", 0, "12" },
		{ ".5", 0, "0.5" },
		{ "5.", 0, "5" },
		{ "1700000000123", -3, "1700000000.123" },
		{ "1.700000000123E12", -3, "1700000000.123" },
		{ "1700000000123.25", -3, "1700000000.12325" },
		{ "5", -3, "0.005" },
		{ "", 0, "" },
		{ "-", 0, "" },
		{ ".", 0, "" },
		{ "e5", 0, "" },
		{ "1e", 0, "" },
		{ "1e+", 0, "" },
		{ "1e1.5", 0, "" },
		{ "1 ", 0, "" },
		{ "0x10", 0, "" },
		{ "nan", 0, "" },
		{ "Infinity", 0, "" },
		{ "48,85", 0, "" },
		{ "1e401", 0, "" },
		{ "1e99", 0, "" },
		{ "1e-99", 0, "" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(rows); i++)
		assert_decimal(rows[i].number, rows[i].shift, rows[i].want);
}

/* Both ends of the room, and one digit beyond. */
static void
test_a_number_has_at_most_64_characters(void **state HERD_UNUSED)
{
	char digits[DECIMAL_MAX + 2];
	char out[DECIMAL_MAX];

	memset(digits, '7', sizeof(digits));
	assert_int_equal(
	    decimal_write(span_of(digits, DECIMAL_MAX), 0, out), DECIMAL_MAX);
	assert_int_equal(
	    decimal_write(span_of(digits, DECIMAL_MAX + 1), 0, out), 0);
	digits[0] = '-';
	assert_int_equal(
	    decimal_write(span_of(digits, DECIMAL_MAX + 1), 0, out), 0);
	assert_int_equal(
	    decimal_write(span_of(digits, DECIMAL_MAX), 0, out), DECIMAL_MAX);
}

/* The value is the same as that of a double, as far as one knows it. */
static void
test_random_numbers_keep_their_value(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random(__func__);

	for (unsigned i = 0; i < 20000; i++) {
		char text[64], out[DECIMAL_MAX + 1];
		int exponent = (int)unit_below(&random, 24) - 12;
		size_t len;

		snprintf(text, sizeof(text), "%s%llu.%0*llue%d",
		    unit_below(&random, 2) ? "-" : "",
		    (unsigned long long)unit_below(&random, 100000),
		    (int)unit_below(&random, 6) + 1,
		    (unsigned long long)unit_below(&random, 10), exponent);
		len = decimal_write(span_from(text), 0, out);
		assert_int_not_equal(len, 0);
		out[len] = '\0';
		if (strtod(text, NULL) != strtod(out, NULL))
			fail_msg("%s became %s", text, out);
	}
}

/* --- times -----------------------------------------------------------------
 */

static void
assert_time(const char *time, const char *want)
{
	const struct fix_source source = { .lat = span_from("1"),
		.lon = span_from("2"),
		.time = span_from(time) };
	struct intake intake;

	intake_init(&intake, (struct wall){ NOW_NS });
	intake_add(&intake, &source);
	assert_int_equal(intake.count, want[0] != '\0');
	assert_int_equal(intake.faults[INTAKE_TIME], want[0] == '\0');
	if (intake.count > 0)
		assert_span(
		    span_of(intake.fixes[0].time, intake.fixes[0].time_len),
		    want);
	intake_release(&intake);
}

static void
test_times_of_all_forms(void **state HERD_UNUSED)
{
	static const char *const rows[][2] = {
		{ "1700000000", "1700000000" },
		{ "1700000000.25", "1700000000.25" },
		{ "1.7E9", "1700000000" },
		{ "1.700000000123E12", "1700000000.123" },
		{ "1700000000123", "1700000000.123" },
		{ " 1700000000\n", "1700000000" },
		{ "17179869183", "17179869183" },
		{ "17179869184", "" },
		{ "99999999999", "" },
		{ "0", "0" },
		{ "-1", "" },
		{ "2023-11-14T22:13:20Z", "1700000000.000" },
		{ "2023-11-14T22:13:20.1239Z", "1700000000.123" },
		{ "2023-11-14T22:13:20", "1700000000.000" },
		{ "2023-11-14 22:13:20", "1700000000.000" },
		{ "2023-11-14T15:13:20-0700", "1700000000.000" },
		{ "2023-11-15T00:13:20 02:00", "1700000000.000" },
		{ "2023-02-30T00:00:00Z", "" },
		{ "1969-12-31T23:59:59Z", "" },
		{ "yesterday", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(rows); i++)
		assert_time(rows[i][0], rows[i][1]);
}

/* --- files -----------------------------------------------------------------
 */

static void
read_query(struct span body, struct intake *intake)
{
	query_form_read(body, span_from(""), intake);
}

static void
read_query_body(struct span body, struct intake *intake)
{
	query_form_read(span_from("x=1"), body, intake);
}

/* What is in a file: "claim: location time, location time; fault=1" */
struct recorded {
	void (*read)(struct span body, struct intake *intake);
	const char *file;
	const char *want;
};

static const struct recorded RECORDED[] = {
	{ owntracks_read, "owntracks-android.json",
	    "phone: +48.856826+2.292713 1700000000" },
	{ owntracks_read, "owntracks-ios.json",
	    "iPhone: +52.5200066+13.404954 1700000001" },
	{ owntracks_read, "owntracks-greenwich.json",
	    ": +51.477811-0.00050 1700000002" },
	{ owntracks_read, "owntracks-texts.json", ": +0.00050-0.0 1700000003" },
	{ owntracks_read, "owntracks-bom.json", ": +1.50-2.250 1700000004" },
	{ owntracks_read, "owntracks-array.json",
	    ": +1+2 1700000000, +3+4 1700000001" },
	{ owntracks_read, "owntracks-transition.json", ":" },
	{ owntracks_read, "owntracks-waypoints.json", ":" },
	{ owntracks_read, "owntracks-status.json", ":" },
	{ owntracks_read, "owntracks-card.json", ":" },
	{ owntracks_read, "owntracks-lwt.json", ":" },
	{ owntracks_read, "owntracks-empty.json", ":" },
	{ owntracks_read, "owntracks-encrypted.json", ":; encrypted=1" },
	{ owntracks_read, "owntracks-null.json", ":; location=1" },
	{ owntracks_read, "owntracks-no-time.json", ":; time=1" },
	{ owntracks_read, "owntracks-cut.json", ":; format=1" },
	{ traccar_read, "traccar-one.json",
	    "82879256: +52.5200066-0.1276474 1756381906.587" },
	{ traccar_read, "traccar-array.json",
	    "82879256: +1.5+2.5 1756381906.587, +1.25+2.75 1756381907.000" },
	{ traccar_read, "traccar-number-time.json",
	    "a-b: +1.5+2.5 1700000000.123" },
	{ traccar_read, "traccar-empty.json", "82879256:" },
	{ traccar_read, "traccar-none.json", "82879256:; location=1" },
	{ traccar_read, "owntracks-cut.json", ":; format=1" },
	{ overland_read, "overland-batch.json",
	    "jane's phone: +37.3318-122.030581 1795885200.000, "
	    "+37.3319-122.0306 1795885201.000" },
	{ overland_read, "overland-odd.json",
	    ": +37-15 1795885200.000; format=1 location=1" },
	{ overland_read, "overland-none.json", ":" },
	{ overland_read, "traccar-none.json", ":; location=1" },
	{ read_query, "osmand.query",
	    ": +48.85682600+2.29271300 1700000000.123" },
	{ read_query, "traccar8.query",
	    "82879256: -33.8568+151.2153 1700000000" },
	{ read_query_body, "traccar8.query",
	    "82879256: -33.8568+151.2153 1700000000" },
	{ read_query, "gpslogger.query",
	    "logger 1: +48.8566+2.3522 1700000000.000" },
	{ read_query, "pair.query", "van: +1.5-2.5 1700000099.987" },
	{ read_query, "plain-date.query", "x: +1+2 1700000000.000" },
	{ read_query, "percent.query", "J%zz%: +1.5+2 1700000000" },
	{ read_query, "comma.query", "x:; location=1" },
};

static void
describe(const struct intake *intake, struct buf *out)
{
	const char *mark = ";";

	assert_ok(
	    buf_addf(out, SPAN_FMT ":", (int)intake->claim_len, intake->claim));
	for (size_t i = 0; i < intake->count; i++) {
		const struct fix *fix = &intake->fixes[i];

		assert_ok(buf_addf(out, "%s %.*s %.*s", i == 0 ? "" : ",",
		    (int)fix->location_len, fix->location, (int)fix->time_len,
		    fix->time));
	}
	for (unsigned i = 0; i < INTAKE_FAULT_COUNT; i++) {
		if (intake->faults[i] == 0)
			continue;
		assert_ok(buf_addf(out, "%s %s=%u", mark,
		    intake_fault_word((enum intake_fault)i),
		    intake->faults[i]));
		mark = "";
	}
}

static void
check_file(const struct recorded *recorded)
{
	struct buf text, got;
	struct intake intake;
	char path[256];

	buf_init(&text, FILE_MAX);
	buf_init(&got, 4096);
	snprintf(path, sizeof(path), DATA "%s", recorded->file);
	assert_ok(file_read(path, FILE_MAX, &text));
	intake_init(&intake, (struct wall){ NOW_NS });
	recorded->read(buf_span(&text), &intake);
	describe(&intake, &got);
	if (!span_is(buf_span(&got), recorded->want))
		print_error("%s\n", recorded->file);
	assert_buf(&got, recorded->want);
	intake_release(&intake);
	buf_release(&got);
	buf_release(&text);
}

static void
test_recorded_requests(void **state HERD_UNUSED)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(RECORDED); i++)
		check_file(&RECORDED[i]);
}

/* No byte outside of the text is read, wherever it ends. */
static void
test_cut_requests_are_read_within_their_bounds(void **state HERD_UNUSED)
{
	struct unit_fence fence = unit_fence_new();
	struct buf text;
	char path[256];

	buf_init(&text, FILE_MAX);
	for (size_t i = 0; i < HERD_ARRAY_LEN(RECORDED); i++) {
		buf_clear(&text);
		snprintf(path, sizeof(path), DATA "%s", RECORDED[i].file);
		assert_ok(file_read(path, FILE_MAX, &text));
		for (size_t len = 0; len <= text.len; len++) {
			struct span part = unit_fence_right(
			    &fence, span_of(buf_span(&text).data, len));
			struct intake intake;

			intake_init(&intake, (struct wall){ NOW_NS });
			RECORDED[i].read(part, &intake);
			intake_release(&intake);
		}
	}
	buf_release(&text);
	unit_fence_free(&fence);
}

static void
test_a_batch_has_a_bound(void **state HERD_UNUSED)
{
	const struct fix_source source = { .lat = span_from("1"),
		.lon = span_from("2"),
		.time = span_from("3") };
	struct intake intake;

	intake_init(&intake, (struct wall){ NOW_NS });
	for (unsigned i = 0; i < INTAKE_FIXES_MAX + 5; i++)
		intake_add(&intake, &source);
	assert_int_equal(intake.count, INTAKE_FIXES_MAX);
	assert_int_equal(intake.faults[INTAKE_NUMBER], 5);
	intake_release(&intake);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_keeps_its_digits),
		cmocka_unit_test(test_a_number_has_at_most_64_characters),
		cmocka_unit_test(test_random_numbers_keep_their_value),
		cmocka_unit_test(test_times_of_all_forms),
		cmocka_unit_test(test_recorded_requests),
		cmocka_unit_test(
		    test_cut_requests_are_read_within_their_bounds),
		cmocka_unit_test(test_a_batch_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
