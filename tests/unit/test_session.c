/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sessions back to back: exchange, flooding, verification, splitting. */
#include "ends.h"

#include "sim/table_check.h"

static void
pair_init(struct end *a, struct end *b, struct ends_time *time)
{
	time->ns = S;
	end_init(a, "Alice");
	end_init(b, "Bob");
}

static void
pair_connect(struct end *a, struct end *b, struct ends_time *time)
{
	end_connect(a, "Bob", 1, time);
	end_connect(b, "", 2, time);
	ends_run(a, b, time, S);
}

static void
assert_synced(struct end *a, struct end *b)
{
	assert_string_equal(a->session.error, "");
	assert_string_equal(b->session.error, "");
	assert_int_equal(a->session.state, SESSION_SYNCED);
	assert_int_equal(b->session.state, SESSION_SYNCED);
}

static void
put_range(struct end *end, unsigned from, unsigned to, uint64_t time_ns)
{
	for (unsigned i = from; i < to; i++)
		assert_int_not_equal(
		    unit_put(end->table, i, time_ns), PUT_NOMEM);
}

static bool
on_compare(void *arg, const struct report *report, uint32_t from)
{
	struct table *other = arg;
	struct record record;

	(void)from;
	record_init(&record);
	assert_ok(table_get(other, report->client, &record));
	assert_int_equal(report_compare_all(report, &record.report), 0);
	record_release(&record);
	return true;
}

static void
assert_equal_tables(struct end *a, struct end *b)
{
	struct table_cursor cursor = { 0 };
	struct table_counts counts_a;
	struct table_counts counts_b;

	table_count(a->table, &counts_a);
	table_count(b->table, &counts_b);
	assert_int_equal(counts_a.records, counts_b.records);
	while (table_walk(a->table, &cursor, 1000, on_compare, b->table))
		;
}

/* --- exchange ------------------------------------------------------------ */

static void
test_exchange_makes_tables_equal(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 3000, 1000 * S);
	put_range(&b, 2900, 5000, 1001 * S);
	pair_connect(&a, &b, &time);
	assert_synced(&a, &b);
	assert_equal_tables(&a, &b);
	end_release(&a);
	end_release(&b);
}

/* Thousands of leaves differ: more DIGESTs than one write can hold. */
static void
test_exchange_of_many_differences_ends(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 20000, 1000 * S);
	put_range(&b, 0, 20000, 1001 * S);
	pair_connect(&a, &b, &time);
	assert_synced(&a, &b);
	assert_equal_tables(&a, &b);
	end_release(&a);
	end_release(&b);
}

static void
test_exchange_of_equal_tables_sends_no_record(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 1000, 1000 * S);
	put_range(&b, 0, 1000, 1000 * S);
	pair_connect(&a, &b, &time);
	assert_synced(&a, &b);
	assert_int_equal(a.session.stats.sent, 0);
	assert_int_equal(b.session.stats.sent, 0);
	/* CHECK, DIGEST of the root and NEXT */
	assert_true(a.session.stats.exchange_bytes < 1100);
	end_release(&a);
	end_release(&b);
}

/* Both speak at once and one is much slower to hash: its root is held. */
static void
test_exchange_holds_root_of_faster_peer(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 100, 1000 * S);
	put_range(&b, 50, 150, 1001 * S);
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	while (!session_has_work(&a.session) || !session_has_work(&b.session)) {
		if (!session_has_work(&a.session))
			(void)end_step(&a, &time);
		if (!session_has_work(&b.session))
			(void)end_step(&b, &time);
		end_deliver(&a, &b, &time);
		end_deliver(&b, &a, &time);
	}
	for (unsigned i = 0; i < 1000 && !b.session.exchange.root_held; i++) {
		(void)end_step(&a, &time);
		end_deliver(&a, &b, &time);
	}
	assert_true(b.session.exchange.root_held);
	assert_int_equal(b.session.state, SESSION_SCAN);
	ends_run(&a, &b, &time, S);
	assert_synced(&a, &b);
	assert_equal_tables(&a, &b);
	end_release(&a);
	end_release(&b);
}

static void
test_updates_during_exchange_arrive(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 2000, 1000 * S);
	put_range(&b, 1000, 3000, 1001 * S);
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	for (unsigned i = 0; i < 3000; i++) {
		(void)unit_put(a.table, i * 7 % 3000, (2000 + i) * S);
		(void)unit_put(b.table, i * 11 % 3000, (2000 + i) * S);
		(void)end_step(&a, &time);
		(void)end_step(&b, &time);
		end_deliver(&a, &b, &time);
		end_deliver(&b, &a, &time);
	}
	ends_run(&a, &b, &time, S);
	assert_synced(&a, &b);
	assert_equal_tables(&a, &b);
	end_release(&a);
	end_release(&b);
}

/* Who has nothing asks one neighbour at a time. */
static void
test_fresh_node_exchanges_with_one_at_a_time(void **state)
{
	struct ends_time time = { S };
	struct end bob;
	struct session second;
	struct session_config config = { .node = &bob.node,
		.peer = span_from("Zoe"),
		.admit = end_admit,
		.wake = end_wake,
		.arg = &bob };
	struct buf out;
	char hello[256];

	(void)state;
	end_init(&bob, "Bob");
	buf_init(&out, SESSION_OUT_MAX * 3);
	end_connect(&bob, "Zoe", 1, &time);
	session_init(&second, &config, ends_mono(&time));
	end_hears_hello(&bob, false, &time);
	assert_says(&bob, "CHECK 1 0\n", &time);
	snprintf(hello, sizeof(hello), HELLO_FROM_ZOE "%016llx fresh=0\n",
	    (unsigned long long)bob.node.params);
	session_feed(
	    &second, span_from(hello), ends_mono(&time), ends_wall(&time));
	assert_int_equal(second.state, SESSION_LIVE);
	/* The first one dies: the second one polls, and begins. */
	session_lost(&bob.session, "of the test");
	time.ns = session_deadline(&second).ns;
	session_tick(&second, ends_mono(&time));
	assert_int_equal(second.state, SESSION_CHECKED);
	session_release(&second);
	buf_release(&out);
	end_release(&bob);
}

/* A node with data lets an empty peer ask, and answers at once. */
static void
test_node_with_data_waits_for_fresh_peer(void **state)
{
	struct ends_time time = { S };
	struct end bob;

	(void)state;
	end_init(&bob, "Bob");
	board_synced(&bob.board);
	end_connect(&bob, "", 1, &time);
	end_hears_hello(&bob, true, &time);
	assert_null(strstr(end_says(&bob, &time), "CHECK"));
	end_hears(&bob, "CHECK 1 0", &time);
	assert_says(&bob, "CHECK 1 0\n", &time);
	end_release(&bob);
}

/* --- after SYNCED -------------------------------------------------------- */

static void
test_synced_floods_and_acks(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	pair_connect(&a, &b, &time);
	put_range(&a, 0, 1000, 2000 * S);
	ends_run(&a, &b, &time, S);
	assert_equal_tables(&a, &b);
	assert_int_equal(a.session.stats.sent, 1000);
	assert_int_equal(a.session.stats.acked, 1000);
	assert_int_equal(b.session.stats.accepted, 1000);
	assert_int_equal(b.session.stats.sent, 0);
	assert_true(session_lag_ns(&a.session, ends_mono(&time)) == 0);
	end_release(&a);
	end_release(&b);
}

/* Verification of equal tables sends nothing and repairs nothing. */
static void
test_verification_finds_equal_tables(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 500, 1000 * S);
	pair_connect(&a, &b, &time);
	assert_int_equal(a.session.stats.sent, 500);
	session_verify(&b.session, ends_mono(&time));
	ends_run(&a, &b, &time, S);
	assert_int_equal(a.session.stats.exchanges, 2);
	assert_int_equal(b.session.stats.exchanges, 2);
	assert_int_equal(a.session.stats.sent, 500);
	assert_int_equal(b.session.stats.repaired, 0);
	end_release(&a);
	end_release(&b);
}

/* What verification brings and is not new should have been there before. */
static void
test_verification_counts_repairs(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;
	struct table_cursor cursor = { 0 };

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 50, 1000 * S);
	pair_connect(&a, &b, &time);
	assert_int_equal(b.session.stats.repaired, 0);
	/* Bob loses all; the session does not know. */
	table_set_limits(b.table, 0, 10 * S);
	while (table_sweep(b.table, &cursor, 1000, ends_wall(&time)))
		;
	table_set_limits(b.table, 0, 0);
	session_verify(&a.session, ends_mono(&time));
	ends_run(&a, &b, &time, S);
	assert_equal_tables(&a, &b);
	assert_int_equal(b.session.stats.repaired, 50);
	end_release(&a);
	end_release(&b);
}

/* Old records that come by flood are no repair: a link healed elsewhere. */
static void
test_flood_of_old_records_is_no_repair(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	pair_connect(&a, &b, &time);
	put_range(&a, 0, 50, 1000 * S);
	ends_run(&a, &b, &time, S);
	assert_int_equal(b.session.stats.accepted, 50);
	assert_int_equal(b.session.stats.repaired, 0);
	end_release(&a);
	end_release(&b);
}

static void
test_verification_comes_after_8_to_12_minutes(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 50; seed++) {
		struct ends_time time;
		struct end a;
		struct end b;
		uint64_t wait;

		pair_init(&a, &b, &time);
		end_connect(&a, "Bob", 1, &time);
		end_connect(&b, "", 2, &time);
		a.session.random = seed;
		ends_run(&a, &b, &time, S);
		wait = a.session.verify_at.ns - a.session.synced_at.ns;
		assert_true(wait >= 480 * S && wait <= 720 * S);
		end_release(&a);
		end_release(&b);
	}
}

/* --- the contract of fill ------------------------------------------------ */

/* Debt is left for want of room: it says so. */
static void
test_fill_says_that_records_are_left(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;
	unsigned fills = 1;

	(void)state;
	pair_init(&a, &b, &time);
	pair_connect(&a, &b, &time);
	put_range(&a, 0, 3000, 2000 * S);
	time.ns += S;
	while (session_fill(&a.session, &a.out, ends_mono(&time))) {
		assert_true(a.out.len <= SESSION_OUT_MAX);
		assert_true(a.out.len > 0);
		buf_clear(&a.out);
		fills++;
	}
	assert_int_equal(a.session.stats.sent, 3000);
	assert_true(fills >= 3000 / SESSION_TURN_RECORDS);
	end_release(&a);
	end_release(&b);
}

static void
test_fill_says_that_digests_are_left(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;
	bool seen = false;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 20000, 1000 * S);
	put_range(&b, 0, 20000, 1001 * S);
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	for (unsigned i = 0; i < 2000; i++) {
		(void)end_step(&a, &time);
		(void)end_step(&b, &time);
		if (a.session.exchange.due > 1) {
			assert_true(a.due);
			seen = true;
		}
		end_deliver(&a, &b, &time);
		end_deliver(&b, &a, &time);
	}
	assert_true(seen);
	end_release(&a);
	end_release(&b);
}

/* A full socket: what a tick has announced is not due again and again. */
static void
test_deadline_after_tick_is_in_the_future(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	pair_connect(&a, &b, &time);
	put_range(&a, 0, 10, 2000 * S);
	put_range(&b, 10, 20, 2000 * S);
	while (a.session.state != SESSION_CLOSED) {
		time.ns = session_deadline(&a.session).ns;
		session_tick(&a.session, ends_mono(&time));
		assert_true(session_deadline(&a.session).ns > time.ns);
	}
	end_release(&a);
	end_release(&b);
}

/*
 * The first records leave at once; when they come too often they leave
 * together, at the moment that the first of them was given.
 */
static void
test_busy_link_sends_in_batches(void **state)
{
	const uint64_t every = 5 * MS;
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	pair_connect(&a, &b, &time);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = a.session.stats.sent;
		struct mono at;

		time.ns += 2 * BATCH_BURST * every;
		for (unsigned j = 0; j < BATCH_BURST; j++) {
			(void)unit_put(a.table, 1, (2000 + 20 * i + j) * S);
			(void)end_step(&a, &time);
			assert_int_equal(a.session.stats.sent, ++before);
			end_deliver(&a, &b, &time);
		}
		time.ns += 1;
		at = batch_timer_due(
		    &a.session.batch_timer, every, ends_mono(&time));
		assert_true(at.ns > time.ns);

		(void)unit_put(a.table, 1, (2015 + 20 * i) * S);
		(void)end_step(&a, &time);
		assert_true(session_deadline(&a.session).ns <= at.ns);
		time.ns += (at.ns - time.ns) / 2;
		(void)unit_put(a.table, 2, (2015 + 20 * i) * S);
		(void)end_step(&a, &time);
		assert_int_equal(a.session.stats.sent, before);
		time.ns = at.ns - 1;
		(void)end_step(&a, &time);
		assert_int_equal(a.session.stats.sent, before);
		time.ns = at.ns;
		(void)end_step(&a, &time);
		assert_int_equal(a.session.stats.sent, before + 2);
		end_deliver(&a, &b, &time);
	}
	end_release(&a);
	end_release(&b);
}

static void
test_without_an_interval_each_record_leaves_at_once(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;

	(void)state;
	pair_init(&a, &b, &time);
	a.node.flush_every_ns = 0;
	pair_connect(&a, &b, &time);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t before = a.session.stats.sent;

		(void)unit_put(a.table, 1, (2000 + i) * S);
		(void)end_step(&a, &time);
		assert_int_equal(a.session.stats.sent, before + 1);
		end_deliver(&a, &b, &time);
	}
	end_release(&a);
	end_release(&b);
}

/* --- bytes --------------------------------------------------------------- */

/* What Bob says to what Alice said, cut into pieces of `piece` bytes. */
static void
replay(struct span script, size_t piece, struct buf *said)
{
	struct ends_time time = { S };
	struct end bob;

	end_init(&bob, "Bob");
	put_range(&bob, 5, 15, 1001 * S);
	end_connect(&bob, "", 2, &time);
	bob.records = true;
	while (script.len > 0) {
		size_t n = piece < script.len ? piece : script.len;

		end_feed(&bob, span_of(script.data, n), &time);
		script.data += n;
		script.len -= n;
	}
	while (end_step(&bob, &time))
		buf_clear(&bob.out);
	assert_string_equal(bob.session.error, "");
	assert_ok(buf_add_span(said, buf_span(&bob.sent)));
	end_release(&bob);
}

static void
test_bytes_split_anywhere_give_the_same(void **state)
{
	struct ends_time time;
	struct end a;
	struct end b;
	struct buf whole;
	struct buf pieces;

	(void)state;
	pair_init(&a, &b, &time);
	put_range(&a, 0, 10, 1000 * S);
	put_range(&b, 5, 15, 1001 * S);
	a.records = true;
	/* A peer that needs no answers: it says HELLO, CHECK, its root. */
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	while (a.session.state < SESSION_COMPARE || a.out.len == 0) {
		(void)end_step(&a, &time);
		if (a.session.state >= SESSION_COMPARE && a.out.len > 0)
			break;
		(void)end_step(&b, &time);
		end_deliver(&a, &b, &time);
		end_deliver(&b, &a, &time);
	}
	buf_init(&whole, 1u << 20);
	buf_init(&pieces, 1u << 20);
	replay(buf_span(&a.sent), SIZE_MAX, &whole);
	for (size_t piece = 1; piece <= a.sent.len; piece++) {
		buf_clear(&pieces);
		replay(buf_span(&a.sent), piece, &pieces);
		assert_true(span_equal(buf_span(&whole), buf_span(&pieces)));
	}
	buf_release(&whole);
	buf_release(&pieces);
	end_release(&a);
	end_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange_makes_tables_equal),
		cmocka_unit_test(test_exchange_of_many_differences_ends),
		cmocka_unit_test(test_exchange_of_equal_tables_sends_no_record),
		cmocka_unit_test(test_exchange_holds_root_of_faster_peer),
		cmocka_unit_test(test_updates_during_exchange_arrive),
		cmocka_unit_test(test_fresh_node_exchanges_with_one_at_a_time),
		cmocka_unit_test(test_node_with_data_waits_for_fresh_peer),
		cmocka_unit_test(test_synced_floods_and_acks),
		cmocka_unit_test(test_verification_finds_equal_tables),
		cmocka_unit_test(test_verification_counts_repairs),
		cmocka_unit_test(test_flood_of_old_records_is_no_repair),
		cmocka_unit_test(test_verification_comes_after_8_to_12_minutes),
		cmocka_unit_test(test_fill_says_that_records_are_left),
		cmocka_unit_test(test_fill_says_that_digests_are_left),
		cmocka_unit_test(test_deadline_after_tick_is_in_the_future),
		cmocka_unit_test(test_busy_link_sends_in_batches),
		cmocka_unit_test(
		    test_without_an_interval_each_record_leaves_at_once),
		cmocka_unit_test(test_bytes_split_anywhere_give_the_same),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
