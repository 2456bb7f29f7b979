/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When batches leave: at once after a pause, else at the node's moments. */
#include "unit.h"

#include "core/pace.h"

#define EVERY (20u * HERD_NS_PER_MS)
#define BASE (1000u * HERD_NS_PER_S)

static struct mono
at(uint64_t ns)
{
	return (struct mono){ ns };
}

static void
test_after_a_pause_it_is_now(void **state)
{
	uint64_t seed = pace_seed(span_from("Riley"));
	struct mono now = at(BASE);

	(void)state;
	assert_int_equal(pace_next(seed, EVERY, at(0), now).ns, now.ns);
	assert_int_equal(
	    pace_next(seed, EVERY, at(BASE - 2 * EVERY), now).ns, now.ns);
	/* no interval, no waiting */
	assert_int_equal(pace_next(seed, 0, now, now).ns, now.ns);
	assert_int_equal(pace_next(seed, 1, at(BASE - 1), now).ns, now.ns);
}

static void
test_moment_comes_soon_but_not_right_behind_the_last(void **state)
{
	struct unit_random random = unit_random("pace");
	uint64_t seed = pace_seed(span_from("Riley"));
	uint64_t soonest = UINT64_MAX;
	uint64_t latest = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct mono last = at(BASE + unit_below(&random, BASE));
		struct mono now = at(last.ns + unit_below(&random, 2 * EVERY));
		uint64_t next = pace_next(seed, EVERY, last, now).ns;
		uint64_t wait = next - now.ns;

		assert_true(next >= now.ns);
		assert_true(next >= last.ns + EVERY / 4);
		assert_true(wait < 2 * EVERY + EVERY / 4);
		soonest = wait < soonest ? wait : soonest;
		latest = wait > latest ? wait : latest;
	}
	assert_true(soonest < EVERY / 100);
	assert_true(latest > EVERY);
}

static void
test_links_of_a_node_leave_together(void **state)
{
	uint64_t seed = pace_seed(span_from("Riley"));
	struct mono last = at(BASE);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct mono next = pace_next(seed, EVERY, last, last);

		/* whoever hears of something before that moment waits for it */
		for (unsigned part = 1; part < 8; part++) {
			uint64_t now = last.ns + (next.ns - last.ns) * part / 8;

			assert_int_equal(
			    pace_next(seed, EVERY, last, at(now)).ns, next.ns);
		}
		last = next;
	}
}

static void
test_nodes_do_not_fall_into_step(void **state)
{
	uint64_t riley = pace_seed(span_from("Riley"));
	uint64_t jaquez = pace_seed(span_from("Jaquez"));
	unsigned close = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct mono now = at(BASE + i * EVERY);
		uint64_t a = pace_next(riley, EVERY, now, now).ns;
		uint64_t b = pace_next(jaquez, EVERY, now, now).ns;

		if ((a > b ? a - b : b - a) < EVERY / 10)
			close++;
	}
	/* about one in eight by chance */
	assert_in_range(close, 50, 250);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_a_pause_it_is_now),
		cmocka_unit_test(
		    test_moment_comes_soon_but_not_right_behind_the_last),
		cmocka_unit_test(test_links_of_a_node_leave_together),
		cmocka_unit_test(test_nodes_do_not_fall_into_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
