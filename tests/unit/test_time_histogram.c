/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/time_histogram.h"

#define US HERD_NS_PER_US
#define S HERD_NS_PER_S

static void
assert_format(const struct time_histogram *histogram, const char *labels,
    const char *const *lines, size_t count)
{
	struct buf out;

	buf_init(&out, 1u << 16);
	assert_ok(time_histogram_format(&out, "x_seconds", labels, histogram));
	for (size_t i = 0; i < count; i++) {
		if (strstr(buf_cstr(&out), lines[i]) == NULL)
			fail_msg("no %s in:\n%s", lines[i], buf_cstr(&out));
	}
	buf_release(&out);
}

static void
test_a_bound_belongs_to_its_bucket(void **state HERD_UNUSED)
{
	struct time_histogram histogram = { 0 };
	static const char *const LINES[] = {
		"x_seconds_bucket{le=\"1e-05\"} 2\n",
		"\nx_seconds_bucket{le=\"2.5e-05\"} 3\n",
		"\nx_seconds_bucket{le=\"1.0\"} 3\n",
		"\nx_seconds_bucket{le=\"60.0\"} 7\n",
		"\nx_seconds_bucket{le=\"+Inf\"} 8\n",
		"\nx_seconds_sum 301.000020001\nx_seconds_count 8\n",
	};

	time_histogram_note(&histogram, 0, 1);
	time_histogram_note(&histogram, 10 * US, 1);
	time_histogram_note(&histogram, 10 * US + 1, 1);
	time_histogram_note(&histogram, 60 * S, 4);
	time_histogram_note(&histogram, 61 * S, 1);
	assert_format(&histogram, "", LINES, HERD_ARRAY_LEN(LINES));
}

static void
test_sums_have_labels_and_no_nonsense(void **state HERD_UNUSED)
{
	struct time_histogram sum = { 0 };
	struct time_histogram one = { 0 };
	static const char *const LINES[] = {
		"x_seconds_bucket{peer=\"Bob\",le=\"0.5\"} 2\n",
		"\nx_seconds_bucket{peer=\"Bob\",le=\"+Inf\"} 3\n",
		"\nx_seconds_sum{peer=\"Bob\"} 3601.000000000\n",
		"\nx_seconds_count{peer=\"Bob\"} 3\n",
	};

	const char *const twice = "\nx_seconds_count{peer=\"Bob\"} 6\n";

	/* A clock that is wrong by years does not spoil the sum for good. */
	time_histogram_note(&one, UINT64_MAX, 1);
	time_histogram_note(&one, S / 2, 2);
	time_histogram_add(&sum, &one);
	assert_format(&sum, "peer=\"Bob\"", LINES, HERD_ARRAY_LEN(LINES));
	time_histogram_add(&sum, &one);
	assert_format(&sum, "peer=\"Bob\"", &twice, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bound_belongs_to_its_bucket),
		cmocka_unit_test(test_sums_have_labels_and_no_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
