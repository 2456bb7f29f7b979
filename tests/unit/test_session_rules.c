/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session with a script for a peer: every refusal, lines too long or
 * unclean, and time: silence, stalls, acknowledgements.
 */
#include "ends.h"

/* --- HELLO --------------------------------------------------------------- */

#define PARAMS "params="
#define NONCE "nonce=00112233445566778899aabbccddeeff "

static void
test_hello_is_refused_by_name(void **state)
{
	static const struct {
		const char *hello;
		const char *bye;
		enum session_reason reason;
	} cases[] = {
		{ "HELLO herd/2 herd=ucla node=Zoe " NONCE, "BYE version ",
		    BYE_VERSION },
		{ "HELLO", "BYE version ", BYE_VERSION },
		{ "HELLO herd/1 herd=usc node=Zoe " NONCE, "BYE wrong-herd ",
		    BYE_WRONG_HERD },
		{ "HELLO herd/1 herd=ucla " NONCE, "BYE bad-line ",
		    BYE_BAD_LINE },
		{ "HELLO herd/1 herd=ucla node=Z/oe " NONCE, "BYE bad-line ",
		    BYE_BAD_LINE },
		{ "HELLO herd/1 herd=ucla node=Bob " NONCE, "BYE self ",
		    BYE_SELF },
		{ "HELLO herd/1 herd=ucla node=Zoe peer=Bobby " NONCE,
		    "BYE wrong-node ", BYE_WRONG_NODE },
		{ "HELLO herd/1 herd=ucla node=Zoe " NONCE
		  "params=0000000000000000",
		    "BYE params ", BYE_PARAMS },
		{ "HELLO herd/1 herd=ucla node=Zoe nonce=12 PARAMS",
		    "BYE bad-line ", BYE_BAD_LINE },
		{ "HELLO herd/1 herd=ucla node=Zoe PARAMS", "BYE bad-line ",
		    BYE_BAD_LINE },
		{ "PING 1", "BYE bad-line ", BYE_BAD_LINE },
		{ "AT Riley +0.000000000 kiwi +1-1 1", "BYE bad-line ",
		    BYE_BAD_LINE },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct ends_time time;
		struct end bob;
		char line[256];
		const char *params;

		bob_init(&bob, &time);
		params = strstr(cases[i].hello, "PARAMS");
		if (params == NULL)
			snprintf(line, sizeof(line), "%s", cases[i].hello);
		else
			snprintf(line, sizeof(line), "%.*sparams=%016llx",
			    (int)(params - cases[i].hello), cases[i].hello,
			    (unsigned long long)bob.node.params);
		end_hears(&bob, line, &time);
		assert_bye(&bob, cases[i].bye, &time);
		assert_int_equal(bob.session.reason, cases[i].reason);
		end_release(&bob);
	}
}

/* Who dialled Zoe wants Zoe. */
static void
test_hello_of_another_than_dialled_is_refused(void **state)
{
	struct ends_time time = { S };
	struct end bob;

	(void)state;
	end_init(&bob, "Bob");
	end_connect(&bob, "Yves", 2, &time);
	assert_says(&bob, "peer=Yves", &time);
	end_hears_hello(&bob, false, &time);
	assert_bye(
	    &bob, "BYE wrong-node Bob dialled Yves, but Zoe answers", &time);
	end_release(&bob);
}

static void
test_hello_refused_by_admission(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_init(&bob, &time);
	bob.admits = BYE_NOT_CONFIGURED;
	end_hears_hello(&bob, false, &time);
	assert_bye(&bob,
	    "BYE not-configured no link between Bob and Zoe here that Zoe "
	    "dials",
	    &time);
	assert_true(session_reason_is_refusal(bob.session.reason));
	end_release(&bob);

	bob_init(&bob, &time);
	bob.admits = BYE_DISABLED;
	end_hears_hello(&bob, false, &time);
	assert_bye(&bob,
	    "BYE disabled an operator has disabled the link between Bob and "
	    "Zoe here",
	    &time);
	end_release(&bob);
}

/* Later versions may say more. */
static void
test_hello_with_unknown_fields_is_fine(void **state)
{
	struct ends_time time;
	struct end bob;
	char line[300];

	(void)state;
	bob_init(&bob, &time);
	snprintf(line, sizeof(line),
	    HELLO_FROM_ZOE "%016llx colour=blue fresh=1 features=lazy x",
	    (unsigned long long)bob.node.params);
	end_hears(&bob, line, &time);
	assert_int_not_equal(bob.session.state, SESSION_HELLO);
	assert_int_not_equal(bob.session.state, SESSION_CLOSED);
	assert_true(bob.session.peer_fresh);
	assert_string_equal(bob.session.peer, "Zoe");
	end_release(&bob);
}

static void
test_hello_must_come_in_5_s(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_init(&bob, &time);
	assert_true(session_deadline(&bob.session).ns == 6 * S);
	time.ns = 6 * S - 1;
	session_tick(&bob.session, ends_mono(&time));
	assert_int_equal(bob.session.state, SESSION_HELLO);
	time.ns = 6 * S;
	assert_bye(&bob, "BYE silent ", &time);
	end_release(&bob);
}

static void
test_line_before_hello_is_1_kib_at_most(void **state)
{
	struct ends_time time;
	struct end bob;
	char byte = 'x';

	(void)state;
	bob_init(&bob, &time);
	for (unsigned i = 0; i < SESSION_HELLO_MAX; i++)
		end_feed(&bob, span_of(&byte, 1), &time);
	assert_int_equal(bob.session.state, SESSION_HELLO);
	end_feed(&bob, span_of(&byte, 1), &time);
	assert_bye(&bob, "BYE bad-line line too long: xxx", &time);
	end_release(&bob);
}

static void
test_peers_bye_is_understood(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	for (size_t i = BYE_NONE; i < SESSION_REASON_COUNT; i++) {
		enum session_reason reason = (enum session_reason)i;
		char line[64];

		bob_init(&bob, &time);
		snprintf(line, sizeof(line), "BYE %s so\tthere",
		    session_reason_word(reason));
		end_hears(&bob, line, &time);
		assert_int_equal(bob.session.state, SESSION_CLOSED);
		assert_int_equal(bob.session.reason, reason);
		assert_true(bob.session.by_peer);
		assert_non_null(strstr(bob.session.error, "so\\tthere"));
		end_release(&bob);
	}
	/* A word of a later version is no reason that we know. */
	bob_init(&bob, &time);
	end_hears(&bob, "BYE tired", &time);
	assert_int_equal(bob.session.reason, BYE_NONE);
	end_release(&bob);
}

/* --- lines that are none ------------------------------------------------- */

static void
test_line_after_hello_is_bounded(void **state)
{
	struct ends_time time;
	struct end bob;
	size_t most = 65536 + SESSION_LINE_EXTRA;
	char *line = malloc(most + 1);

	(void)state;
	assert_non_null(line);
	memset(line, 'x', most + 1);
	bob_syncs(&bob, &time);
	end_feed(&bob, span_of(line, most), &time);
	assert_int_equal(bob.session.state, SESSION_SYNCED);
	end_feed(&bob, span_of(line, 1), &time);
	assert_bye(&bob, "BYE bad-line line too long: xxx", &time);
	end_release(&bob);
	free(line);
}

/* Control characters of a peer's line do not come back as such. */
static void
test_bad_line_is_quoted_clean(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "\x1b[2J\r\x01 \xff", &time);
	assert_bye(&bob, "unknown word: \\x1b[2J\\r\\x01 \\xff\n", &time);
	end_release(&bob);
}

/* --- records ------------------------------------------------------------- */

static void
test_records_are_put_and_counted(void **state)
{
	struct ends_time time;
	struct end bob;
	struct table_counts counts;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "AT Riley +0.000000000 kiwi +1-1 100", &time);
	end_hears(&bob, "AT Riley +0.000000000 kiwi +1-1 99", &time);
	end_hears(&bob, "AT Riley +0.000000000 kiwi +1-1 100", &time);
	end_hears(&bob, "GONE Riley kiwi 101", &time);
	table_count(bob.table, &counts);
	assert_int_equal(counts.records, 1);
	assert_int_equal(counts.removals, 1);
	assert_int_equal(bob.session.stats.received, 4);
	assert_int_equal(bob.session.stats.accepted, 2);
	assert_int_equal(bob.session.stats.stale, 2);
	end_release(&bob);
}

static void
test_ack_comes_after_100_ms_or_many_records(void **state)
{
	struct ends_time time;
	struct end bob;
	char line[64];

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "AT Riley +0.000000000 kiwi +1-1 100", &time);
	assert_null(strstr(end_says(&bob, &time), "ACK"));
	assert_true(
	    session_deadline(&bob.session).ns <= time.ns + SESSION_ACK_NS);
	time.ns += SESSION_ACK_NS;
	assert_says(&bob, "ACK 1\n", &time);
	for (unsigned i = 0; i < SESSION_ACK_RECORDS; i++) {
		assert_null(strstr(end_says(&bob, &time), "ACK"));
		snprintf(line, sizeof(line),
		    "AT Riley +0.000000000 c%u +1-1 100", i);
		end_hears(&bob, line, &time);
	}
	assert_says(&bob, "ACK 4097\n", &time);
	time.ns += SESSION_ACK_NS;
	assert_null(strstr(end_says(&bob, &time), "ACK"));
	end_release(&bob);
}

static void
test_ack_goes_along_with_reports(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "AT Riley +0.000000000 kiwi +1-1 100", &time);
	assert_null(strstr(end_says(&bob, &time), "ACK"));
	(void)unit_put(bob.table, 1, 1000 * S);
	assert_says(&bob, "ACK 1\nAT ", &time);
	end_release(&bob);
}

/* An ACK neither goes back nor beyond what was sent. */
static void
test_ack_is_bounded(void **state)
{
	static const struct {
		const char *line;
		bool fine;
	} cases[] = {
		{ "ACK 3", true },
		{ "ACK 5", true },
		{ "ACK 6", false },
		{ "ACK 0", false },
		{ "ACK 18446744073709551616", false },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct ends_time time;
		struct end bob;

		bob_syncs(&bob, &time);
		for (unsigned j = 0; j < 5; j++)
			(void)unit_put(bob.table, j, 1000 * S);
		time.ns += 10 * MS;
		(void)end_says(&bob, &time);
		assert_int_equal(bob.session.stats.sent, 5);
		end_hears(&bob, "ACK 2", &time);
		end_hears(&bob, cases[i].line, &time);
		assert_int_equal(bob.session.state,
		    cases[i].fine ? SESSION_SYNCED : SESSION_CLOSED);
		end_release(&bob);
	}
}

static void
test_lag_is_the_age_of_what_is_not_acked(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	(void)unit_put(bob.table, 1, 1000 * S);
	(void)end_says(&bob, &time);
	assert_true(session_has_debt(&bob.session));
	time.ns += 3 * S;
	assert_true(session_lag_ns(&bob.session, ends_mono(&time)) ==
		    3 * S - SESSION_ACK_NS);
	end_hears(&bob, "ACK 1", &time);
	assert_true(session_lag_ns(&bob.session, ends_mono(&time)) == 0);
	assert_false(session_has_debt(&bob.session));
	end_release(&bob);
}

/* More positions than it remembers: the lag is never said too small. */
static void
test_lag_survives_many_marks(void **state)
{
	struct ends_time time;
	struct end bob;
	char line[32];

	(void)state;
	bob_syncs(&bob, &time);
	for (unsigned i = 0; i < 3 * SESSION_MARKS; i++) {
		time.ns += 10 * MS;
		(void)unit_put(bob.table, i, 1000 * S);
		(void)end_says(&bob, &time);
	}
	assert_int_equal(bob.session.mark_count, SESSION_MARKS);
	snprintf(line, sizeof(line), "ACK %u", 3 * SESSION_MARKS - 1);
	end_hears(&bob, line, &time);
	assert_int_equal(bob.session.mark_count, 1);
	assert_true(session_lag_ns(&bob.session, ends_mono(&time)) > 0);
	end_release(&bob);
}

/* --- time ---------------------------------------------------------------- */

static void
test_ping_is_answered_and_measured(void **state)
{
	struct ends_time time;
	struct end bob;
	char line[64];
	char text[TIME_FORMAT_MAX];

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "PING 77", &time);
	assert_says(&bob, "PONG 77 1600000001.000000000\n", &time);
	time.ns += 5 * S;
	assert_says(&bob, "PING 2\n", &time);
	time.ns += 20 * MS;
	/* The answer to another one, and too late. */
	end_hears(&bob, "PONG 1 1", &time);
	assert_false(bob.session.clock_known);
	/* Zoe's clock was 7 s ahead when the PING was half way. */
	snprintf(line, sizeof(line), "PONG 2 %.*s",
	    (int)time_format(ends_wall(&time).ns + 7 * S - 10 * MS, text),
	    text);
	end_hears(&bob, line, &time);
	assert_true(bob.session.rtt_ns == (int64_t)(20 * MS));
	assert_true(bob.session.clock_known);
	assert_true(session_clock_ns(&bob.session, ends_mono(&time),
			ends_wall(&time)) == (int64_t)(7 * S));
	/* One that was not asked for says nothing, nor the same again. */
	end_hears(&bob, "PONG 9 1", &time);
	end_hears(&bob, "PONG 2 1", &time);
	assert_true(session_clock_ns(&bob.session, ends_mono(&time),
			ends_wall(&time)) == (int64_t)(7 * S));
	assert_int_equal(bob.session.state, SESSION_SYNCED);
	end_release(&bob);
}

static void
test_silence_of_15_s_ends_the_session(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	time.ns += 14 * S;
	(void)end_says(&bob, &time);
	end_hears(&bob, "PING 1", &time);
	time.ns += 14 * S;
	(void)end_says(&bob, &time);
	assert_int_equal(bob.session.state, SESSION_SYNCED);
	time.ns += S;
	assert_bye(&bob, "BYE silent ", &time);
	end_release(&bob);
}

/* The peer lives, but neither reads nor acknowledges. */
static void
test_debt_without_progress_ends_the_session(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	(void)unit_put(bob.table, 1, 1000 * S);
	/* What it says stays in a full socket. */
	for (unsigned i = 0; i < 62 && bob.session.state != SESSION_CLOSED;
	     i++) {
		(void)end_step(&bob, &time);
		end_hears(&bob, "PING 1", &time);
		time.ns += S;
	}
	assert_int_equal(bob.session.state, SESSION_CLOSED);
	assert_int_equal(bob.session.reason, BYE_STALLED);
	end_release(&bob);
}

/* Bytes that leave are progress, however slow the link. */
static void
test_slow_progress_is_no_stall(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	for (unsigned i = 0; i < 1000; i++)
		(void)unit_put(bob.table, i, 1000 * S);
	for (unsigned i = 0; i < 300; i++) {
		(void)end_step(&bob, &time);
		session_sent(&bob.session, 10, ends_mono(&time));
		end_hears(&bob, "PING 1", &time);
		time.ns += S;
	}
	assert_int_equal(bob.session.state, SESSION_SYNCED);
	end_release(&bob);
}

/* Who asks and does not read is hung up on; the queue is bounded. */
static void
test_ping_flood_without_reading_is_stalled(void **state)
{
	struct ends_time time;
	struct end bob;
	unsigned pings = 0;

	(void)state;
	bob_syncs(&bob, &time);
	while (bob.session.state != SESSION_CLOSED && pings < 100000) {
		end_feed(&bob, span_from("PING 1\n"), &time);
		assert_true(bob.session.control.len <= SESSION_OUT_MAX);
		pings++;
	}
	assert_int_equal(bob.session.reason, BYE_STALLED);
	assert_true(pings < 4000);
	end_release(&bob);
}

static void
test_lost_keeps_the_reason(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	assert_int_equal(atomic_load(&bob.board.synced), 1);
	session_lost(&bob.session, "connection reset by peer");
	assert_int_equal(bob.session.state, SESSION_CLOSED);
	assert_string_equal(bob.session.error, "connection reset by peer");
	assert_int_equal(atomic_load(&bob.board.synced), 0);
	assert_int_equal(atomic_load(&bob.board.exchanging), 0);
	session_lost(&bob.session, "again");
	assert_string_equal(bob.session.error, "connection reset by peer");
	end_release(&bob);
}

/* --- params -------------------------------------------------------------- */

static void
test_params_differ_with_each_setting(void **state)
{
	uint64_t base = session_params(65536, 100, 5 * S);

	(void)state;
	assert_true(base == session_params(65536, 100, 5 * S));
	assert_true(base != session_params(65537, 100, 5 * S));
	assert_true(base != session_params(65536, 101, 5 * S));
	assert_true(base != session_params(65536, 100, 5 * S + 1));
}

/* HELLO of a Zoe who can do all that this edition can. */
static void
hears_features(struct end *bob, const char *features, struct ends_time *time)
{
	char line[256];

	snprintf(line, sizeof(line),
	    HELLO_FROM_ZOE "%016llx fresh=1 features=%s",
	    (unsigned long long)bob->node.params, features);
	end_hears(bob, line, time);
}

/* A margin of 1/8 of 20 s, to the nanosecond for who can read it. */
static void
test_cut_has_a_fraction_for_who_reads_it(void **state)
{
	static const struct {
		const char *features;
		const char *check;
	} cases[] = {
		{ "knock", "CHECK 1 1599999984\n" },
		{ "knock,cuts", "CHECK 1 1599999984.000000005\n" },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		struct ends_time time;
		struct end bob;

		bob_init(&bob, &time);
		bob.node.expire_after_ns = 20 * S;
		/* Clock 1600000001.5 - 20 + 2.5, and a little. */
		time.ns += 500 * MS + 5;
		hears_features(&bob, cases[i].features, &time);
		end_hears(&bob, "CHECK 1 0", &time);
		assert_says(&bob, cases[i].check, &time);
		end_release(&bob);
	}
}

static void
test_cut_of_an_untrusted_clock_is_0(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_init(&bob, &time);
	bob.node.expire_after_ns = 3600 * S;
	timekeeper_init(
	    &bob.timekeeper, 3600 * S, ends_mono(&time), ends_wall(&time));
	hears_features(&bob, "cuts", &time);
	end_hears(&bob, "CHECK 1 0", &time);
	assert_says(&bob, "CHECK 1 0\n", &time);
	end_release(&bob);
}

/* Bob's wall clock is an hour ahead of two neighbours'. */
static void
overrule(struct end *bob, const struct ends_time *time)
{
	const struct timekeeper_clock right = { .offset_ns = ENDS_WALL_NS };
	const struct timekeeper_clock clocks[2] = { right, right };

	(void)timekeeper_judge(&bob->timekeeper, ends_mono(time),
	    (struct wall){ ends_wall(time).ns + 3600 * S }, clocks, 2);
}

static void
test_pong_has_the_judged_time_for_who_reads_it(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_init(&bob, &time);
	hears_features(&bob, "judged", &time);
	(void)end_says(&bob, &time);
	/* Without a majority there is none. */
	end_hears(&bob, "PING 1", &time);
	assert_says(&bob, "PONG 1 1600000001.000000000\n", &time);
	overrule(&bob, &time);
	end_hears(&bob, "PING 2", &time);
	assert_says(
	    &bob, "PONG 2 1600000001.000000000 1600000001.000000000\n", &time);
	end_release(&bob);
	bob_init(&bob, &time);
	hears_features(&bob, "knock", &time);
	overrule(&bob, &time);
	end_hears(&bob, "PING 1", &time);
	assert_says(&bob, "PONG 1 1600000001.000000000\n", &time);
	end_release(&bob);
}

static void
test_judged_time_of_a_pong_is_read_and_checked(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	end_hears(&bob, "PONG 1 1600000010 1600000020", &time);
	assert_true(bob.session.clock.judges);
	assert_true(bob.session.clock.offset_ns == ENDS_WALL_NS + 9 * S);
	assert_true(bob.session.clock.judged_ns == ENDS_WALL_NS + 19 * S);
	end_hears(&bob, "PONG 1 1600000010 soon", &time);
	assert_bye(&bob, "BYE bad-line bad PONG", &time);
	end_release(&bob);
}

/* A report that `origin` got `ago_ns` before now, by a clock 7 s ahead. */
static void
hear_report(struct end *bob, const char *origin, const char *client,
    int64_t ago_ns, const struct ends_time *time)
{
	uint64_t received = ends_wall(time).ns + 7 * S - (uint64_t)ago_ns;
	char sent[TIME_FORMAT_MAX];
	char line[128];

	snprintf(line, sizeof(line), "AT %s +0.250000000 %s +1-1 %.*s", origin,
	    client, (int)time_format(received - S / 4, sent), sent);
	end_hears(bob, line, time);
}

static uint64_t
timed(const struct end *bob)
{
	const struct time_histogram *times = &bob->session.stats.propagation;
	uint64_t count = 0;

	for (unsigned i = 0; i < TIME_HISTOGRAM_BUCKETS; i++)
		count += atomic_load(&times->counts[i]);
	return count;
}

static void
test_propagation_is_measured_by_the_peers_clock(void **state)
{
	const struct time_histogram *times;
	struct ends_time time;
	char sent[TIME_FORMAT_MAX];
	char line[64];
	struct end bob;

	(void)state;
	bob_syncs(&bob, &time);
	times = &bob.session.stats.propagation;
	hear_report(&bob, "Zoe", "early", (int64_t)(30 * MS), &time);
	assert_int_equal(timed(&bob), 0); /* no clock is known */
	snprintf(line, sizeof(line), "PONG 1 %.*s",
	    (int)time_format(ends_wall(&time).ns + 7 * S, sent), sent);
	end_hears(&bob, line, &time);
	assert_true(bob.session.clock_known);
	hear_report(&bob, "Zoe", "kiwi", (int64_t)(30 * MS), &time);
	assert_int_equal(timed(&bob), 1);
	assert_true(times->sum_ns == 30 * MS);
	/* The same again, one that others heard, and a removal do not count. */
	hear_report(&bob, "Zoe", "kiwi", (int64_t)(30 * MS), &time);
	hear_report(&bob, "Riley", "lark", (int64_t)(30 * MS), &time);
	end_hears(&bob, "GONE Zoe dodo 1600000002", &time);
	assert_int_equal(timed(&bob), 1);
	/* What comes before it was sent took no time: clocks are not exact. */
	hear_report(&bob, "Zoe", "moa", -(int64_t)(30 * MS), &time);
	assert_int_equal(timed(&bob), 2);
	assert_true(times->sum_ns == 30 * MS);
	end_release(&bob);
}

/*
 * A verification that a clock asked for: what it brings is no fault of the
 * links.
 */
static void
test_what_a_clock_had_lost_is_restored_not_repaired(void **state)
{
	(void)state;
	for (unsigned by_clock = 0; by_clock < 2; by_clock++) {
		struct ends_time time;
		struct end bob;

		bob_syncs(&bob, &time);
		if (by_clock == 1)
			session_verify_clock(&bob.session, ends_mono(&time));
		else
			session_verify(&bob.session, ends_mono(&time));
		assert_says(&bob, "CHECK 2 0\n", &time);
		end_hears(&bob, "CHECK 2 0", &time);
		end_hears(&bob,
		    "AT Zoe +0.000000000 kiwi +34.068930-118.445127 1599990000",
		    &time);
		assert_int_equal(bob.session.stats.accepted, 1);
		assert_int_equal(
		    bob.session.stats.restored, by_clock == 1 ? 1 : 0);
		assert_int_equal(
		    bob.session.stats.repaired, by_clock == 1 ? 0 : 1);
		end_release(&bob);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello_is_refused_by_name),
		cmocka_unit_test(test_hello_of_another_than_dialled_is_refused),
		cmocka_unit_test(test_hello_refused_by_admission),
		cmocka_unit_test(test_hello_with_unknown_fields_is_fine),
		cmocka_unit_test(test_hello_must_come_in_5_s),
		cmocka_unit_test(test_line_before_hello_is_1_kib_at_most),
		cmocka_unit_test(test_peers_bye_is_understood),
		cmocka_unit_test(test_line_after_hello_is_bounded),
		cmocka_unit_test(test_bad_line_is_quoted_clean),
		cmocka_unit_test(test_records_are_put_and_counted),
		cmocka_unit_test(test_ack_comes_after_100_ms_or_many_records),
		cmocka_unit_test(test_ack_goes_along_with_reports),
		cmocka_unit_test(test_ack_is_bounded),
		cmocka_unit_test(test_lag_is_the_age_of_what_is_not_acked),
		cmocka_unit_test(test_lag_survives_many_marks),
		cmocka_unit_test(test_ping_is_answered_and_measured),
		cmocka_unit_test(test_silence_of_15_s_ends_the_session),
		cmocka_unit_test(test_debt_without_progress_ends_the_session),
		cmocka_unit_test(test_slow_progress_is_no_stall),
		cmocka_unit_test(test_ping_flood_without_reading_is_stalled),
		cmocka_unit_test(test_lost_keeps_the_reason),
		cmocka_unit_test(test_params_differ_with_each_setting),
		cmocka_unit_test(test_cut_has_a_fraction_for_who_reads_it),
		cmocka_unit_test(test_cut_of_an_untrusted_clock_is_0),
		cmocka_unit_test(
		    test_pong_has_the_judged_time_for_who_reads_it),
		cmocka_unit_test(
		    test_judged_time_of_a_pong_is_read_and_checked),
		cmocka_unit_test(
		    test_propagation_is_measured_by_the_peers_clock),
		cmocka_unit_test(
		    test_what_a_clock_had_lost_is_restored_not_repaired),
	};

	return cmocka_run_group_tests_name("session_rules", tests, NULL, NULL);
}
