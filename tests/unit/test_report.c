/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/report.h"
#include "herd/text.h"
#include "herd/time.h"

#define AT                                                              \
	"AT Riley +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 " \
	"1621464827.959498503"
#define GONE "GONE Riley kiwi.cs.ucla.edu 1621464999.000000000"

static void
test_position_line_gives_its_fields(void **state HERD_UNUSED)
{
	struct report report;

	assert_ok(report_parse(span_from(AT), &report));
	assert_int_equal(report.kind, REPORT_POSITION);
	assert_span(report.origin, "Riley");
	assert_span(report.skew, "+0.263873386");
	assert_span(report.client, "kiwi.cs.ucla.edu");
	assert_span(report.location, "+34.068930-118.445127");
	assert_span(report.time, "1621464827.959498503");
	assert_true(report.time_ns == UINT64_C(1621464827959498503));
	assert_true(
	    report_received_ns(&report) == UINT64_C(1621464828223371889));
}

static void
test_removal_line_gives_its_fields(void **state HERD_UNUSED)
{
	struct report report;

	assert_ok(report_parse(span_from(GONE), &report));
	assert_int_equal(report.kind, REPORT_REMOVAL);
	assert_span(report.origin, "Riley");
	assert_span(report.skew, "");
	assert_span(report.client, "kiwi.cs.ucla.edu");
	assert_span(report.location, "");
	assert_span(report.time, "1621464999.000000000");
	assert_true(report_received_ns(&report) == report.time_ns);
}

static void
test_receive_time_never_leaves_its_range(void **state HERD_UNUSED)
{
	struct report report;

	assert_ok(report_parse(
	    span_from("AT Riley -5.000000000 kiwi +1+1 4"), &report));
	assert_true(report_received_ns(&report) == 0);
	assert_ok(report_parse(
	    span_from("AT R +17179869183.999999999 kiwi +1+1 17179869183.9"),
	    &report));
	assert_true(report_received_ns(&report) == UINT64_MAX);
	report.skew = span_from("nonsense");
	assert_true(report_received_ns(&report) == report.time_ns);
}

static void
test_bad_lines_are_refused(void **state HERD_UNUSED)
{
	static const struct {
		const char *line;
		enum herd_error error;
	} cases[] = { { "", HERD_ESYNTAX }, { "AT", HERD_ESYNTAX },
		{ "AT ", HERD_ESYNTAX }, { " " AT, HERD_ESYNTAX },
		{ AT " ", HERD_ESYNTAX }, { AT " x", HERD_ESYNTAX },
		{ AT "\r", HERD_ESYNTAX }, { AT "\n", HERD_ESYNTAX },
		{ "at Riley +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT  Riley +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley  +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386  kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi  +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi +1+1  1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi +1+1 ", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi +1+1", HERD_ESYNTAX },
		{ "AT\tRiley +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley\t+0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 ki\twi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 ki\vwi +1+1 1", HERD_ESYNTAX },
		{ "AT Ri/ey +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT R\xc3\xa9y +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley 0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.26387338 kiwi +1+1 1", HERD_ESYNTAX },
		{ "AT Riley +17179869184.000000000 kiwi +1+1 1", HERD_ERANGE },
		{ "AT Riley +0.263873386 kiwi 1+1 1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi +91+1 1", HERD_ERANGE },
		{ "AT Riley +0.263873386 kiwi +1+1 -1", HERD_ESYNTAX },
		{ "AT Riley +0.263873386 kiwi +1+1 17179869184", HERD_ERANGE },
		{ "GONE Riley kiwi", HERD_ESYNTAX },
		{ "GONE Riley kiwi 1 1", HERD_ESYNTAX },
		{ "GONE Riley +0.263873386 kiwi +1+1 1", HERD_ESYNTAX },
		{ "GONE  kiwi 1", HERD_ESYNTAX },
		{ "GONE Riley  1", HERD_ESYNTAX },
		{ "GONE Ri,ey kiwi 1", HERD_ESYNTAX },
		{ "GONE Riley kiwi 1e1", HERD_ESYNTAX },
		{ "GONE Riley kiwi 17179869184", HERD_ERANGE },
		{ "IAMAT kiwi +1+1 1", HERD_ESYNTAX },
		{ "? AT Riley", HERD_ESYNTAX } };
	struct report report = { .time_ns = 4711 };
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++)
		if (report_parse(span_from(cases[i].line), &report) !=
		    cases[i].error)
			fail_msg("%s", cases[i].line);
	assert_true(report.time_ns == 4711);
}

static void
test_nul_in_a_line_is_refused_everywhere(void **state HERD_UNUSED)
{
	static const char *const good[] = { AT, GONE };
	struct report report;
	char line[128];
	size_t i, place, len;

	for (i = 0; i < HERD_ARRAY_LEN(good); i++) {
		len = strlen(good[i]);
		for (place = 0; place < len; place++) {
			memcpy(line, good[i], len);
			line[place] = '\0';
			assert_int_not_equal(
			    report_parse(span_of(line, len), &report), HERD_OK);
		}
	}
}

static void
test_names_have_their_limits(void **state HERD_UNUSED)
{
	struct report report;
	struct buf line;
	size_t client, origin, i;
	enum herd_error want;

	buf_init(&line, 100000);
	for (origin = 1; origin <= REPORT_ORIGIN_MAX + 1u; origin += 32)
		for (client = REPORT_CLIENT_MAX - 1u;
		     client <= REPORT_CLIENT_MAX + 1u; client++) {
			buf_clear(&line);
			assert_ok(buf_add_text(&line, "GONE "));
			for (i = 0; i < origin; i++)
				assert_ok(buf_add_byte(&line, 'o'));
			assert_ok(buf_add_byte(&line, ' '));
			for (i = 0; i < client; i++)
				assert_ok(buf_add_byte(&line, 'c'));
			assert_ok(buf_add_text(&line, " 1"));
			want = origin > REPORT_ORIGIN_MAX ||
				       client > REPORT_CLIENT_MAX
				   ? HERD_ELIMIT
				   : HERD_OK;
			assert_int_equal(
			    report_parse(buf_span(&line), &report), want);
		}
	buf_release(&line);
}

static void
test_node_names_are_plain_words(void **state HERD_UNUSED)
{
	static const char *const bad[] = { "", " ", "a b", "a/b", "a\n",
		"a:", "\xc3\xa9", "a@", "a[", "a`", "a{" };
	char name[REPORT_ORIGIN_MAX + 1u];
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(bad); i++)
		assert_false(node_name_is_valid(span_from(bad[i])));
	assert_false(node_name_is_valid(span_of("a\0", 2)));
	assert_true(node_name_is_valid(span_from("azAZ09._-")));
	memset(name, 'x', sizeof(name));
	assert_true(node_name_is_valid(span_of(name, REPORT_ORIGIN_MAX)));
	assert_false(node_name_is_valid(span_of(name, REPORT_ORIGIN_MAX + 1u)));
}

static void
test_client_ids_are_fields(void **state HERD_UNUSED)
{
	char id[20];
	size_t place;
	int byte;

	for (place = 0; place < sizeof(id); place++)
		for (byte = 0; byte < 256; byte++) {
			memset(id, 'x', sizeof(id));
			id[place] = (char)(unsigned char)byte;
			assert_int_equal(
			    client_id_is_valid(span_of(id, sizeof(id))),
			    byte != 0 && !text_is_space(id[place]));
		}
	assert_false(client_id_is_valid(span_of("", 0)));
}

/* --- the order ------------------------------------------------------------ */

#define POOL 216u

/*
 * All mixes of few values, so that ties go on to the last field. A removal
 * has neither location nor skew; the order must hold whatever it is given.
 */
static void
fill_pool(struct report pool[POOL])
{
	static const char *const origins[] = { "A", "AB", "B" };
	static const char *const locations[] = { "+1+1", "+1+10", "-1+1" };
	static const char *const skews[] = { "+0.000000001", "-0.000000001" };
	/* Two texts of one value, and another value. */
	static const char *const times[] = { "5", "5.0", "6" };
	size_t i, n = 0, o, l, s, t, k, c;

	for (i = 0; i < POOL; i++) {
		n = i;
		o = n % 3, n /= 3;
		l = n % 3, n /= 3;
		s = n % 2, n /= 2;
		t = n % 3, n /= 3;
		k = n % 2, n /= 2;
		c = n % 2;
		pool[i] =
		    (struct report){ .client = span_from(c == 0 ? "a" : "b"),
			    .origin = span_from(origins[o]),
			    .location = span_from(locations[l]),
			    .skew = span_from(skews[s]),
			    .time = span_from(times[t]),
			    .time_ns = (t < 2 ? 5 : 6) * HERD_NS_PER_S,
			    .kind = k == 0 ? REPORT_POSITION : REPORT_REMOVAL };
	}
}

static bool
same_but_client(const struct report *a, const struct report *b)
{
	return a->kind == b->kind && span_equal(a->origin, b->origin) &&
	       span_equal(a->location, b->location) &&
	       span_equal(a->skew, b->skew) && span_equal(a->time, b->time);
}

static int
sign(int order)
{
	return (order > 0) - (order < 0);
}

/* Every triple of the pool: 10,077,696. */
static void
test_order_is_strict_and_total(void **state HERD_UNUSED)
{
	static signed char order[POOL][POOL], order_all[POOL][POOL];
	struct report pool[POOL];
	size_t a, b, c;

	fill_pool(pool);
	for (a = 0; a < POOL; a++)
		for (b = 0; b < POOL; b++) {
			order[a][b] = (signed char)sign(
			    report_compare(&pool[a], &pool[b]));
			order_all[a][b] = (signed char)sign(
			    report_compare_all(&pool[a], &pool[b]));
			assert_int_equal(order[a][b] == 0,
			    same_but_client(&pool[a], &pool[b]));
			assert_int_equal(order_all[a][b] == 0, a == b);
			if (order[a][b] != 0)
				assert_int_equal(order[a][b], order_all[a][b]);
		}
	for (a = 0; a < POOL; a++)
		for (b = 0; b < POOL; b++) {
			if (order[a][b] != -order[b][a] ||
			    order_all[a][b] != -order_all[b][a])
				fail_msg("%zu %zu", a, b);
			for (c = 0; c < POOL; c++)
				if ((order[a][b] <= 0 && order[b][c] <= 0 &&
					order[a][c] > 0) ||
				    (order_all[a][b] < 0 &&
					order_all[b][c] < 0 &&
					order_all[a][c] >= 0))
					fail_msg("%zu %zu %zu", a, b, c);
		}
}

static void
test_order_looks_at_time_kind_origin_location_skew_text(
    void **state HERD_UNUSED)
{
	/* Each line is greater than the one before. */
	static const char *const lines[] = {
		"AT Z -0.000000001 c -9-9 4.999999999",
		"AT A +0.000000001 c +1+1 5",
		"AT A +0.000000001 c +1+1 5.0",
		"AT A +0.000000001 c +1+1 5.0000000001",
		"AT A -0.000000001 c +1+1 5",
		"AT A +0.000000001 c +1+10 5",
		"AT A +0.000000001 c -1+1 5",
		"AT AB +0.000000001 c +1+1 5",
		"AT a +0.000000001 c +1+1 5",
		"GONE A c 5",
		"GONE A c 5.0",
		"GONE B c 5",
		"AT A +0.000000001 c +1+1 5.000000001",
	};
	struct report low, high;
	size_t i, j;

	for (i = 0; i < HERD_ARRAY_LEN(lines); i++)
		for (j = 0; j < HERD_ARRAY_LEN(lines); j++) {
			assert_ok(report_parse(span_from(lines[i]), &low));
			assert_ok(report_parse(span_from(lines[j]), &high));
			if (sign(report_compare(&low, &high)) !=
			    (i > j) - (i < j))
				fail_msg("%s | %s", lines[i], lines[j]);
		}
}

/* --- lines ---------------------------------------------------------------- */

static void
test_lines_survive_the_round_trip(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("lines");
	struct unit_fence fence = unit_fence_new();
	struct report report, back;
	char id[40], time[TIME_FORMAT_MAX], skew[SKEW_FORMAT_MAX];
	char location[64];
	struct buf line;
	size_t step, i, len;
	uint64_t ns;

	buf_init(&line, 1024);
	for (step = 0; step < 1000000; step++) {
		len = 1 + unit_below(&random, sizeof(id) - 1u);
		for (i = 0; i < len; i++)
			do
				id[i] = (char)unit_next(&random);
			while (id[i] == '\0' || text_is_space(id[i]));
		ns = unit_next(&random) % (HERD_TIME_MAX_S * HERD_NS_PER_S);
		report = (struct report){ .client = span_of(id, len),
			.origin = span_from("Riley-1"),
			.time = span_of(time, time_format(ns, time)),
			.time_ns = ns,
			.kind =
			    step % 8 == 0 ? REPORT_REMOVAL : REPORT_POSITION };
		if (report.kind == REPORT_POSITION) {
			(void)snprintf(location, sizeof(location),
			    "%c%zu.%06zu%c%zu", step % 2 == 0 ? '+' : '-',
			    unit_below(&random, 90),
			    unit_below(&random, 1000000),
			    step % 3 == 0 ? '+' : '-',
			    unit_below(&random, 181));
			report.location = span_from(location);
			report.skew = span_of(
			    skew, skew_format(unit_below(&random, 1000000000),
				      500000, skew));
		}
		buf_clear(&line);
		assert_ok(report_format(&line, &report));
		assert_int_equal(line.len, report_line_len(&report));
		if (report_parse(unit_fence_right(&fence, buf_span(&line)),
			&back) != HERD_OK ||
		    report_compare_all(&report, &back) != 0)
			fail_msg(SPAN_FMT, SPAN_ARG(buf_span(&line)));
	}
	buf_release(&line);
	unit_fence_free(&fence);
}

static void
test_format_writes_whole_lines_or_nothing(void **state HERD_UNUSED)
{
	static const char *const lines[] = { AT, GONE };
	struct report report;
	struct buf out;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(lines); i++) {
		assert_ok(report_parse(span_from(lines[i]), &report));
		buf_init(&out, strlen(lines[i]) - 1u);
		assert_int_equal(report_format(&out, &report), HERD_ELIMIT);
		assert_int_equal(out.len, 0);
		buf_release(&out);
		buf_init(&out, strlen(lines[i]));
		assert_ok(report_format(&out, &report));
		assert_buf(&out, lines[i]);
		buf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_position_line_gives_its_fields),
		cmocka_unit_test(test_removal_line_gives_its_fields),
		cmocka_unit_test(test_receive_time_never_leaves_its_range),
		cmocka_unit_test(test_bad_lines_are_refused),
		cmocka_unit_test(test_nul_in_a_line_is_refused_everywhere),
		cmocka_unit_test(test_names_have_their_limits),
		cmocka_unit_test(test_node_names_are_plain_words),
		cmocka_unit_test(test_client_ids_are_fields),
		cmocka_unit_test(test_order_is_strict_and_total),
		cmocka_unit_test(
		    test_order_looks_at_time_kind_origin_location_skew_text),
		cmocka_unit_test(test_lines_survive_the_round_trip),
		cmocka_unit_test(test_format_writes_whole_lines_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
