/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When batches leave: at once, or when busy at the node's moments. */
#include "unit.h"

#include "core/batch_timer.h"

#define EVERY (20u * HERD_NS_PER_MS)
#define BASE (1000u * HERD_NS_PER_S)

static struct mono
at(uint64_t ns)
{
	return (struct mono){ ns };
}

static bool
is_at_once(const struct batch_timer *timer, struct mono now)
{
	return batch_timer_due(timer, EVERY, now).ns == now.ns;
}

/* A timer whose last batch left at `last`, after many others. */
static struct batch_timer
busy(const char *name, struct mono last)
{
	struct batch_timer timer;

	batch_timer_init(&timer, span_from(name), false);
	for (unsigned i = 0; i < 2 * BATCH_BURST; i++)
		batch_timer_left(&timer, EVERY, last);
	return timer;
}

static void
test_some_batches_in_a_row_leave_at_once(void **state)
{
	struct mono now = at(BASE);
	struct batch_timer timer;

	(void)state;
	batch_timer_init(&timer, span_from("Riley"), false);
	for (unsigned i = 0; i < BATCH_BURST; i++) {
		assert_true(is_at_once(&timer, now));
		batch_timer_left(&timer, EVERY, now);
		now.ns += EVERY / 100;
	}
	assert_false(is_at_once(&timer, now));
	/* two intervals pay for one more, and much time not for more than a
	 * burst */
	now.ns += 2 * EVERY;
	assert_true(is_at_once(&timer, now));
	batch_timer_left(&timer, EVERY, now);
	assert_false(is_at_once(&timer, at(now.ns + EVERY / 100)));
	now.ns += 1000 * EVERY;
	for (unsigned i = 0; i < BATCH_BURST; i++) {
		assert_true(is_at_once(&timer, now));
		batch_timer_left(&timer, EVERY, now);
	}
	assert_false(is_at_once(&timer, now));
}

static void
test_slow_traffic_always_leaves_at_once(void **state)
{
	struct batch_timer timer = busy("Riley", at(BASE));

	(void)state;
	for (unsigned i = 1; i < 1000; i++) {
		struct mono now = at(BASE + 2 * EVERY * i);

		assert_true(is_at_once(&timer, now));
		batch_timer_left(&timer, EVERY, now);
	}
}

static void
test_without_an_interval_all_leaves_at_once(void **state)
{
	struct batch_timer timer = busy("Riley", at(BASE));

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(batch_timer_due(&timer, 0, at(BASE)).ns, BASE);
		batch_timer_left(&timer, 0, at(BASE));
	}
}

static void
test_moment_comes_soon_but_not_right_behind_the_last(void **state)
{
	struct unit_random random = unit_random("timer");
	uint64_t soonest = UINT64_MAX;
	uint64_t latest = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct mono last = at(BASE + unit_below(&random, BASE));
		struct mono now = at(last.ns + unit_below(&random, 2 * EVERY));
		struct batch_timer timer = busy("Riley", last);
		uint64_t next = batch_timer_due(&timer, EVERY, now).ns;
		uint64_t wait = next - now.ns;

		assert_true(next >= now.ns);
		assert_true(next >= last.ns + EVERY / 2);
		assert_true(wait < 2 * EVERY + EVERY / 2);
		soonest = wait < soonest ? wait : soonest;
		latest = wait > latest ? wait : latest;
	}
	assert_true(soonest < EVERY / 100);
	assert_true(latest > EVERY);
}

/* With something to send at any time: about one batch per interval. */
static void
test_busy_link_keeps_its_interval(void **state)
{
	struct batch_timer timer = busy("Riley", at(BASE));
	struct mono now = at(BASE);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		now = batch_timer_due(&timer, EVERY, now);
		batch_timer_left(&timer, EVERY, now);
	}
	assert_in_range(
	    now.ns - BASE, 1000u * EVERY / 10 * 9, 1000u * EVERY / 10 * 16);
}

static void
test_links_of_a_node_leave_together(void **state)
{
	struct mono last = at(BASE);

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct batch_timer timer = busy("Riley", last);
		struct mono next = batch_timer_due(&timer, EVERY, last);

		/* a report that comes before that moment waits for it */
		for (unsigned part = 1; part < 8; part++) {
			uint64_t now = last.ns + (next.ns - last.ns) * part / 8;

			if (now - last.ns >= 2 * EVERY)
				break; /* not busy any more */
			assert_int_equal(
			    batch_timer_due(&timer, EVERY, at(now)).ns,
			    next.ns);
		}
		last = next;
	}
}

static void
test_nodes_do_not_fall_into_step(void **state)
{
	unsigned close = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct mono now = at(BASE + i * EVERY);
		struct batch_timer riley = busy("Riley", now);
		struct batch_timer jaquez = busy("Jaquez", now);
		uint64_t a = batch_timer_due(&riley, EVERY, now).ns;
		uint64_t b = batch_timer_due(&jaquez, EVERY, now).ns;

		if ((a > b ? a - b : b - a) < EVERY / 10)
			close++;
	}
	/* about one in eight by chance */
	assert_in_range(close, 50, 250);
}

static void
test_batch_leaves_early_when_the_node_is_awake(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct mono last = at(BASE + i * EVERY / 7);
		struct batch_timer yields = busy("Riley", last);
		struct batch_timer leads = yields;
		struct mono due = batch_timer_due(&yields, EVERY, last);
		uint64_t early;

		leads.leads = true;
		early = batch_timer_early(&leads, EVERY, due).ns;
		assert_int_equal(early, last.ns + EVERY / 2);
		early = batch_timer_early(&yields, EVERY, due).ns;
		assert_int_equal(early, due.ns - EVERY / 8);
	}
}

/* What is due at once is not early. */
static void
test_early_is_never_after_the_moment(void **state)
{
	struct batch_timer timer = busy("Riley", at(BASE));

	(void)state;
	timer.leads = true;
	assert_int_equal(
	    batch_timer_early(&timer, EVERY, at(BASE + 1)).ns, BASE + 1);
	assert_int_equal(batch_timer_early(&timer, 0, at(BASE)).ns, BASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_some_batches_in_a_row_leave_at_once),
		cmocka_unit_test(test_slow_traffic_always_leaves_at_once),
		cmocka_unit_test(test_without_an_interval_all_leaves_at_once),
		cmocka_unit_test(
		    test_moment_comes_soon_but_not_right_behind_the_last),
		cmocka_unit_test(test_busy_link_keeps_its_interval),
		cmocka_unit_test(test_links_of_a_node_leave_together),
		cmocka_unit_test(test_nodes_do_not_fall_into_step),
		cmocka_unit_test(
		    test_batch_leaves_early_when_the_node_is_awake),
		cmocka_unit_test(test_early_is_never_after_the_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
