/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session with a script for a peer: what may be said in which state, what
 * an exchange compares and owes, and how much goes out at once.
 */
#include "ends.h"

/* --- lines out of turn --------------------------------------------------- */

static void
test_lines_against_the_rules_end_the_session(void **state)
{
	static const char *const before_check[] = { "", "WHO", "HELLO herd/1",
		"AT Riley +0.000000000 kiwi +1-1 1", "GONE Riley kiwi 1",
		"NEXT", "DIGEST - 00", "CHECK", "CHECK 0 0", "CHECK 2 0",
		"CHECK 1", "CHECK 1 x", "CHECK 1 17179869185", "CHECK -1 0",
		"ACK 1", "ACK", "ACK x", "PING", "PING x", "PING -1", "PONG 1",
		"PONG x 1", "PONG 1 1e9" };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(before_check); i++) {
		struct ends_time time;
		struct end bob;

		bob_init(&bob, &time);
		end_hears_hello(&bob, true, &time);
		(void)end_says(&bob, &time);
		end_hears(&bob, before_check[i], &time);
		assert_bye(&bob, "BYE bad-line ", &time);
		end_release(&bob);
	}
}

static void
test_lines_of_an_exchange_out_of_turn_end_the_session(void **state)
{
	static const char *const after_check[] = { "CHECK 1 0", "CHECK 2 0",
		"NEXT", "DIGEST A 00", "DIGEST = 00", "DIGEST AAA 00",
		"AT Riley 0 kiwi +1-1 1", "AT Riley +0.000000000 kiwi +91-1 1",
		"AT Ri/ley +0.000000000 kiwi +1-1 1",
		"AT Riley +0.000000000 kiwi +1-1 17179869184",
		"GONE Riley kiwi", "GONER Riley kiwi 1" };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(after_check); i++) {
		struct ends_time time;
		struct end bob;

		bob_checks(&bob, &time);
		end_hears(&bob, after_check[i], &time);
		assert_bye(&bob, "BYE bad-line ", &time);
		end_release(&bob);
	}
}

/* A DIGEST of a node that is not open: twice the root, or any other. */
static void
test_digest_nobody_waits_for_ends_the_session(void **state)
{
	static const char *const paths[] = { "-", "A", "AA", "//" };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(paths); i++) {
		struct ends_time time;
		struct end bob;

		bob_init(&bob, &time);
		(void)unit_put(bob.table, 1, 1000 * S);
		end_hears_hello(&bob, true, &time);
		end_hears(&bob, "CHECK 1 0", &time);
		assert_says(&bob, "DIGEST - ", &time);
		/* All differ: where ours are not empty one stays open. */
		hears_digest(&bob, "-", "0123456789abcdef", &time);
		(void)end_says(&bob, &time);
		assert_int_equal(bob.session.exchange.open, 1);
		for (unsigned j = 0; j < 2; j++)
			hears_digest(&bob, paths[i], "0123456789abcdef", &time);
		assert_bye(&bob, "BYE bad-line DIGEST out of turn", &time);
		end_release(&bob);
	}
}

static void
test_next_twice_ends_the_session(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "NEXT", &time);
	assert_bye(&bob, "BYE bad-line NEXT out of turn", &time);
	end_release(&bob);
}

static void
test_check_skipping_a_number_ends_the_session(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "CHECK 3 0", &time);
	assert_bye(&bob, "BYE bad-line bad CHECK", &time);
	end_release(&bob);
}

/* --- each line in each state --------------------------------------------- */

/* An empty Bob up to `state`, step by step. */
static void
bob_reaches(struct end *bob, struct ends_time *time, enum session_state state)
{
	time->ns = S;
	end_init(bob, "Bob");
	/* A node with data lets an empty peer begin. */
	if (state == SESSION_LIVE)
		board_synced(&bob->board);
	end_connect(bob, "", 2, time);
	assert_false(session_is_comparing(&bob->session));
	end_hears_hello(bob, true, time);
	if (state > SESSION_CHECKED)
		end_hears(bob, "CHECK 1 0", time);
	while (state > SESSION_SCAN && bob->session.state == SESSION_SCAN)
		(void)session_work(&bob->session);
	if (state > SESSION_COMPARE) {
		(void)end_says(bob, time);
		hears_digest(bob, "-", "0000000000000000", time);
	}
	if (state > SESSION_OWE)
		(void)session_work(&bob->session);
	if (state > SESSION_DRAIN)
		(void)end_says(bob, time);
	if (state > SESSION_NEXT)
		end_hears(bob, "NEXT", time);
	assert_int_equal(bob->session.state, state);
}

#define REPORT "AT Riley +0.000000000 kiwi +1-1 1"

static void
test_each_line_has_its_states(void **state)
{
	static const struct {
		const char *line; /* one letter: DIGEST of that */
		unsigned states;
	} cases[] = {
		{ "CHECK 1 0", 1u << SESSION_LIVE | 1u << SESSION_CHECKED },
		{ "CHECK 2 0", 1u << SESSION_SYNCED },
		{ "-", 1u << SESSION_SCAN | 1u << SESSION_COMPARE },
		{ "A", 0 },
		{ "NEXT", 1u << SESSION_OWE | 1u << SESSION_DRAIN |
			      1u << SESSION_NEXT },
		{ REPORT, 1u << SESSION_SCAN | 1u << SESSION_COMPARE |
			      1u << SESSION_OWE | 1u << SESSION_DRAIN |
			      1u << SESSION_NEXT | 1u << SESSION_SYNCED },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		for (unsigned at = SESSION_LIVE; at < SESSION_CLOSED; at++) {
			struct ends_time time;
			struct end bob;

			bob_reaches(&bob, &time, (enum session_state)at);
			assert_true(session_is_comparing(&bob.session) ==
				    (at != SESSION_SYNCED));
			if (cases[i].line[1] == '\0')
				hears_digest(&bob, cases[i].line,
				    "0000000000000000", &time);
			else
				end_hears(&bob, cases[i].line, &time);
			if ((cases[i].states >> at & 1) == 0)
				assert_bye(&bob, "BYE bad-line ", &time);
			else
				assert_int_not_equal(
				    bob.session.state, SESSION_CLOSED);
			end_release(&bob);
		}
	}
}

/* The peer's root may come during the scan, but once. */
static void
test_root_twice_during_scan_ends_the_session(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_reaches(&bob, &time, SESSION_SCAN);
	hears_digest(&bob, "-", "0000000000000000", &time);
	assert_int_equal(bob.session.state, SESSION_SCAN);
	hears_digest(&bob, "-", "0000000000000000", &time);
	assert_bye(&bob, "BYE bad-line DIGEST out of turn", &time);
	end_release(&bob);
}

static void
test_calls_out_of_turn_change_nothing(void **state)
{
	static const enum session_state states[] = { SESSION_LIVE,
		SESSION_CHECKED, SESSION_COMPARE, SESSION_NEXT,
		SESSION_SYNCED };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(states); i++) {
		struct ends_time time;
		struct end bob;

		bob_reaches(&bob, &time, states[i]);
		assert_false(session_work(&bob.session));
		assert_int_equal(bob.session.state, states[i]);
		session_verify(&bob.session, ends_mono(&time));
		session_tick(&bob.session, ends_mono(&time));
		/* Only who is SYNCED verifies. */
		assert_int_equal(bob.session.state,
		    states[i] == SESSION_SYNCED ? SESSION_CHECKED : states[i]);
		session_bye(&bob.session, BYE_STOP, "of the test");
		(void)end_says(&bob, &time);
		time.ns += 1000 * S;
		session_tick(&bob.session, ends_mono(&time));
		session_bye(&bob.session, BYE_SILENT, "no more");
		assert_string_equal(end_says(&bob, &time), "");
		assert_int_equal(bob.session.reason, BYE_STOP);
		end_release(&bob);
	}
}

static void
test_bye_is_the_last_line(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, REPORT, &time);
	session_bye(&bob.session, BYE_STOP, "of the test");
	time.ns += SESSION_ACK_NS;
	assert_string_equal(end_says(&bob, &time), "BYE stop of the test\n");
	end_release(&bob);
}

/* A waiting node looks again when it said it would, not before. */
static void
test_waiting_node_polls(void **state)
{
	struct ends_time time = { S };
	struct end bob;

	(void)state;
	end_init(&bob, "Bob");
	board_enter(&bob.board);
	end_connect(&bob, "", 2, &time);
	end_hears_hello(&bob, true, &time);
	assert_int_equal(bob.session.state, SESSION_LIVE);
	board_leave(&bob.board);
	time.ns = session_deadline(&bob.session).ns - 1;
	session_tick(&bob.session, ends_mono(&time));
	assert_int_equal(bob.session.state, SESSION_LIVE);
	time.ns += 1;
	session_tick(&bob.session, ends_mono(&time));
	assert_int_equal(bob.session.state, SESSION_CHECKED);
	end_release(&bob);
}

static void
test_check_without_a_free_outbox_ends_the_session(void **state)
{
	struct outbox outboxes[TABLE_OUTBOXES];
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_init(&bob, &time);
	for (unsigned i = 0; i < TABLE_OUTBOXES; i++) {
		outbox_init(
		    &outboxes[i], bob.table, 100 + i, unit_no_wake, NULL);
		assert_ok(outbox_attach(&outboxes[i]));
	}
	end_hears_hello(&bob, true, &time);
	end_hears(&bob, "CHECK 1 0", &time);
	assert_bye(&bob, "BYE out-of-memory all outboxes are taken", &time);
	for (unsigned i = 0; i < TABLE_OUTBOXES; i++)
		outbox_detach(&outboxes[i]);
	end_release(&bob);
}

/* --- comparing and owing ------------------------------------------------- */

/* The peer is faster: its DIGEST of a node comes before ours has left. */
static void
test_compare_ends_when_own_digests_are_out(void **state)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct ends_time time;
	struct end bob;
	char path[2] = "";
	char want[16];

	(void)state;
	bob_init(&bob, &time);
	(void)unit_put(bob.table, 1, 1000 * S);
	end_hears_hello(&bob, true, &time);
	end_hears(&bob, "CHECK 1 0", &time);
	assert_says(&bob, "DIGEST - ", &time);
	hears_digest(&bob, "-", "0123456789abcdef", &time);
	/* One child is not empty here. */
	assert_int_equal(bob.session.exchange.open, 1);
	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		if ((bob.session.exchange.pending[1] >> i & 1) != 0)
			path[0] = digits[i];
	}
	hears_digest(&bob, path, "0000000000000000", &time);
	assert_int_equal(bob.session.state, SESSION_COMPARE);
	snprintf(want, sizeof(want), "DIGEST %s ", path);
	assert_says(&bob, want, &time);
	assert_int_equal(bob.session.state, SESSION_NEXT);
	assert_int_equal(bob.session.stats.sent, 1);
	end_release(&bob);
}

#define CUT_S UINT64_C(1599999121) /* Bob's clock - 1000 s + 120 s */

/* What Bob, who has records around the cut, sends to an empty Zoe. */
static const char *
bob_owes(struct end *bob, struct ends_time *time, uint64_t expire_ns,
    const char *check)
{
	time->ns = S;
	end_init(bob, "Bob");
	bob->node.expire_after_ns = expire_ns;
	(void)unit_put(bob->table, 0, 0);
	(void)unit_put(bob->table, 1, CUT_S * S);
	(void)unit_put(bob->table, 2, CUT_S * S + 1);
	(void)unit_put(bob->table, 3, (CUT_S + 1) * S + 1);
	end_connect(bob, "", 2, time);
	end_hears_hello(bob, true, time);
	end_hears(bob, check, time);
	(void)end_says(bob, time);
	hears_digest(bob, "-", "0000000000000000", time);
	return end_says(bob, time);
}

/* Neither hashed nor owed: what is not newer than the later cut of both. */
static void
test_exchange_leaves_out_what_expires(void **state)
{
	static const struct {
		uint64_t expire_s;
		const char *check;
		bool owed[4];
	} cases[] = {
		{ 0, "CHECK 1 0", { true, true, true, true } },
		/* Longer than there is time. */
		{ 2000000000, "CHECK 1 0", { true, true, true, true } },
		{ 1000, "CHECK 1 0", { false, false, true, true } },
		{ 1000, "CHECK 1 1599999121", { false, false, true, true } },
		{ 1000, "CHECK 1 1599999122", { false, false, false, true } },
		{ 1000, "CHECK 1 1599999121.000000001",
		    { false, false, false, true } },
		{ 0, "CHECK 1 1599999121", { false, false, true, true } },
		{ 1000, "CHECK 1 1600000000", { false, false, false, false } },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct ends_time time;
		struct end bob;
		const char *said = bob_owes(
		    &bob, &time, cases[i].expire_s * S, cases[i].check);
		unsigned owed = 0;

		for (unsigned j = 0; j < 4; j++) {
			char client[16];

			snprintf(client, sizeof(client), " client-%u ", j);
			assert_true(
			    (strstr(said, client) != NULL) == cases[i].owed[j]);
			owed += cases[i].owed[j];
		}
		assert_true((bob.session.exchange.marked == 0) == (owed == 0));
		assert_int_equal(bob.session.stats.sent, owed);
		assert_int_equal(bob.session.state, SESSION_NEXT);
		end_release(&bob);
	}
}

/* Many new records under way do not hold NEXT back. */
static void
test_next_does_not_wait_for_what_came_later(void **state)
{
	struct ends_time time;
	struct end bob;
	const char *next;

	(void)state;
	bob_reaches(&bob, &time, SESSION_DRAIN);
	for (unsigned i = 0; i < 1000; i++)
		(void)unit_put(bob.table, i, 1000 * S);
	next = strstr(end_says(&bob, &time), "NEXT\n");
	assert_non_null(next);
	assert_non_null(strstr(next, "client-"));
	assert_int_equal(bob.session.stats.sent, 1000);
	end_release(&bob);
}

/* But what was owed at that moment goes before it. */
static void
test_next_waits_for_what_was_owed(void **state)
{
	struct ends_time time;
	struct end bob;
	const char *next;

	(void)state;
	bob_reaches(&bob, &time, SESSION_OWE);
	for (unsigned i = 0; i < 1000; i++)
		(void)unit_put(bob.table, i, 1000 * S);
	next = strstr(end_says(&bob, &time), "NEXT\n");
	assert_non_null(next);
	assert_null(strstr(next, "client-"));
	assert_int_equal(bob.session.stats.sent, 1000);
	end_release(&bob);
}

/* --- repairs ------------------------------------------------------------- */

static void
hears_at(struct end *bob, const char *client, unsigned time_s,
    const struct ends_time *time)
{
	char line[80];

	snprintf(line, sizeof(line), "AT Riley +0.000000000 %s +1-1 %u", client,
	    time_s);
	end_hears(bob, line, time);
}

/* From the peer's CHECK to its NEXT, and only what is more than 60 s old. */
static void
test_repair_is_what_a_verification_brings_late(void **state)
{
	const unsigned old = 1599999900;
	struct ends_time time;
	struct end bob;
	const struct session_stats *stats = &bob.session.stats;

	(void)state;
	bob_syncs(&bob, &time);
	hears_at(&bob, "before", old, &time);
	session_verify(&bob.session, ends_mono(&time));
	assert_says(&bob, "CHECK 2 0\n", &time);
	hears_at(&bob, "by-flood", old, &time);
	assert_int_equal(stats->repaired, 0);
	end_hears(&bob, "CHECK 2 0", &time);
	hears_at(&bob, "late", old, &time);
	assert_int_equal(stats->repaired, 1);
	hears_at(&bob, "fresh", 1599999990, &time);
	hears_at(&bob, "ahead", 1600000500, &time);
	assert_int_equal(stats->repaired, 1);
	(void)end_says(&bob, &time);
	hears_digest(&bob, "-", "0000000000000000", &time);
	assert_int_equal(bob.session.state, SESSION_OWE);
	end_hears(&bob, "NEXT", &time);
	hears_at(&bob, "after", old, &time);
	assert_int_equal(stats->repaired, 1);
	assert_int_equal(stats->accepted, 6);
	end_release(&bob);
}

/* --- how much at once ---------------------------------------------------- */

/* A record with a location of `len` bytes. */
static void
put_long(struct end *end, unsigned client, size_t len)
{
	struct unit_report made;
	char *place = malloc(len);

	assert_non_null(place);
	memset(place, '1', len);
	memcpy(place, "+1.", 3);
	place[len - 2] = '-';
	unit_report(&made, client, 1000 * S);
	made.report.location = span_of(place, len);
	assert_int_equal(unit_put_at(end->table, &made.report, FROM_CLIENT, 0),
	    PUT_ACCEPTED);
	free(place);
}

/* Long records: a fill ends at its limit, or with one that is longer alone. */
static void
test_fill_holds_to_its_limit(void **state)
{
	struct ends_time time;
	struct end bob;
	bool more = true;
	unsigned alone = 0;

	(void)state;
	bob_syncs(&bob, &time);
	for (unsigned i = 0; i < 400; i++)
		put_long(&bob, i, 1000);
	put_long(&bob, 1000, SESSION_OUT_MAX);
	put_long(&bob, 1001, SESSION_OUT_MAX);
	time.ns += S;
	while (more) {
		uint64_t before = bob.session.stats.sent;

		more = session_fill(&bob.session, &bob.out, ends_mono(&time));
		assert_true(bob.session.stats.sent > before);
		if (bob.out.len > SESSION_OUT_MAX) {
			assert_int_equal(bob.session.stats.sent, before + 1);
			alone++;
		}
		session_sent(&bob.session, bob.out.len, ends_mono(&time));
		buf_clear(&bob.out);
	}
	assert_int_equal(bob.session.stats.sent, 402);
	assert_int_equal(alone, 2);
	end_release(&bob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_against_the_rules_end_the_session),
		cmocka_unit_test(
		    test_lines_of_an_exchange_out_of_turn_end_the_session),
		cmocka_unit_test(test_digest_nobody_waits_for_ends_the_session),
		cmocka_unit_test(test_next_twice_ends_the_session),
		cmocka_unit_test(test_check_skipping_a_number_ends_the_session),
		cmocka_unit_test(test_each_line_has_its_states),
		cmocka_unit_test(test_root_twice_during_scan_ends_the_session),
		cmocka_unit_test(test_calls_out_of_turn_change_nothing),
		cmocka_unit_test(test_bye_is_the_last_line),
		cmocka_unit_test(test_waiting_node_polls),
		cmocka_unit_test(
		    test_check_without_a_free_outbox_ends_the_session),
		cmocka_unit_test(test_compare_ends_when_own_digests_are_out),
		cmocka_unit_test(test_exchange_leaves_out_what_expires),
		cmocka_unit_test(test_next_does_not_wait_for_what_came_later),
		cmocka_unit_test(test_next_waits_for_what_was_owed),
		cmocka_unit_test(
		    test_repair_is_what_a_verification_brings_late),
		cmocka_unit_test(test_fill_holds_to_its_limit),
	};

	return cmocka_run_group_tests_name("session_turns", tests, NULL, NULL);
}
