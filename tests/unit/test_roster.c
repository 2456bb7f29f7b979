/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core.h"

#include "core/roster.h"
#include "herd/eager.h"

#define HASH UINT64_C(0x1122334455667788)

static const roster_name NAMES[] = { "Cid", "Ann", "Bob" };

static void
open_as(struct roster *roster, const char *self)
{
	roster_init(roster);
	assert_false(roster_rests(roster));
	assert_ok(
	    roster_set(roster, NAMES, HERD_ARRAY_LEN(NAMES), span_from(self)));
}

static struct roster_word
word_of(const char *name, uint64_t number, uint64_t hash, const char *down)
{
	struct roster_word word = { .number = number, .hash = hash };

	snprintf(word.name, sizeof(word.name), "%s", name);
	snprintf(word.down, sizeof(word.down), "%s", down);
	return word;
}

static void
hear(struct roster *roster, const char *name, uint64_t number, uint64_t hash,
    const char *down)
{
	struct roster_word word = word_of(name, number, hash, down);

	roster_hear(roster, &word);
}

static enum roster_reason
objection(const struct roster *roster, const char *name)
{
	enum roster_reason reason;
	const struct roster_word *word = roster_objection(roster, &reason);

	assert_non_null(word);
	assert_string_equal(word->name, name);
	return reason;
}

static void
test_rests_when_all_say_the_same(void **state HERD_UNUSED)
{
	struct roster roster;
	enum roster_reason reason;

	open_as(&roster, "Ann");
	roster_say(&roster, HASH, "");
	hear(&roster, "Bob", 3, HASH, "");
	assert_false(roster_rests(&roster));
	assert_int_equal(objection(&roster, "Cid"), ROSTER_SILENT);
	hear(&roster, "Cid", 1, HASH + 1, "");
	assert_int_equal(objection(&roster, "Cid"), ROSTER_OTHER);
	hear(&roster, "Cid", 2, 0, "");
	assert_int_equal(objection(&roster, "Cid"), ROSTER_ALL);
	hear(&roster, "Cid", 3, HASH, "Bob");
	assert_int_equal(objection(&roster, "Cid"), ROSTER_DOWN);
	assert_int_equal(roster.wakes, 0);
	hear(&roster, "Cid", 4, HASH, "");
	assert_true(roster_rests(&roster));
	assert_null(roster_objection(&roster, &reason));
	/* older, and not of the herd */
	hear(&roster, "Cid", 3, HASH, "Bob");
	hear(&roster, "Dot", 9, 0, "");
	assert_true(roster_rests(&roster));
	roster_say(&roster, HASH, "Bob");
	assert_false(roster_rests(&roster));
	roster_say(&roster, HASH, "");
	assert_true(roster_rests(&roster));
	assert_int_equal(roster.wakes, 1);
	roster_release(&roster);
}

static void
test_a_new_node_is_silent_until_links_may_rest(void **state HERD_UNUSED)
{
	struct roster roster;

	open_as(&roster, "Ann");
	roster_say(&roster, HASH, "Bob");
	roster_say(&roster, 0, "");
	assert_null(roster_next(&roster, 0));
	assert_int_equal(objection(&roster, "Ann"), ROSTER_SILENT);
	roster_say(&roster, HASH, "");
	assert_int_equal(roster_next(&roster, 0)->number, 1);
	roster_say(&roster, HASH, "");
	assert_int_equal(roster_next(&roster, 0)->number, 1);
	roster_say(&roster, HASH, "Cid");
	assert_int_equal(roster_next(&roster, 0)->number, 2);
	assert_string_equal(roster_next(&roster, 0)->down, "Cid");
	roster_release(&roster);
}

static void
test_a_word_of_an_earlier_life_is_outdone(void **state HERD_UNUSED)
{
	struct roster roster;

	open_as(&roster, "Ann");
	roster_say(&roster, HASH, "Bob");
	hear(&roster, "Ann", 7, HASH, "");
	assert_int_equal(roster.self->number, 8);
	assert_string_equal(roster.self->down, "Bob");
	hear(&roster, "Ann", 8, HASH, "Bob"); /* its echo */
	assert_int_equal(roster.self->number, 8);
	hear(&roster, "Ann", 9, HASH, "Bob");
	assert_int_equal(roster.self->number, 9);
	hear(&roster, "Ann", 9, HASH, "Cid");
	assert_int_equal(roster.self->number, 10);
	/* nobody can make the number wrap */
	hear(&roster, "Ann", ROSTER_NUMBER_MAX, HASH, "");
	assert_int_equal(roster.self->number, ROSTER_NUMBER_MAX);
	roster_release(&roster);
}

/* Nobody could say a greater one: what is true of Bob is not known any more. */
static void
test_the_greatest_number_is_not_believed(void **state HERD_UNUSED)
{
	static const roster_name two[] = { "Ann", "Bob" };
	struct roster roster;

	roster_init(&roster);
	assert_ok(roster_set(&roster, two, 2, span_from("Ann")));
	roster_say(&roster, HASH, "");
	hear(&roster, "Bob", ROSTER_NUMBER_MAX - 1, HASH, "");
	assert_true(roster_rests(&roster));
	hear(&roster, "Bob", ROSTER_NUMBER_MAX, HASH, "");
	assert_false(roster_rests(&roster));
	assert_int_equal(objection(&roster, "Bob"), ROSTER_SPENT);
	hear(&roster, "Ann", ROSTER_NUMBER_MAX, HASH, "Bob");
	assert_int_equal(objection(&roster, "Ann"), ROSTER_SPENT);
	roster_release(&roster);
}

static void
test_words_are_told_once_each_and_the_newest(void **state HERD_UNUSED)
{
	struct roster roster;
	const struct roster_word *word;
	uint64_t told = 0;

	open_as(&roster, "Ann");
	hear(&roster, "Bob", 1, HASH, "");
	hear(&roster, "Cid", 1, HASH, "");
	hear(&roster, "Bob", 2, HASH, "");
	word = roster_next(&roster, told);
	assert_string_equal(word->name, "Cid");
	told = word->changed;
	word = roster_next(&roster, told);
	assert_string_equal(word->name, "Bob");
	assert_int_equal(word->number, 2);
	told = word->changed;
	assert_null(roster_next(&roster, told));
	/* equal numbers: one wins everywhere */
	hear(&roster, "Bob", 2, HASH, "Cid");
	hear(&roster, "Bob", 2, HASH, "Ann");
	assert_string_equal(roster_next(&roster, told)->down, "Cid");
	roster_release(&roster);
}

static void
test_another_file_keeps_what_was_said(void **state HERD_UNUSED)
{
	static const roster_name less[] = { "Ann", "Bob" };
	struct roster roster;

	open_as(&roster, "Ann");
	roster_say(&roster, HASH, "");
	hear(&roster, "Bob", 5, HASH, "");
	hear(&roster, "Cid", 5, HASH, "");
	assert_int_equal(roster.sets, 1);
	assert_ok(roster_set(&roster, less, 2, span_from("Ann")));
	assert_int_equal(roster.sets, 2);
	assert_true(roster_rests(&roster));
	roster_say(&roster, HASH + 1, "");
	assert_int_equal(roster.self->number, 2);
	assert_int_equal(objection(&roster, "Bob"), ROSTER_OTHER);
	assert_string_equal(roster_reason_word(ROSTER_OTHER), "other-file");
	hear(&roster, "Bob", 6, HASH + 1, "");
	assert_true(roster_rests(&roster));
	roster_release(&roster);
}

/* --- the eager links of a herd ------------------------------------------- */

static void
test_eager_links_do_not_depend_on_order(void **state HERD_UNUSED)
{
	static const char *const names[] = { "Riley", "Jaquez", "Juzang",
		"Campbell", "Bernard" };
	static const char *const turned[] = { "Bernard", "Campbell", "Juzang",
		"Jaquez", "Riley" };
	struct graph_edge links[] = { { 0, 1 }, { 0, 2 }, { 4, 1 }, { 4, 2 },
		{ 4, 3 }, { 2, 3 } };
	struct eager one, other;

	assert_ok(eager_find(names, 5, links, 6, &one));
	assert_int_equal(one.count, 5);
	assert_true(one.rests[3]);
	assert_int_equal(one.cost, 6);
	assert_int_equal(one.diameter, 2);
	assert_false(one.is_too_large);
	for (size_t i = 0; i < 6; i++)
		links[i] =
		    (struct graph_edge){ 4 - links[i].b, 4 - links[i].a };
	assert_ok(eager_find(turned, 5, links, 6, &other));
	assert_true(one.hash == other.hash);
	eager_release(&other);
	assert_ok(eager_find(turned, 5, links, 5, &other));
	assert_true(one.hash != other.hash);
	eager_release(&other);
	eager_release(&one);
}

static void
test_parts_and_no_links_have_eager_links_too(void **state HERD_UNUSED)
{
	static const char *const names[] = { "A", "B", "C" };
	const struct graph_edge link = { 0, 2 };
	struct eager eager;

	assert_ok(eager_find(names, 3, &link, 1, &eager));
	assert_int_equal(eager.count, 1);
	assert_int_equal(eager.part[0], eager.part[2]);
	assert_true(eager.part[0] != eager.part[1]);
	eager_release(&eager);
	assert_ok(eager_find(names, 0, &link, 0, &eager));
	assert_true(eager.hash != 0);
	eager_release(&eager);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rests_when_all_say_the_same),
		cmocka_unit_test(
		    test_a_new_node_is_silent_until_links_may_rest),
		cmocka_unit_test(test_a_word_of_an_earlier_life_is_outdone),
		cmocka_unit_test(test_the_greatest_number_is_not_believed),
		cmocka_unit_test(test_words_are_told_once_each_and_the_newest),
		cmocka_unit_test(test_another_file_keeps_what_was_said),
		cmocka_unit_test(test_eager_links_do_not_depend_on_order),
		cmocka_unit_test(test_parts_and_no_links_have_eager_links_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
