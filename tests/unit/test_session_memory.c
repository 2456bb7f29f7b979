/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each allocation of a session fails once: nothing is leaked, what is closed
 * is closed for good, and no two sessions are SYNCED with tables that differ.
 */
#include "ends.h"
#include "torture.h"

#include "sim/table_check.h"

/* Some are longer than a record's usual memory. */
static char long_place[1200];

static void
put(struct table *table, unsigned client, uint64_t time_ns)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	if (client % 3 == 0)
		made.report.location = span_of(long_place, sizeof(long_place));
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 0), PUT_ACCEPTED);
}

/* --- two sessions -------------------------------------------------------- */

static unsigned
count_missing(struct table *a, struct table *b)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < 80; i++)
		missing += unit_time_of(a, i) != unit_time_of(b, i);
	return missing;
}

/* As ends_run(), but what they write to and keep begins with nothing. */
static void
run_from_nothing(
    struct end *a, struct end *b, struct ends_time *time, uint64_t ns)
{
	for (uint64_t until = time->ns + ns; time->ns < until;) {
		bool moved = end_step(a, time);

		moved |= end_step(b, time);
		end_deliver(a, b, time);
		end_deliver(b, a, time);
		buf_release(&a->out);
		buf_release(&b->out);
		if (!moved)
			time->ns += MS;
	}
}

/* Fills the tables with memory, then compares without. */
static void
compare(unsigned from_a, unsigned to_a, unsigned from_b, unsigned to_b)
{
	struct ends_time time = { S };
	size_t fail_at = calls_left;
	struct end a;
	struct end b;

	calls_left = SIZE_MAX;
	end_init(&a, "Alice");
	end_init(&b, "Bob");
	for (unsigned i = from_a; i < to_a; i++)
		put(a.table, i, 1000 * S);
	for (unsigned i = from_b; i < to_b; i++)
		put(b.table, i, (999 + i % 3) * S);
	calls_left = fail_at;
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	run_from_nothing(&a, &b, &time, S);
	calls_left = SIZE_MAX;
	if (a.session.state == SESSION_SYNCED &&
	    b.session.state == SESSION_SYNCED)
		assert_int_equal(count_missing(a.table, b.table), 0);
	else
		assert_true(failed);
	assert_null(table_check(a.table));
	assert_null(table_check(b.table));
	end_release(&a);
	end_release(&b);
}

static void
different_scenario(void)
{
	compare(0, 60, 20, 80);
}

/* Nothing is owed: NEXT goes by itself. */
static void
equal_scenario(void)
{
	compare(1, 2, 1, 2);
}

static void
test_sessions_without_memory_are_not_synced_falsely(void **state)
{
	(void)state;
	torture_scenario(different_scenario);
	torture_scenario(equal_scenario);
}

/* --- one session and a script -------------------------------------------- */

#define NAMES "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

/*
 * What the script is, whether the node waits for its CHECK, and how long the
 * name is that fills the control buffer.
 */
static const char *last_line;
static bool waits;
static size_t name_len;

/*
 * The peer is faster: its lines come before a byte of ours has left, so they
 * pile up, and the memory for them ends at each place.
 */
static void
script_scenario(void)
{
	struct ends_time time = { S };
	size_t fail_at = calls_left;
	struct end end;
	char hello[256];

	calls_left = SIZE_MAX;
	end_init(&end, "");
	end.node.name = span_of(NAMES, name_len);
	snprintf(hello, sizeof(hello),
	    "HELLO herd/1 herd=ucla node=Zoe "
	    "nonce=00112233445566778899aabbccddeeff params=%016llx fresh=1",
	    (unsigned long long)end.node.params);
	if (waits)
		board_synced(&end.board);
	calls_left = fail_at;
	end_connect(&end, "", 1, &time);
	end_hears(&end, hello, &time);
	end_hears(&end, "CHECK 1 0", &time);
	end_hears(&end, last_line, &time);
	(void)end_step(&end, &time);
	calls_left = SIZE_MAX;
	if (end.session.state == SESSION_CLOSED) {
		assert_true(strlen(end.session.error) > 0);
		assert_false(end.session.outbox.attached);
		assert_int_equal(atomic_load(&end.board.exchanging), 0);
		assert_false(session_has_work(&end.session));
	} else {
		assert_true(end.session.outbox.attached);
		assert_int_equal(atomic_load(&end.board.exchanging), 1);
	}
	if (!failed)
		assert_true((end.session.state == SESSION_CLOSED) ==
			    (strncmp(last_line, "BYE", 3) == 0 ||
				strncmp(last_line, "WHO", 3) == 0));
	end_release(&end);
}

static void
test_lines_without_memory_end_the_session_once(void **state)
{
	static const char *const lines[] = { "PING 1", "WHO \x01is there",
		"BYE stop \x01now", "AT Riley +0.000000000 kiwi +1-1 1" };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(lines); i++) {
		last_line = lines[i];
		for (name_len = 1; name_len < sizeof(NAMES); name_len += 3) {
			waits = name_len % 2 == 0;
			torture_scenario(script_scenario);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_sessions_without_memory_are_not_synced_falsely),
		cmocka_unit_test(
		    test_lines_without_memory_end_the_session_once),
	};

	memset(long_place, '1', sizeof(long_place));
	memcpy(long_place, "+34.", 4);
	long_place[sizeof(long_place) - 4] = '-';
	return cmocka_run_group_tests_name("session_memory", tests, NULL, NULL);
}
