/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "admin/arrival_ring.h"

static void
note(struct arrival_ring *arrivals, uint32_t hash, uint64_t time_ns,
    uint32_t from)
{
	const struct arrival arrival = { hash, from, time_ns,
		{ 1000 + arrivals->count } };

	arrival_ring_note(arrivals, &arrival);
}

static void
test_arrivals_know_who_gave_a_report_and_when(void **state HERD_UNUSED)
{
	struct arrival_ring *arrivals = calloc(1, sizeof(*arrivals));
	struct arrival found;

	arrival_ring_init(arrivals);
	assert_false(arrival_ring_find(arrivals, 1, 10, &found));
	note(arrivals, 1, 10, 7);
	note(arrivals, 2, 10, 8);
	note(arrivals, 1, 11, 9);
	assert_true(arrival_ring_find(arrivals, 1, 10, &found));
	assert_int_equal(found.from, 7);
	assert_int_equal(found.at.ns, 1000);
	assert_true(arrival_ring_find(arrivals, 1, 11, &found));
	assert_int_equal(found.from, 9);
	assert_false(arrival_ring_find(arrivals, 2, 11, &found));
	assert_false(arrival_ring_find(arrivals, 3, 10, &found));
	arrival_ring_release(arrivals);
	free(arrivals);
}

static void
test_arrivals_forget_the_oldest_of_too_many(void **state HERD_UNUSED)
{
	struct arrival_ring *arrivals = calloc(1, sizeof(*arrivals));
	struct arrival found;

	arrival_ring_init(arrivals);
	for (uint32_t i = 0; i <= ARRIVALS_MAX; i++)
		note(arrivals, i, i, i);
	assert_false(arrival_ring_find(arrivals, 0, 0, &found));
	assert_true(arrival_ring_find(arrivals, 1, 1, &found));
	assert_int_equal(found.from, 1);
	assert_true(
	    arrival_ring_find(arrivals, ARRIVALS_MAX, ARRIVALS_MAX, &found));
	arrival_ring_release(arrivals);
	free(arrivals);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrivals_know_who_gave_a_report_and_when),
		cmocka_unit_test(test_arrivals_forget_the_oldest_of_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
