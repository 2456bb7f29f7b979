/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rate.h"

#define START (UINT64_C(1000) * HERD_NS_PER_S)

/* How many of `count` questions, `step_ns` apart, are granted. */
static unsigned
granted(uint64_t per_s, unsigned count, uint64_t step_ns)
{
	struct rate rate = { { 0 } };
	struct mono now = { START };
	unsigned yes = 0;

	for (unsigned i = 0; i < count; i++) {
		yes += rate_take(&rate, per_s, now);
		now.ns += step_ns;
	}
	return yes;
}

static void
test_rate_a_seconds_worth_at_once(void **state)
{
	(void)state;
	assert_int_equal(granted(1, 5, 0), 1);
	assert_int_equal(granted(10, 50, 0), 10);
	assert_int_equal(granted(3, 50, 0), 3);
	assert_int_equal(granted(1000000000, 5000, 0), 5000);
}

static void
test_rate_within_it_all_are_granted(void **state)
{
	(void)state;
	/* 2,000 a second are allowed; asked every 0.66 ms, and every 3 us. */
	assert_int_equal(granted(2000, 100000, 660000), 100000);
	assert_int_equal(granted(400000, 1000000, 3000), 1000000);
}

static void
test_rate_beyond_it_the_mean_holds(void **state)
{
	(void)state;
	/* 10 s at 10 a second, and the first second's worth. */
	assert_in_range(granted(10, 10000, 1000000), 108, 110);
	assert_in_range(granted(1, 10000, 1000000), 10, 11);
}

static unsigned
take_all(struct rate *rate, uint64_t per_s, uint64_t after_ns)
{
	struct mono now = { START + after_ns };
	unsigned count = 0;

	while (count < 200000 && rate_take(rate, per_s, now))
		count++;
	return count;
}

static void
test_rate_gives_its_number_each_second(void **state)
{
	static const unsigned rates[] = { 1, 2, 3, 7, 1000, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct rate rate = { { 0 } };
		unsigned n = rates[i];

		assert_int_equal(take_all(&rate, n, 0), n);
		assert_int_equal(take_all(&rate, n, HERD_NS_PER_S), n);
		assert_in_range(take_all(&rate, n, HERD_NS_PER_S * 3 / 2),
		    n / 2, n / 2 + 1);
		assert_int_equal(take_all(&rate, n, HERD_NS_PER_S * 3600), n);
	}
}

static void
test_rate_what_is_given_back_may_be_taken(void **state)
{
	struct rate rate = { { 0 } };
	struct mono now = { START };

	(void)state;
	assert_true(rate_take(&rate, 1, now));
	assert_false(rate_take(&rate, 1, now));
	rate_give_back(&rate, 1);
	assert_true(rate_take(&rate, 1, now));
	now.ns += HERD_NS_PER_S - 1;
	assert_false(rate_take(&rate, 1, now));
	now.ns += 1;
	assert_true(rate_take(&rate, 1, now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_a_seconds_worth_at_once),
		cmocka_unit_test(test_rate_gives_its_number_each_second),
		cmocka_unit_test(test_rate_within_it_all_are_granted),
		cmocka_unit_test(test_rate_beyond_it_the_mean_holds),
		cmocka_unit_test(test_rate_what_is_given_back_may_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
