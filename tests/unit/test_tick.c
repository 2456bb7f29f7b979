/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Callbacks of a loop that set themselves, and the news of a set clock. */
#include "base/tick.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/clock_set.h"
#include "unit.h"

struct counted {
	struct event_base *base;
	struct tick tick;
	unsigned runs;
	uint64_t again_ns; /* 0: not again */
};

static void
on_tick(void *arg)
{
	struct counted *counted = arg;

	counted->runs++;
	if (counted->again_ns != 0)
		tick_in(&counted->tick, counted->again_ns);
	else
		event_base_loopbreak(counted->base);
}

static int
set_up(void **state)
{
	struct counted *counted = calloc(1, sizeof(*counted));

	assert_non_null(counted);
	counted->base = event_base_new();
	assert_non_null(counted->base);
	assert_int_equal(tick_open(&counted->tick, counted->base, -1, "test",
			     on_tick, counted),
	    HERD_OK);
	*state = counted;
	return 0;
}

static int
tear_down(void **state)
{
	struct counted *counted = *state;

	tick_close(&counted->tick);
	tick_close(&counted->tick); /* is fine */
	event_base_free(counted->base);
	free(counted);
	return 0;
}

static void
test_one_that_is_not_set_does_not_run(void **state)
{
	struct counted *counted = *state;

	assert_int_equal(event_base_loop(counted->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(counted->runs, 0);
	assert_true(counted->tick.at.ns == 0);
}

static void
test_it_runs_once_and_not_before_its_time(void **state)
{
	struct counted *counted = *state;
	struct mono start = clock_mono();

	tick_in(&counted->tick, 20 * HERD_NS_PER_MS);
	event_base_dispatch(counted->base);
	assert_int_equal(counted->runs, 1);
	assert_true(mono_since(clock_mono(), start) >= 20 * HERD_NS_PER_MS);
	assert_true(counted->tick.at.ns == 0);
	assert_true(counted->tick.ran.ns >= start.ns);
	assert_int_equal(event_base_loop(counted->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(counted->runs, 1);
}

static void
test_it_may_set_itself_again(void **state)
{
	struct counted *counted = *state;

	counted->again_ns = 1;
	tick_in(&counted->tick, 1);
	while (counted->runs < 5)
		event_base_loop(counted->base, EVLOOP_ONCE);
	counted->again_ns = 0;
	event_base_dispatch(counted->base);
	assert_int_equal(counted->runs, 6);
}

static void
test_soon_is_never_later(void **state)
{
	struct counted *counted = *state;
	struct mono at;

	tick_soon(&counted->tick, 3600 * HERD_NS_PER_S);
	at = counted->tick.at;
	assert_true(at.ns != 0);
	tick_soon(&counted->tick, 7200 * HERD_NS_PER_S);
	assert_true(counted->tick.at.ns == at.ns);
	tick_soon(&counted->tick, 1);
	assert_true(counted->tick.at.ns < at.ns);
	event_base_dispatch(counted->base);
	assert_int_equal(counted->runs, 1);
}

static void
count_call(void *arg)
{
	++*(unsigned *)arg;
}

/* A clock that nobody sets is no news. */
static void
test_the_clock_is_not_set(void **state)
{
	struct counted *counted = *state;
	struct clock_set clock_set;
	unsigned calls = 0;

	assert_int_equal(clock_set_open(&clock_set, counted->base, "test",
			     count_call, &calls),
	    HERD_OK);
	assert_int_equal(event_base_loop(counted->base, EVLOOP_NONBLOCK), 0);
	assert_int_equal(calls, 0);
	clock_set_close(&clock_set);
	clock_set_close(&clock_set); /* is fine */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_one_that_is_not_set_does_not_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_it_runs_once_and_not_before_its_time, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_it_may_set_itself_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_soon_is_never_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_the_clock_is_not_set, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
