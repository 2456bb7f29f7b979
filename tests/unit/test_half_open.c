/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has to go before a connection whose HELLO was not accepted gets in. */
#include <stdlib.h>

#include "core.h"
#include "net/half_open.h"
#include "net/strangers.h"

#define STRANGER UINT64_C(0x1000)
#define NEIGHBOUR UINT64_C(0x2000)

static void
test_there_is_room_until_all_places_are_taken(void **state)
{
	struct half_open_place places[4] = { 0 };
	struct half_open half_open;

	(void)state;
	half_open_init(&half_open, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_null(half_open_victim(&half_open, STRANGER));
		half_open_enter(&half_open, &places[i], STRANGER);
	}
	/* The oldest of the only address. */
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[0]);
	half_open_leave(&half_open, &places[2]);
	half_open_leave(&half_open, &places[2]);
	assert_null(half_open_victim(&half_open, STRANGER));
}

static void
test_the_address_with_most_goes_first(void **state)
{
	struct half_open_place places[5] = { 0 };
	struct half_open half_open;

	(void)state;
	half_open_init(&half_open, 5);
	half_open_enter(&half_open, &places[0], STRANGER + 1);
	half_open_enter(&half_open, &places[1], STRANGER);
	half_open_enter(&half_open, &places[2], STRANGER);
	half_open_enter(&half_open, &places[3], STRANGER + 1);
	half_open_enter(&half_open, &places[4], STRANGER + 1);
	assert_ptr_equal(half_open_victim(&half_open, NEIGHBOUR), &places[0]);
	half_open_leave(&half_open, &places[0]);
	half_open_enter(&half_open, &places[0], STRANGER);
	assert_ptr_equal(half_open_victim(&half_open, NEIGHBOUR), &places[1]);
}

static void
test_silence_goes_before_the_key_within_one_address(void **state)
{
	struct half_open_place places[3] = { 0 };
	struct half_open half_open;

	(void)state;
	half_open_init(&half_open, 3);
	for (unsigned i = 0; i < 3; i++)
		half_open_enter(&half_open, &places[i], STRANGER);
	places[0].keyed = true;
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[1]);
	places[1].keyed = places[2].keyed = true;
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[0]);
}

/* Each stranger has an address of its own, the neighbour has more than one. */
static void
test_strangers_go_before_neighbours(void **state)
{
	struct half_open_place places[6] = { 0 };
	struct half_open half_open;

	(void)state;
	half_open_init(&half_open, 6);
	half_open_enter(&half_open, &places[0], NEIGHBOUR);
	half_open_enter(&half_open, &places[1], NEIGHBOUR);
	for (unsigned i = 2; i < 6; i++)
		half_open_enter(&half_open, &places[i], STRANGER + i);
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[0]);
	/* Its HELLO was accepted on another connection: now it is known. */
	half_open_add_neighbour(&half_open, NEIGHBOUR);
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[2]);
	half_open_leave(&half_open, &places[0]);
	half_open_leave(&half_open, &places[1]);
	half_open_enter(&half_open, &places[0], NEIGHBOUR);
	half_open_enter(&half_open, &places[1], NEIGHBOUR);
	assert_ptr_equal(half_open_victim(&half_open, STRANGER), &places[2]);
}

static void
test_neighbours_are_remembered_up_to_a_limit(void **state)
{
	struct half_open half_open;

	(void)state;
	half_open_init(&half_open, 4);
	for (unsigned i = 0; i <= HALF_OPEN_NEIGHBOURS_MAX; i++) {
		half_open_add_neighbour(&half_open, NEIGHBOUR + i);
		half_open_add_neighbour(&half_open, NEIGHBOUR + i);
	}
	assert_int_equal(half_open.neighbour_count, HALF_OPEN_NEIGHBOURS_MAX);
	assert_true(
	    half_open.neighbours[0] == NEIGHBOUR + HALF_OPEN_NEIGHBOURS_MAX);
}

/* Who could go instead, by the rules as they are written in the header? */
static bool
is_better_victim(
    const struct half_open_place *place, const struct half_open_place *victim)
{
	if (place->keyed != victim->keyed)
		return !place->keyed;
	return !place->group->is_neighbour && victim->group->is_neighbour;
}

#define CROWD 700u

/* Random comings and goings: bounded, and nobody goes who ranks higher. */
static void
test_any_schedule_keeps_the_order_of_who_goes(void **state)
{
	struct unit_random random = unit_random("half_open");
	struct half_open_place *places = calloc(CROWD, sizeof(*places));
	struct half_open *half_open = calloc(1, sizeof(*half_open));

	(void)state;
	assert_non_null(places);
	assert_non_null(half_open);
	half_open_init(half_open, 2 * HALF_OPEN_MAX);
	assert_int_equal(half_open->max, HALF_OPEN_MAX);
	half_open_add_neighbour(half_open, 3);
	for (unsigned i = 0; i < 20000; i++) {
		struct half_open_place *place =
		    &places[unit_below(&random, CROWD)];
		uint64_t address = unit_below(&random, 40);
		struct half_open_place *victim;

		if (place->group != NULL) {
			if (unit_below(&random, 4) == 0)
				half_open_leave(half_open, place);
			else if (unit_below(&random, 8) == 0)
				place->keyed = true;
			continue;
		}
		victim = half_open_victim(half_open, address);
		assert_true(
		    (victim != NULL) == (half_open->count == HALF_OPEN_MAX));
		for (unsigned j = 0; victim != NULL && j < CROWD; j++)
			assert_false(places[j].group != NULL &&
				     is_better_victim(&places[j], victim));
		if (victim != NULL)
			half_open_leave(half_open, victim);
		half_open_enter(half_open, place, address);
	}
	free(half_open);
	free(places);
}

/* --- what is told of them --------------------------------------------------
 */

static void
test_a_refusal_is_told_once_a_minute_for_each_kind(void **state)
{
	struct strangers *strangers = calloc(1, sizeof(*strangers));
	struct mono now = { 5 * HERD_NS_PER_S };
	uint64_t times;

	(void)state;
	assert_non_null(strangers);
	assert_true(
	    strangers_note(strangers, BYE_KEY, "wrong", 1, now, &times));
	assert_int_equal(times, 1);
	for (unsigned i = 0; i < 1000; i++)
		assert_false(strangers_note(
		    strangers, BYE_KEY, "wrong", 1, now, &times));
	assert_true(
	    strangers_note(strangers, BYE_KEY, "other", 1, now, &times));
	assert_true(
	    strangers_note(strangers, BYE_KEY, "wrong", 2, now, &times));
	assert_true(
	    strangers_note(strangers, BYE_SELF, "wrong", 1, now, &times));
	now = mono_add(now, STRANGERS_QUIET_NS);
	assert_true(
	    strangers_note(strangers, BYE_KEY, "wrong", 1, now, &times));
	assert_int_equal(times, 1001);
	assert_int_equal(atomic_load(&strangers->counts[BYE_KEY]), 1004);
	assert_int_equal(atomic_load(&strangers->counts[BYE_SELF]), 1);
	/* More kinds than are kept: the one told longest ago is forgotten. */
	for (unsigned i = 0; i < STRANGERS_KEPT; i++) {
		now = mono_add(now, 1);
		assert_true(strangers_note(
		    strangers, BYE_KEY, "wrong", 100 + i, now, &times));
	}
	assert_true(
	    strangers_note(strangers, BYE_KEY, "wrong", 1, now, &times));
	free(strangers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_is_room_until_all_places_are_taken),
		cmocka_unit_test(test_the_address_with_most_goes_first),
		cmocka_unit_test(
		    test_silence_goes_before_the_key_within_one_address),
		cmocka_unit_test(test_strangers_go_before_neighbours),
		cmocka_unit_test(test_neighbours_are_remembered_up_to_a_limit),
		cmocka_unit_test(test_any_schedule_keeps_the_order_of_who_goes),
		cmocka_unit_test(
		    test_a_refusal_is_told_once_a_minute_for_each_kind),
	};

	return cmocka_run_group_tests_name("half_open", tests, NULL, NULL);
}
