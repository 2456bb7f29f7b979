/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the watchdog sees of a loop's thread. */
#include "base/loop_watch.h"

#include <pthread.h>

#include "unit.h"

/* So long after the begin of its last turn. */
static struct loop_watch_look
look_after_ms(uint64_t ms)
{
	return loop_watch_look(
	    loop_watch_own, loop_watch_own->began_ns + ms * HERD_NS_PER_MS);
}

static void
begin_before_ms(const char *doing, uint64_t ms)
{
	loop_watch_begin(doing);
	loop_watch_own->began_ns -= ms * HERD_NS_PER_MS;
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
		struct loop_watch_look look = look_after_ms(ms);

		assert_int_equal(look.turn_ns, 0);
		assert_false(look.tell);
	}
	assert_int_equal(loop_watch_own->slow, 0);
}

static void
test_many_short_turns_are_not_a_long_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		begin_before_ms("short", 20);
		assert_false(look_after_ms(20).tell);
		loop_watch_end();
	}
	assert_int_equal(loop_watch_take_late(loop_watch_own).count, 0);
	assert_int_equal(loop_watch_own->slow, 0);
	assert_int_equal(loop_watch_own->longest_ns, 0);
}

static void
test_a_stuck_turn_is_told_by_name_and_counted_once(void **state)
{
	static const struct {
		uint64_t ms;
		bool tell;
	} looks[] = { { 1, false }, { 25, false }, { 50, true }, { 75, false },
		{ 999, false }, { 1000, true }, { 1025, false },
		{ 9000, false }, { 12000, true }, { 99000, false },
		{ 100000, true } };

	(void)state;
	begin_before_ms("long", 200000);
	for (size_t i = 0; i < HERD_ARRAY_LEN(looks); i++) {
		struct loop_watch_look look = look_after_ms(looks[i].ms);

		assert_string_equal(look.doing, "long");
		assert_true(look.turn_ns == looks[i].ms * HERD_NS_PER_MS);
		assert_int_equal(look.tell, looks[i].tell);
		assert_int_equal(loop_watch_own->slow, looks[i].ms >= 50);
	}
	loop_watch_end();
	assert_int_equal(look_after_ms(400025).turn_ns, 0);
	/* Its end says how long it took, and does not count it again. */
	assert_int_equal(loop_watch_take_late(loop_watch_own).count, 0);
	assert_true(loop_watch_own->longest_ns >= 200000 * HERD_NS_PER_MS);
	assert_int_equal(loop_watch_own->slow, 1);
}

static void
count_call(void *arg)
{
	++*(unsigned *)arg;
}

static void
test_a_slow_turn_tells_of_itself_when_it_ends(void **state)
{
	struct loop_watch_late late;
	unsigned calls = 0;

	(void)state;
	loop_watch_set_on_slow(count_call, &calls);
	begin_before_ms("first", 60);
	loop_watch_end();
	begin_before_ms("second", 70);
	loop_watch_end();
	assert_int_equal(calls, 2);
	late = loop_watch_take_late(loop_watch_own);
	assert_int_equal(late.count, 2);
	assert_string_equal(late.doing, "second");
	assert_true(late.turn_ns >= 70 * HERD_NS_PER_MS);
	assert_int_equal(loop_watch_own->slow, 3);
	assert_int_equal(loop_watch_take_late(loop_watch_own).count, 0);
	loop_watch_set_on_slow(NULL, NULL);
	begin_before_ms("nobody hears", 80);
	loop_watch_end();
	assert_int_equal(calls, 2);
	assert_int_equal(loop_watch_take_late(loop_watch_own).count, 1);
}

/* The whole process stood still: no turn was long. */
static void
test_a_pause_of_all_is_forgotten(void **state)
{
	uint64_t slow = loop_watch_own->slow;

	(void)state;
	begin_before_ms("ended first", 5000);
	loop_watch_end();
	begin_before_ms("unlucky", 5000);
	loop_watch_forget(loop_watch_own);
	assert_false(look_after_ms(5000).tell);
	loop_watch_end();
	assert_int_equal(loop_watch_take_late(loop_watch_own).count, 0);
	assert_int_equal(loop_watch_own->slow, slow);
	begin_before_ms("slow", 60);
	assert_true(look_after_ms(60).tell);
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
		    test_a_stuck_turn_is_told_by_name_and_counted_once),
		cmocka_unit_test(test_a_slow_turn_tells_of_itself_when_it_ends),
		cmocka_unit_test(test_a_pause_of_all_is_forgotten),
		cmocka_unit_test(test_more_threads_than_watches_go_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
