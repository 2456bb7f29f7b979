/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Full jitter between 50 ms and min(max, 0.2 s * 2^n); and the board. */
#include "unit.h"

#include "core/backoff.h"
#include "core/board.h"

static void
test_backoff_stays_below_its_ceiling(void **state)
{
	struct unit_random random = unit_random("backoff");
	const uint64_t max = 30 * HERD_NS_PER_S;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct backoff backoff = { 0 };

		for (unsigned n = 0; n < 100; n++) {
			uint64_t ceiling = n < 20 ? BACKOFF_FIRST_NS << n : max;
			uint64_t wait =
			    backoff_next(&backoff, max, unit_next(&random));

			if (ceiling > max)
				ceiling = max;
			assert_true(wait >= BACKOFF_LEAST_NS);
			assert_true(wait <= ceiling);
		}
	}
}

static void
test_backoff_reaches_both_ends(void **state)
{
	const uint64_t max = 30 * HERD_NS_PER_S;
	struct backoff backoff = { 0 };

	(void)state;
	for (unsigned n = 0; n < 30; n++)
		(void)backoff_next(&backoff, max, 0);
	assert_true(backoff_next(&backoff, max, 0) == BACKOFF_LEAST_NS);
	assert_true(backoff_next(&backoff, max, max) == max);
	assert_true(backoff_next(&backoff, max, max + 1) == BACKOFF_LEAST_NS);
}

static void
test_backoff_reset_begins_anew(void **state)
{
	const uint64_t max = 30 * HERD_NS_PER_S;
	struct backoff backoff = { 0 };

	(void)state;
	for (unsigned n = 0; n < 10; n++)
		(void)backoff_next(&backoff, max, 1);
	backoff_reset(&backoff);
	assert_true(
	    backoff_next(&backoff, max, BACKOFF_FIRST_NS) == BACKOFF_FIRST_NS);
}

static void
test_backoff_with_small_ceiling_waits_the_least(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	for (unsigned n = 0; n < 50; n++)
		assert_true(backoff_next(&backoff, HERD_NS_PER_MS,
				n * 12345678u) == BACKOFF_LEAST_NS);
}

/* --- the board ----------------------------------------------------------- */

static void
test_board_lets_few_links_wake_at_a_time(void **state)
{
	struct board board;

	(void)state;
	board_init(&board);
	for (unsigned i = 0; i < BOARD_WAKES_MAX; i++)
		assert_true(board_try_wake(&board, false));
	assert_false(board_try_wake(&board, false));
	assert_true(board_try_wake(&board, true));
	board_end_wake(&board);
	assert_false(board_try_wake(&board, false));
	board_end_wake(&board);
	assert_true(board_try_wake(&board, false));
}

static void
test_board_lets_a_fresh_node_enter_once(void **state)
{
	struct board board;

	(void)state;
	board_init(&board);
	assert_true(board_is_fresh(&board));
	assert_true(board_try_enter(&board));
	assert_false(board_try_enter(&board));
	board_leave(&board);
	assert_true(board_try_enter(&board));
	/* A node that is asked answers, whatever else is under way. */
	board_enter(&board);
	board_leave(&board);
	assert_false(board_try_enter(&board));
	/* With data it may compare with several at once. */
	board_synced(&board);
	assert_false(board_is_fresh(&board));
	assert_true(board_try_enter(&board));
	board_leave(&board);
	board_unsynced(&board);
	assert_true(board_is_fresh(&board));
	assert_false(board_try_enter(&board));
}

static void
test_board_numbers_tell_the_edge(void **state)
{
	struct board board;
	uint32_t last = 0;

	(void)state;
	board_init(&board);
	for (unsigned edge = 0; edge < 254; edge++) {
		uint32_t number = board_session_number(&board, edge);

		assert_true(number > 1); /* neither nobody nor a client */
		assert_true(number != last);
		assert_int_equal(board_link_of(number), edge);
		last = number;
	}
	assert_int_equal(board_link_of(0), -1);
	assert_int_equal(board_link_of(1), -1);
	atomic_store(&board.sessions, UINT32_MAX);
	assert_int_equal(board_link_of(board_session_number(&board, 3)), 3);
	assert_int_equal(board_link_of(board_session_number(&board, 3)), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff_stays_below_its_ceiling),
		cmocka_unit_test(test_backoff_reaches_both_ends),
		cmocka_unit_test(test_backoff_reset_begins_anew),
		cmocka_unit_test(
		    test_backoff_with_small_ceiling_waits_the_least),
		cmocka_unit_test(test_board_lets_few_links_wake_at_a_time),
		cmocka_unit_test(test_board_lets_a_fresh_node_enter_once),
		cmocka_unit_test(test_board_numbers_tell_the_edge),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
