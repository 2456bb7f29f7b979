/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions that rest and wake, and the words of the roster on them. */
#include "ends.h"

static const roster_name NAMES[] = { "Alice", "Bob", "Zoe" };

struct pair {
	struct ends_time time;
	struct end a;
	struct end b;
	struct roster rosters[2];
};

static void
give_roster(struct end *end, struct roster *roster)
{
	roster_init(roster);
	assert_ok(
	    roster_set(roster, NAMES, HERD_ARRAY_LEN(NAMES), end->node.name));
	end->node.roster = roster;
}

static void
pair_run(struct pair *pair, uint64_t ns)
{
	ends_run(&pair->a, &pair->b, &pair->time, ns);
}

static void
pair_open(struct pair *pair)
{
	pair->time.ns = S;
	end_init(&pair->a, "Alice");
	end_init(&pair->b, "Bob");
	give_roster(&pair->a, &pair->rosters[0]);
	give_roster(&pair->b, &pair->rosters[1]);
	end_connect(&pair->a, "Bob", 1, &pair->time);
	end_connect(&pair->b, "", 2, &pair->time);
	pair_run(pair, S);
	assert_int_equal(pair->a.session.state, SESSION_SYNCED);
	assert_int_equal(pair->b.session.state, SESSION_SYNCED);
}

static void
pair_close(struct pair *pair)
{
	end_release(&pair->a);
	end_release(&pair->b);
	roster_release(&pair->rosters[0]);
	roster_release(&pair->rosters[1]);
}

static void
let_rest(struct end *end, bool may_rest, struct pair *pair)
{
	session_let_rest(&end->session, may_rest, ends_mono(&pair->time));
	end->due = true;
	pair_run(pair, S);
}

static uint64_t
records_of(const struct end *end)
{
	struct table_counts counts;

	table_count(end->table, &counts);
	return counts.records;
}

static void
put(struct end *end, unsigned client)
{
	assert_int_equal(unit_put(end->table, client, 1000 * S), PUT_ACCEPTED);
}

static void
test_a_resting_side_owes_nothing_but_reads(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	let_rest(&pair.a, true, &pair);
	assert_true(session_is_resting(&pair.a.session));
	assert_false(session_is_resting(&pair.b.session));
	put(&pair.a, 1);
	put(&pair.b, 2);
	pair_run(&pair, S);
	assert_int_equal(records_of(&pair.a), 2);
	assert_int_equal(records_of(&pair.b), 1);
	assert_false(session_has_debt(&pair.a.session));
	assert_int_equal(pair.b.session.state, SESSION_SYNCED);
	pair_close(&pair);
}

/* Old reports: they would count as repaired on a link that did not rest. */
static void
test_waking_compares(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	let_rest(&pair.a, true, &pair);
	let_rest(&pair.b, true, &pair);
	put(&pair.a, 1);
	put(&pair.b, 2);
	let_rest(&pair.a, false, &pair);
	assert_int_equal(records_of(&pair.a), 2);
	assert_int_equal(records_of(&pair.b), 2);
	assert_int_equal(pair.a.session.stats.exchanges, 2);
	assert_int_equal(pair.a.session.stats.caught_up, 1);
	assert_int_equal(pair.b.session.stats.caught_up, 1);
	assert_int_equal(pair.a.session.stats.repaired, 0);
	/* Bob, who may still rest, does so again. */
	assert_false(session_is_resting(&pair.a.session));
	assert_true(session_is_resting(&pair.b.session));
	pair_close(&pair);
}

/*
 * Other links of Alice compare just now. What comes from now on goes at once,
 * and what came while the link rested when it is its turn.
 */
static void
test_many_links_wake_a_few_at_a_time(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	let_rest(&pair.a, true, &pair);
	put(&pair.a, 1);
	for (unsigned i = 0; i < BOARD_WAKES_MAX; i++)
		assert_true(board_try_wake(&pair.a.board, false));
	let_rest(&pair.a, false, &pair);
	put(&pair.a, 2);
	pair_run(&pair, S);
	assert_int_equal(records_of(&pair.b), 1);
	assert_int_equal(pair.a.session.stats.exchanges, 1);
	board_end_wake(&pair.a.board);
	pair_run(&pair, S);
	assert_int_equal(records_of(&pair.b), 2);
	assert_int_equal(pair.a.session.stats.exchanges, 2);
	/* Its place is free again. */
	assert_true(board_try_wake(&pair.a.board, false));
	/* It does not wait for ever. */
	let_rest(&pair.a, true, &pair);
	put(&pair.a, 3);
	let_rest(&pair.a, false, &pair);
	pair_run(&pair, SESSION_WAKE_NS);
	assert_int_equal(records_of(&pair.b), 3);
	/* The peer's CHECK will do. */
	let_rest(&pair.a, true, &pair);
	put(&pair.a, 4);
	let_rest(&pair.a, false, &pair);
	session_verify(&pair.b.session, ends_mono(&pair.time));
	pair_run(&pair, S);
	assert_int_equal(records_of(&pair.b), 4);
	/* A session that ends gives its place back. */
	let_rest(&pair.a, true, &pair);
	board_end_wake(&pair.a.board);
	session_let_rest(&pair.a.session, false, ends_mono(&pair.time));
	assert_int_equal(pair.a.board.waking, BOARD_WAKES_MAX);
	session_lost(&pair.a.session, "cut");
	assert_int_equal(pair.a.board.waking, BOARD_WAKES_MAX - 1);
	pair_close(&pair);
}

static void
test_a_resting_link_verifies_and_rests_again(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	let_rest(&pair.a, true, &pair);
	let_rest(&pair.b, true, &pair);
	put(&pair.a, 1);
	session_verify(&pair.b.session, ends_mono(&pair.time));
	pair_run(&pair, S);
	assert_int_equal(records_of(&pair.b), 1);
	assert_true(session_is_resting(&pair.a.session));
	assert_true(session_is_resting(&pair.b.session));
	pair_close(&pair);
}

static void
test_a_link_rests_only_once_it_is_synced(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	session_verify(&pair.a.session, ends_mono(&pair.time));
	session_tick(&pair.a.session, ends_mono(&pair.time));
	assert_int_equal(pair.a.session.state, SESSION_CHECKED);
	session_let_rest(&pair.a.session, true, ends_mono(&pair.time));
	assert_true(pair.a.session.outbox.attached);
	pair.a.due = true;
	pair_run(&pair, S);
	assert_true(session_is_resting(&pair.a.session));
	pair_close(&pair);
}

/* --- words ---------------------------------------------------------------- */

static void
hear(struct roster *roster, const char *name, uint64_t number)
{
	struct roster_word word = { .number = number, .hash = 5 };

	snprintf(word.name, sizeof(word.name), "%s", name);
	roster_hear(roster, &word);
}

static void
test_words_go_both_ways_and_on(void **state HERD_UNUSED)
{
	struct pair pair;

	pair_open(&pair);
	assert_false(session_has_words(&pair.a.session));
	roster_say(&pair.rosters[0], 5, "");
	hear(&pair.rosters[0], "Zoe", 7);
	roster_say(&pair.rosters[1], 5, "");
	assert_true(session_has_words(&pair.a.session));
	pair.a.due = pair.b.due = true;
	pair_run(&pair, S);
	assert_false(session_has_words(&pair.a.session));
	assert_true(roster_rests(&pair.rosters[0]));
	assert_true(roster_rests(&pair.rosters[1]));
	pair_close(&pair);
}

static void
test_words_that_change_leave_now_and_then(void **state HERD_UNUSED)
{
	static const char *const downs[] = { "Zoe", "" };
	struct pair pair;
	uint64_t until;
	uint64_t heard = 0;
	unsigned times = 0;

	pair_open(&pair);
	roster_say(&pair.rosters[0], 5, "");
	pair.a.due = true;
	pair_run(&pair, 2 * MS);
	assert_int_equal(pair.rosters[1].words[0].number, 1);
	until = pair.time.ns + S;
	for (unsigned i = 0; pair.time.ns < until; i++) {
		roster_say(&pair.rosters[0], 5, downs[i % 2]);
		pair.a.due = true;
		pair_run(&pair, MS);
		times += pair.rosters[1].words[0].number != heard;
		heard = pair.rosters[1].words[0].number;
	}
	assert_in_range(times, 9, 11);
	/* The last one leaves without another reason. */
	pair_run(&pair, SESSION_WORDS_NS + MS);
	assert_int_equal(
	    pair.rosters[1].words[0].number, pair.rosters[0].words[0].number);
	pair_close(&pair);
}

/* A node that has another file hears again what it did not know before. */
static void
test_another_file_asks_again(void **state HERD_UNUSED)
{
	static const roster_name less[] = { "Alice", "Bob" };
	struct pair pair;

	pair_open(&pair);
	assert_ok(roster_set(&pair.rosters[1], less, 2, span_from("Bob")));
	roster_say(&pair.rosters[0], 5, "");
	hear(&pair.rosters[0], "Zoe", 7);
	roster_say(&pair.rosters[1], 5, "");
	pair.a.due = pair.b.due = true;
	pair_run(&pair, S);
	assert_ok(roster_set(&pair.rosters[1], NAMES, 3, span_from("Bob")));
	assert_false(roster_rests(&pair.rosters[1]));
	pair.b.due = true;
	pair_run(&pair, S);
	assert_true(roster_rests(&pair.rosters[1]));
	pair_close(&pair);
}

#define LONG_NAME \
	"0123456789012345678901234567890123456789012345678901234567890123"

static void
test_bad_words_end_the_session(void **state HERD_UNUSED)
{
	static const char *const lines[] = { "EAGER Ann", "EAGER Ann 1",
		"EAGER Ann 1 0000000000000005",
		"EAGER Ann 0 0000000000000005 -",
		"EAGER Ann 4611686018427387905 0000000000000005 -",
		"EAGER Ann 1 000000000000005 -",
		"EAGER Ann 1 000000000000000G -",
		"EAGER A/n 1 0000000000000005 -",
		"EAGER Ann 1 0000000000000005 B/b",
		"EAGER " LONG_NAME "x 1 0000000000000005 -",
		"EAGER Ann 1 0000000000000005 " LONG_NAME "x" };
	struct ends_time time;
	struct end bob;

	for (size_t i = 0; i < HERD_ARRAY_LEN(lines); i++) {
		bob_syncs(&bob, &time);
		end_hears(&bob, lines[i], &time);
		assert_bye(&bob, "BYE bad-line bad EAGER", &time);
		end_release(&bob);
	}
	/* A node without a roster takes good ones and forgets them. */
	bob_syncs(&bob, &time);
	end_hears(&bob, "EAGER", &time);
	end_hears(&bob, "EAGER Ann 1 0000000000000005 Bob", &time);
	end_hears(&bob,
	    "EAGER " LONG_NAME
	    " 4611686018427387904 0000000000000005 " LONG_NAME,
	    &time);
	assert_int_equal(bob.session.state, SESSION_SYNCED);
	end_release(&bob);
}

/* More words than a socket takes at a time. */
static void
test_many_words_come_in_turns(void **state HERD_UNUSED)
{
	enum { N = 3000 };
	static roster_name names[N];
	struct pair pair;

	pair_open(&pair);
	for (unsigned i = 0; i < N; i++)
		snprintf(names[i], sizeof(names[i]), "N%04u", i);
	snprintf(names[0], sizeof(names[0]), "Alice");
	snprintf(names[1], sizeof(names[1]), "Bob");
	for (unsigned i = 0; i < 2; i++)
		assert_ok(roster_set(&pair.rosters[i], names, N,
		    span_from(i == 0 ? "Alice" : "Bob")));
	roster_say(&pair.rosters[0], 5, "");
	roster_say(&pair.rosters[1], 5, "");
	for (unsigned i = 2; i < N; i++)
		hear(&pair.rosters[0], names[i], 1);
	pair.a.due = pair.b.due = true;
	pair_run(&pair, S);
	assert_true(roster_rests(&pair.rosters[1]));
	pair_close(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_resting_side_owes_nothing_but_reads),
		cmocka_unit_test(test_waking_compares),
		cmocka_unit_test(test_many_links_wake_a_few_at_a_time),
		cmocka_unit_test(test_a_resting_link_verifies_and_rests_again),
		cmocka_unit_test(test_a_link_rests_only_once_it_is_synced),
		cmocka_unit_test(test_words_go_both_ways_and_on),
		cmocka_unit_test(test_words_that_change_leave_now_and_then),
		cmocka_unit_test(test_another_file_asks_again),
		cmocka_unit_test(test_bad_words_end_the_session),
		cmocka_unit_test(test_many_words_come_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
