/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the watchdog sees of a loop's thread. */
#include "base/loop_watch.h"

#include <pthread.h>

#include "unit.h"

static struct pulse_look
look_at_ms(uint64_t ms)
{
	return pulse_look(pulse_own, (struct mono){ ms * HERD_NS_PER_MS });
}

static void
test_a_thread_without_a_pulse_may_call_all(void **state)
{
	(void)state;
	assert_null(pulse_own);
	pulse_begin("nothing");
	pulse_end();
	assert_int_equal(pulse_count(), 0);
}

static void
test_waiting_is_not_work(void **state)
{
	(void)state;
	pulse_register("main");
	assert_int_equal(pulse_count(), 1);
	assert_string_equal(pulse_at(0)->thread, "main");
	for (uint64_t ms = 1000; ms < 100000; ms += 1000) {
		struct pulse_look look = look_at_ms(ms);

		assert_int_equal(look.turn_ns, 0);
		assert_false(look.tell);
	}
	assert_int_equal(pulse_own->slow, 0);
}

static void
test_many_short_turns_are_not_a_long_one(void **state)
{
	(void)state;
	for (uint64_t ms = 200000; ms < 201000; ms += 25) {
		pulse_begin("short");
		assert_false(look_at_ms(ms).tell);
		pulse_end();
	}
	assert_int_equal(pulse_own->slow, 0);
	assert_int_equal(pulse_own->longest_ns, 0);
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
	pulse_begin("long");
	for (size_t i = 0; i < HERD_ARRAY_LEN(looks); i++) {
		struct pulse_look look = look_at_ms(300000 + looks[i].ms);

		assert_string_equal(look.doing, "long");
		assert_true(look.turn_ns == looks[i].ms * HERD_NS_PER_MS);
		assert_int_equal(look.tell, looks[i].tell);
		assert_int_equal(pulse_own->slow, looks[i].ms >= 50);
	}
	pulse_end();
	assert_int_equal(look_at_ms(400025).turn_ns, 0);
	assert_true(pulse_own->longest_ns == 100000 * HERD_NS_PER_MS);
	pulse_begin("again");
	assert_false(look_at_ms(500000).tell);
	assert_true(look_at_ms(500060).tell);
	pulse_end();
	assert_int_equal(pulse_own->slow, 2);
}

/* The whole process stood still: no turn was long. */
static void
test_a_pause_of_all_is_forgotten(void **state)
{
	uint64_t slow = pulse_own->slow;

	(void)state;
	pulse_begin("unlucky");
	assert_false(look_at_ms(600000).tell);
	pulse_forget(pulse_own);
	assert_false(look_at_ms(700000).tell);
	assert_false(look_at_ms(700025).tell);
	assert_true(look_at_ms(700050).tell);
	pulse_end();
	assert_int_equal(pulse_own->slow, slow + 1);
}

static void *
run_thread(void *arg)
{
	pulse_register("one-of-many-with-a-long-name");
	if (pulse_own == NULL)
		++*(unsigned *)arg;
	return NULL;
}

static void
test_more_threads_than_pulses_go_without(void **state)
{
	unsigned without = 0;

	(void)state;
	for (unsigned i = 0; i < PULSES_MAX + 3; i++) {
		pthread_t thread;

		assert_int_equal(
		    pthread_create(&thread, NULL, run_thread, &without), 0);
		pthread_join(thread, NULL);
	}
	assert_int_equal(pulse_count(), PULSES_MAX);
	assert_int_equal(without, 4);
	assert_string_equal(pulse_at(1)->thread, "one-of-many-wit");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thread_without_a_pulse_may_call_all),
		cmocka_unit_test(test_waiting_is_not_work),
		cmocka_unit_test(test_many_short_turns_are_not_a_long_one),
		cmocka_unit_test(
		    test_a_long_turn_is_told_by_name_and_counted_once),
		cmocka_unit_test(test_a_pause_of_all_is_forgotten),
		cmocka_unit_test(test_more_threads_than_pulses_go_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
