/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the design promises of large tables and slow links, measured. */
#include <inttypes.h>

#include "ends.h"

/* --- a slow link --------------------------------------------------------- */

#define SLOW_CLIENTS 10000u
#define SLOW_PER_S 2000u
#define SLOW_SECONDS 60u
#define SOCKET_BYTES 16384u

struct watch {
	uint64_t seen_ns[SLOW_CLIENTS];
	uint64_t worst_ns;
	uint64_t now_ns;
};

static bool
on_watch(void *arg, const struct report *report)
{
	struct watch *watch = arg;
	unsigned client = (unsigned)strtoul(report->client.data + 7, NULL, 10);
	uint64_t gap = watch->now_ns - watch->seen_ns[client];

	if (gap > watch->worst_ns)
		watch->worst_ns = gap;
	watch->seen_ns[client] = watch->now_ns;
	return true;
}

/* `from` has a socket that takes 16 KiB and a line of `rate` bytes/s. */
static void
slow_ms(struct end *from, struct end *to, struct buf *socket, double *credit,
    double rate, const struct ends_time *time)
{
	size_t n;

	(void)end_step(from, time);
	n = SOCKET_BYTES - socket->len;
	if (n > from->out.len)
		n = from->out.len;
	if (n > 0) {
		assert_ok(buf_add(socket, buf_span(&from->out).data, n));
		buf_drain(&from->out, n);
		session_sent(&from->session, n, ends_mono(time));
		from->due = true;
	}
	*credit += rate / 1000;
	n = *credit < (double)socket->len ? (size_t)*credit : socket->len;
	*credit = socket->len == 0 ? 0 : *credit - (double)n;
	if (n > 0)
		end_feed(to, span_of(buf_span(socket).data, n), time);
	buf_drain(socket, n);
}

/* 10,000 clients at 1/s over 2,000 reports/s: none waits longer than 6 s. */
static void
test_slow_link_starves_nobody(void **state)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct ends_time time = { S };
	struct outbox eye;
	struct end a;
	struct end b;
	struct buf socket;
	struct unit_report made;
	double credit = 0;
	double rate;

	(void)state;
	assert_non_null(watch);
	end_init(&a, "Alice");
	end_init(&b, "Bob");
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	ends_run(&a, &b, &time, S);
	assert_int_equal(a.session.state, SESSION_SYNCED);
	outbox_init(&eye, b.table, FROM_NOBODY, unit_no_wake, NULL);
	assert_ok(outbox_attach(&eye));
	buf_init(&socket, SOCKET_BYTES);
	unit_report(&made, 1000, ENDS_WALL_NS);
	rate = (double)(report_line_len(&made.report) + 1) * SLOW_PER_S;
	/* Each client reports for the first time within the first second. */
	for (unsigned i = 0; i < SLOW_CLIENTS; i++)
		watch->seen_ns[i] = time.ns + (i / 10 + 1) * MS;
	for (unsigned ms = 0; ms < SLOW_SECONDS * 1000; ms++) {
		time.ns += MS;
		for (unsigned i = 0; i < SLOW_CLIENTS / 1000; i++)
			(void)unit_put(a.table, (ms * 10 + i) % SLOW_CLIENTS,
			    ENDS_WALL_NS + time.ns);
		slow_ms(&a, &b, &socket, &credit, rate, &time);
		(void)end_step(&b, &time);
		end_deliver(&b, &a, &time);
		watch->now_ns = time.ns;
		while (outbox_take(&eye, 256, on_watch, watch) > 0)
			;
	}
	for (unsigned i = 0; i < SLOW_CLIENTS; i++) {
		if (time.ns - watch->seen_ns[i] > watch->worst_ns)
			watch->worst_ns = time.ns - watch->seen_ns[i];
	}
	print_message("worst gap %.2f s, %llu records sent\n",
	    (double)watch->worst_ns / 1e9,
	    (unsigned long long)a.session.stats.sent);
	assert_int_equal(a.session.state, SESSION_SYNCED);
	assert_true(watch->worst_ns <= 6 * S);
	outbox_detach(&eye);
	buf_release(&socket);
	end_release(&a);
	end_release(&b);
	free(watch);
}

/* --- joining ------------------------------------------------------------- */

#define JOIN_RECORDS 5000u

/* An empty node with three neighbours that hold the same. */
static void
test_empty_node_gets_each_record_about_once(void **state)
{
	struct ends_time time = { S };
	struct end neighbours[3];
	struct end joins[3];
	struct table_counts counts;
	uint64_t received = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		end_init(&neighbours[i], i == 0 ? "A" : i == 1 ? "B" : "C");
		board_synced(&neighbours[i].board);
		for (unsigned j = 0; j < JOIN_RECORDS; j++)
			(void)unit_put(neighbours[i].table, j, 1000 * S);
		end_init(&joins[i], "D");
		/* Three sessions of one node. */
		joins[i].node.table = joins[0].table;
		joins[i].node.board = &joins[0].board;
	}
	for (unsigned i = 0; i < 3; i++) {
		end_connect(&neighbours[i], "D", (uint8_t)(1 + i), &time);
		end_connect(&joins[i], "", (uint8_t)(11 + i), &time);
	}
	for (unsigned ms = 0; ms < 1000; ms++) {
		for (unsigned i = 0; i < 3; i++)
			ends_run(&neighbours[i], &joins[i], &time, MS);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(joins[i].session.state, SESSION_SYNCED);
		received += joins[i].session.stats.received;
	}
	table_count(joins[0].table, &counts);
	assert_int_equal(counts.records, JOIN_RECORDS);
	print_message("%.3f receipts per record\n",
	    (double)received / (double)JOIN_RECORDS);
	assert_true(received <= JOIN_RECORDS + JOIN_RECORDS / 10);
	for (unsigned i = 0; i < 3; i++) {
		session_release(&joins[i].session);
		joins[i].has_session = false;
		end_release(&neighbours[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		end_release(&joins[i]);
}

/* --- a million ----------------------------------------------------------- */

/* 1,000 of 1,000,000 differ: the exchange moves 4 MB at most. */
static void
test_thousand_differences_in_a_million_move_4_mb(void **state)
{
	const unsigned clients = 1000000;
	struct ends_time time = { S };
	struct end a;
	struct end b;
	uint64_t bytes;
	uint64_t records;

	(void)state;
	end_init(&a, "Alice");
	end_init(&b, "Bob");
	for (unsigned i = 0; i < clients; i++) {
		(void)unit_put(a.table, i, 1000 * S);
		(void)unit_put(b.table, i, (i % 1000 == 0 ? 1001 : 1000) * S);
	}
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	ends_run(&a, &b, &time, 2 * S);
	assert_int_equal(a.session.state, SESSION_SYNCED);
	assert_int_equal(b.session.state, SESSION_SYNCED);
	assert_true(unit_time_of(a.table, 5000) == 1001 * S);
	bytes = a.session.stats.sent_bytes + b.session.stats.sent_bytes;
	records = a.session.stats.sent + b.session.stats.sent;
	print_message(
	    "%.2f MB, %" PRIu64 " records\n", (double)bytes / 1e6, records);
	assert_true(bytes <= 4000000);
	end_release(&a);
	end_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_link_starves_nobody),
		cmocka_unit_test(test_empty_node_gets_each_record_about_once),
		cmocka_unit_test(
		    test_thousand_differences_in_a_million_move_4_mb),
	};

	return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
