/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the watchdog sees of a loop's thread. */
#include "base/loop_watch.h"

#include <pthread.h>

#include "unit.h"

static struct loop_watch_look
look_at_ms(uint64_t ms)
{
	return loop_watch_look(
	    loop_watch_own, (struct mono){ ms * HERD_NS_PER_MS });
}

static void
test_a_thread_without_a_watch_may_call_all(void **state)
{
	(void)state;
	assert_null(loop_watch_own);
	loop_watch_begin("nothing");
	loop_watch_end();
	assert_int_equal(loop_watch_count(), 0);
}

static void
test_waiting_is_not_work(void **state)
{
	(void)state;
	loop_watch_register("main");
	assert_int_equal(loop_watch_count(), 1);
	assert_string_equal(loop_watch_at(0)->thread, "main");
	for (uint64_t ms = 1000; ms < 100000; ms += 1000) {
		struct loop_watch_look look = look_at_ms(ms);

		assert_int_equal(look.turn_ns, 0);
		assert_false(look.tell);
	}
	assert_int_equal(loop_watch_own->slow, 0);
}

static void
test_many_short_turns_are_not_a_long_one(void **state)
{
	(void)state;
	for (uint64_t ms = 200000; ms < 201000; ms += 25) {
		loop_watch_begin("short");
		assert_false(look_at_ms(ms).tell);
		loop_watch_end();
	}
	assert_int_equal(loop_watch_own->slow, 0);
	assert_int_equal(loop_watch_own->longest_ns, 0);
}

static void
test_a_long_turn_is_told_by_name_and_counted_once(void **state)
{
	static const struct {
		uint64_t ms;
		bool tell;
	} looks[] = { { 0, false }, { 25, false }, { 50, true }, { 75, false },
		{ 999, false }, { 1000, true }, { 1025, false },
		{ 9000, false }, { 12000, true }, { 99000, false },
		{ 100000, true } };

	(void)state;
	loop_watch_begin("long");
	for (size_t i = 0; i < HERD_ARRAY_LEN(looks); i++) {
		struct loop_watch_look look = look_at_ms(300000 + looks[i].ms);

		assert_string_equal(look.doing, "long");
		assert_true(look.turn_ns == looks[i].ms * HERD_NS_PER_MS);
		assert_int_equal(look.tell, looks[i].tell);
		assert_int_equal(loop_watch_own->slow, looks[i].ms >= 50);
	}
	loop_watch_end();
	assert_int_equal(look_at_ms(400025).turn_ns, 0);
	assert_true(loop_watch_own->longest_ns == 100000 * HERD_NS_PER_MS);
	loop_watch_begin("again");
	assert_false(look_at_ms(500000).tell);
	assert_true(look_at_ms(500060).tell);
	loop_watch_end();
	assert_int_equal(loop_watch_own->slow, 2);
}

/* The whole process stood still: no turn was long. */
static void
test_a_pause_of_all_is_forgotten(void **state)
{
	uint64_t slow = loop_watch_own->slow;

	(void)state;
	loop_watch_begin("unlucky");
	assert_false(look_at_ms(600000).tell);
	loop_watch_forget(loop_watch_own);
	assert_false(look_at_ms(700000).tell);
	assert_false(look_at_ms(700025).tell);
	assert_true(look_at_ms(700050).tell);
	loop_watch_end();
	assert_int_equal(loop_watch_own->slow, slow + 1);
}

static void *
run_thread(void *arg)
{
	loop_watch_register("one-of-many-with-a-long-name");
	if (loop_watch_own == NULL)
		++*(unsigned *)arg;
	return NULL;
}

static void
test_more_threads_than_watches_go_without(void **state)
{
	unsigned without = 0;

	(void)state;
	for (unsigned i = 0; i < LOOP_WATCH_MAX + 3; i++) {
		pthread_t thread;

		assert_int_equal(
		    pthread_create(&thread, NULL, run_thread, &without), 0);
		pthread_join(thread, NULL);
	}
	assert_int_equal(loop_watch_count(), LOOP_WATCH_MAX);
	assert_int_equal(without, 4);
	assert_string_equal(loop_watch_at(1)->thread, "one-of-many-wit");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thread_without_a_watch_may_call_all),
		cmocka_unit_test(test_waiting_is_not_work),
		cmocka_unit_test(test_many_short_turns_are_not_a_long_one),
		cmocka_unit_test(
		    test_a_long_turn_is_told_by_name_and_counted_once),
		cmocka_unit_test(test_a_pause_of_all_is_forgotten),
		cmocka_unit_test(test_more_threads_than_watches_go_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
