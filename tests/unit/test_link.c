/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The link driver, with actions that only note what they were asked for. What
 * it does among others, through faults, is the simulation's.
 */
#include <stdio.h>

#include "core.h"
#include "core/link_conn.h"
#include "sim/drive.h"

#define ENDS 8u
#define WALL_NS (UINT64_C(1700000000) * HERD_NS_PER_S)

/* A connection as the test sees it. */
struct end {
	struct link_conn link; /* first */
	struct buf out;
	bool open;
	enum session_reason reason;
	char error[SESSION_ERROR_MAX];
};

struct world {
	struct link_driver driver;
	struct link link;
	struct session_node node;
	struct board board;
	struct timekeeper timekeeper;
	struct mono now;
	struct end ends[ENDS];
	unsigned end_count;
	unsigned dials;
	unsigned addresses; /* of the peer that are left to be dialled */
	unsigned cancels;
	unsigned awaited;
	unsigned twins;
};

static struct wall
wall_of(const struct world *w)
{
	return (struct wall){ WALL_NS + w->now.ns };
}

static void
on_dial(void *arg, struct link *link)
{
	struct world *w = arg;
	struct end *end = &w->ends[w->end_count++];

	assert_true(w->end_count <= ENDS);
	w->dials++;
	end->open = true;
	buf_init(&end->out, LINK_CONN_OUT_MAX);
	link_conn_init(&end->link, &w->driver, link, w->now);
}

static void
on_cancel(void *arg, struct link *link)
{
	struct world *w = arg;

	(void)link;
	w->cancels++;
}

static bool
on_dial_next(void *arg, struct link *link, const struct link_conn *conn,
    const char *error)
{
	struct world *w = arg;

	(void)conn;
	(void)error;
	if (w->addresses == 0)
		return false;
	w->addresses--;
	on_dial(arg, link);
	return true;
}

static enum link_written
on_write(void *arg, struct link_conn *conn, struct span data, size_t *len,
    const char **error)
{
	struct end *end = (struct end *)conn;

	(void)arg;
	(void)error;
	assert_ok(buf_add_span(&end->out, data));
	*len = data.len;
	return LINK_WRITTEN;
}

static void
on_arm(void *arg, struct link_conn *conn, bool wants_room)
{
	(void)arg;
	(void)conn;
	(void)wants_room;
}

static void
on_close(void *arg, struct link_conn *conn, enum session_reason reason,
    const char *error)
{
	struct end *end = (struct end *)conn;

	(void)arg;
	end->open = false;
	end->reason = reason;
	snprintf(end->error, sizeof(end->error), "%s", error);
	link_conn_release(conn);
}

static void
on_nothing(void *arg, struct link *link)
{
	(void)arg;
	(void)link;
}

static void
on_tell(void *arg, struct link *link, enum link_notice notice,
    enum session_reason reason, const char *error, const char *next)
{
	struct world *w = arg;

	(void)link;
	(void)reason;
	(void)error;
	(void)next;
	w->awaited += notice == LINK_NOTICE_AWAITED;
	w->twins += notice == LINK_NOTICE_TWIN;
}

static uint64_t
on_random(void *arg)
{
	(void)arg;
	return UINT64_MAX;
}

static const struct link_actions ACTIONS = {
	.dial = on_dial,
	.cancel = on_cancel,
	.dial_next = on_dial_next,
	.write = on_write,
	.arm = on_arm,
	.close = on_close,
	.arm_link = on_nothing,
	.changed = on_nothing,
	.tell = on_tell,
	.random = on_random,
};

/* Bob has a link to Zoe, who is not there. */
static struct world *
world_new(bool dials)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now.ns = 1000 * HERD_NS_PER_S;
	board_init(&w->board);
	timekeeper_init(&w->timekeeper, 0, w->now, wall_of(w));
	w->node = (struct session_node){ .table = unit_table(0, 0),
		.board = &w->board,
		.timekeeper = &w->timekeeper,
		.herd = span_from("ucla"),
		.name = span_from("Bob"),
		.boot = 1,
		.max_line = 65536,
		.ping_after_ns = 5 * HERD_NS_PER_S,
		.dead_after_ns = 15 * HERD_NS_PER_S,
		.stall_after_ns = 60 * HERD_NS_PER_S,
		.verify_every_ns = 600 * HERD_NS_PER_S };
	w->driver = (struct link_driver){ .actions = &ACTIONS,
		.arg = w,
		.wake = unit_no_wake,
		.sessions = &w->node,
		.redial_max_ns = 5 * HERD_NS_PER_S };
	w->link.dials = dials;
	snprintf(w->link.peer, sizeof(w->link.peer), "Zoe");
	assert_ok(link_add(&w->driver, &w->link, w->now, wall_of(w)));
	return w;
}

static void
world_free(struct world *w)
{
	w->driver.stopping = true;
	for (unsigned i = 0; i < w->end_count; i++) {
		if (w->ends[i].open)
			link_conn_end(&w->ends[i].link, BYE_STOP, "the end",
			    w->now, wall_of(w));
		buf_release(&w->ends[i].out);
	}
	table_free(w->node.table);
	free(w);
}

/* Somebody has connected. */
static struct end *
world_accept(struct world *w)
{
	struct end *end = &w->ends[w->end_count++];

	assert_true(w->end_count <= ENDS);
	end->open = true;
	buf_init(&end->out, LINK_CONN_OUT_MAX);
	link_conn_init(&end->link, &w->driver, NULL, w->now);
	return end;
}

static void
settle(struct world *w, struct end *end)
{
	if (end->open)
		(void)link_conn_settle(&end->link, w->now, wall_of(w));
}

static void
hears(struct world *w, struct end *end, const char *line)
{
	session_feed(&end->link.session, span_from(line), w->now, wall_of(w));
	session_feed(&end->link.session, span_from("\n"), w->now, wall_of(w));
	settle(w, end);
}

static void
hears_hello(struct world *w, struct end *end, unsigned boot, const char *more)
{
	char line[256];

	snprintf(line, sizeof(line),
	    "HELLO herd/1 herd=ucla node=Zoe peer=Bob "
	    "nonce=00112233445566778899aabbccddeeff "
	    "params=%016llx fresh=0 features=knock,limits boot=%016x%s",
	    (unsigned long long)w->node.params, boot, more);
	link_conn_begin(&end->link, w->now);
	hears(w, end, line);
}

static bool
said(struct end *end, const char *text)
{
	return strstr(buf_cstr(&end->out), text) != NULL;
}

static void
wait_ms(struct world *w, unsigned ms)
{
	w->now = mono_add(w->now, ms * HERD_NS_PER_MS);
	if (link_deadline(&w->link).ns <= w->now.ns)
		link_on_time(&w->link, w->now, wall_of(w));
}

/* --- knocks -------------------------------------------------------------- */

static void
test_a_knock_is_answered_by_dialling_at_once(void **state)
{
	struct world *w = world_new(true);
	struct end *knock;

	(void)state;
	assert_int_equal(w->dials, 1);
	for (unsigned i = 0; i < 5; i++) {
		link_conn_fail(&w->ends[w->end_count - 1].link, BYE_NONE,
		    "Connection refused", w->now, wall_of(w));
		assert_int_equal(w->link.state, LINK_BACKOFF);
		wait_ms(w, 5000);
	}
	assert_int_equal(w->dials, 6);
	link_conn_fail(&w->ends[5].link, BYE_NONE, "Connection refused", w->now,
	    wall_of(w));
	assert_int_equal(w->link.backoff.attempt, 6);
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_int_equal(w->dials, 7);
	assert_int_equal(w->link.state, LINK_CONNECTING);
	assert_int_equal(w->link.backoff.attempt, 0);
	assert_false(knock->open);
	assert_true(said(knock, "BYE knock Bob dials Zoe\n"));
	world_free(w);
}

/* The answer to a knock may take longer than the wait for the next one. */
static void
test_knocks_do_not_keep_the_answer_from_arriving(void **state)
{
	struct world *w = world_new(true);
	struct end *knock = world_accept(w);

	(void)state;
	hears_hello(w, knock, 7, " knock=1");
	/* The dial of before the knock began again. */
	assert_int_equal(w->dials, 2);
	assert_false(w->ends[0].open);
	wait_ms(w, 300);
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_int_equal(w->dials, 2);
	assert_true(said(knock, "BYE knock "));
	wait_ms(w, 900);
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_int_equal(w->dials, 3);
	world_free(w);
}

/* One that says nothing at the first would be dialled for ever. */
static void
test_knock_leads_to_the_next_address(void **state)
{
	struct world *w = world_new(true);
	struct end *knock = world_accept(w);

	(void)state;
	w->addresses = 1;
	hears_hello(w, knock, 7, " knock=1");
	assert_int_equal(w->addresses, 0);
	assert_false(w->ends[0].open);
	assert_ptr_equal(w->link.dialled, &w->ends[2].link);
	assert_int_equal(w->cancels, 0);
	wait_ms(w, 1200);
	/* It was the last one: the lookup begins again. */
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_false(w->ends[2].open);
	assert_int_equal(w->cancels, 1);
	assert_ptr_equal(w->link.dialled, &w->ends[4].link);
	world_free(w);
}

static void
test_who_does_not_dial_knocks_and_then_waits(void **state)
{
	struct world *w = world_new(false);
	struct end *knock = &w->ends[0];
	struct end *link;

	(void)state;
	assert_int_equal(w->dials, 1);
	assert_int_equal(w->link.state, LINK_WAITING);
	hears_hello(w, knock, 7, "");
	assert_true(said(knock, " knock=1\n"));
	assert_int_equal(w->link.connects, 0);
	hears(w, knock, "BYE knock Zoe dials Bob");
	assert_int_equal(w->link.state, LINK_WAITING);
	assert_string_equal(w->link.error, "");
	link = world_accept(w);
	hears_hello(w, link, 7, "");
	assert_ptr_equal(w->link.conn, &link->link);
	assert_int_equal(w->link.state, LINK_COMPARING);
	assert_true(link_deadline(&w->link).ns == UINT64_MAX);
	world_free(w);
}

/* A first edition says not-configured, and dials by its own backoff. */
static void
test_first_edition_does_not_refuse_a_knock(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	link_conn_begin(&w->ends[0].link, w->now);
	hears(w, &w->ends[0], "BYE not-configured no link that Bob dials");
	assert_int_equal(w->link.state, LINK_WAITING);
	assert_string_equal(w->link.error, "");
	wait_ms(w, 5000);
	assert_int_equal(w->dials, 2);
	/* A peer that knows knocks, but not the link, says why. */
	hears_hello(w, &w->ends[1], 7, "");
	hears(w, &w->ends[1], "BYE not-configured no such link");
	assert_int_equal(w->link.state, LINK_WAITING);
	assert_non_null(strstr(w->link.error, "no such link"));
	world_free(w);
}

static void
test_a_dialler_is_awaited_aloud_once(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		wait_ms(w, 4000);
		if (w->ends[w->end_count - 1].open)
			link_conn_fail(&w->ends[w->end_count - 1].link,
			    BYE_NONE, "Connection refused", w->now, wall_of(w));
	}
	assert_int_equal(w->awaited, 1);
	world_free(w);
}

static void
test_knock_on_a_link_that_is_up_asks_whether_it_lives(void **state)
{
	struct world *w = world_new(true);
	struct end *link = &w->ends[0];
	struct end *knock;
	char pong[64];

	(void)state;
	hears_hello(w, link, 7, "");
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_false(link_conn_reads(&knock->link));
	settle(w, link);
	snprintf(pong, sizeof(pong), "PONG %llu 1700000000",
	    (unsigned long long)w->link.probe);
	hears(w, link, pong);
	assert_true(said(knock, "BYE knock "));
	assert_true(link->open);
	/* No answer: that connection is dropped, and Zoe is dialled. */
	knock = world_accept(w);
	hears_hello(w, knock, 9, " knock=1");
	wait_ms(w, 499);
	assert_true(link->open && knock->open);
	wait_ms(w, 1);
	assert_false(link->open || knock->open);
	assert_true(said(knock, "BYE knock "));
	assert_int_equal(w->dials, 2);
	world_free(w);
}

/* --- twins --------------------------------------------------------------- */

static void
test_a_twin_is_refused_while_the_first_answers(void **state)
{
	struct world *w = world_new(false);
	struct end *first = world_accept(w);
	struct end *second;
	char pong[64];

	(void)state;
	hears_hello(w, first, 7, "");
	second = world_accept(w);
	hears_hello(w, second, 8, "");
	/* What follows its HELLO waits. */
	session_feed(
	    &second->link.session, span_from("PING 5\n"), w->now, wall_of(w));
	settle(w, second);
	assert_false(said(second, "PONG"));
	settle(w, first);
	snprintf(pong, sizeof(pong), "PONG %llu 1700000000",
	    (unsigned long long)w->link.probe);
	hears(w, first, pong);
	assert_true(said(second, "BYE twin another process runs as Zoe"));
	assert_false(second->open);
	assert_ptr_equal(w->link.conn, &first->link);
	assert_int_equal(w->twins, 1);
	assert_int_equal(w->link.twins, 1);
	assert_string_equal(w->link.error, "two processes run as node Zoe");
	world_free(w);
}

static void
test_a_first_that_is_dead_gives_way(void **state)
{
	struct world *w = world_new(false);
	struct end *first = world_accept(w);
	struct end *second;

	(void)state;
	hears_hello(w, first, 7, "");
	second = world_accept(w);
	hears_hello(w, second, 8, "");
	session_feed(
	    &second->link.session, span_from("PING 5\n"), w->now, wall_of(w));
	wait_ms(w, 500);
	settle(w, second);
	assert_false(first->open);
	assert_int_equal(first->reason, BYE_REPLACED);
	assert_ptr_equal(w->link.conn, &second->link);
	assert_true(said(second, "PONG 5"));
	assert_int_equal(w->twins, 0);
	world_free(w);
}

/* The first goes by itself while the second waits for what becomes of it. */
static void
test_a_probe_ends_with_its_connection(void **state)
{
	struct world *w = world_new(false);
	struct end *first = world_accept(w);
	struct end *second;
	struct end *third;

	(void)state;
	hears_hello(w, first, 7, "");
	second = world_accept(w);
	hears_hello(w, second, 8, "");
	third = world_accept(w);
	hears_hello(w, third, 9, "");
	assert_false(second->open);
	assert_int_equal(second->reason, BYE_REPLACED);
	link_conn_fail(&first->link, BYE_NONE, "reset", w->now, wall_of(w));
	assert_ptr_equal(w->link.conn, &third->link);
	assert_int_equal(w->link.state, LINK_COMPARING);
	world_free(w);
}

/* The same process is no twin; after one that told no boot id nobody is. */
static void
test_the_same_process_takes_its_place_at_once(void **state)
{
	struct world *w = world_new(false);
	struct end *first = world_accept(w);
	struct end *second;
	struct end *third;

	(void)state;
	hears_hello(w, first, 0, "");
	second = world_accept(w);
	hears_hello(w, second, 7, "");
	assert_false(first->open);
	assert_ptr_equal(w->link.conn, &second->link);
	third = world_accept(w);
	hears_hello(w, third, 7, "");
	assert_false(second->open);
	assert_ptr_equal(w->link.conn, &third->link);
	/* To tell none is no way around the question. */
	second = world_accept(w);
	hears_hello(w, second, 0, "");
	assert_true(third->open);
	assert_ptr_equal(w->link.waiting, &second->link);
	world_free(w);
}

/* --- operators ----------------------------------------------------------- */

static void
test_enable_acts_at_once_from_either_side(void **state)
{
	struct world *w = world_new(true);
	struct end *knock;

	(void)state;
	hears_hello(w, &w->ends[0], 7, "");
	/* The other side has disabled it: that takes a while by itself. */
	hears(w, &w->ends[0], "BYE disabled by an operator");
	assert_int_equal(w->link.state, LINK_REFUSED);
	assert_true(
	    link_deadline(&w->link).ns - w->now.ns == BACKOFF_REFUSED_NS);
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_int_equal(w->dials, 2);
	link_command(&w->link, LINK_DISABLE, w->now, wall_of(w));
	assert_int_equal(w->link.state, LINK_DISABLED);
	knock = world_accept(w);
	hears_hello(w, knock, 7, " knock=1");
	assert_true(said(knock, "BYE disabled "));
	link_command(&w->link, LINK_ENABLE, w->now, wall_of(w));
	assert_int_equal(w->dials, 3);
	world_free(w);
}

static void
test_limits_are_told_to_who_reads_them(void **state)
{
	struct world *w = world_new(true);
	struct end *end = &w->ends[0];

	(void)state;
	w->node.max_memory = 1 << 20;
	hears_hello(w, end, 7, "");
	assert_true(said(end, "LIMIT memory 1048576\n"));
	hears(w, end, "LIMIT memory 16777216");
	assert_true(end->link.session.peer_memory == 16777216);
	hears(w, end, "LIMIT colour 5");
	assert_true(end->open);
	w->node.max_memory = 2 << 20;
	link_conn_on_time(&end->link, w->now, wall_of(w));
	assert_true(said(end, "LIMIT memory 2097152\n"));
	hears(w, end, "LIMIT memory much");
	assert_false(end->open);
	assert_int_equal(end->reason, BYE_BAD_LINE);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_knock_is_answered_by_dialling_at_once),
		cmocka_unit_test(
		    test_knocks_do_not_keep_the_answer_from_arriving),
		cmocka_unit_test(test_knock_leads_to_the_next_address),
		cmocka_unit_test(test_who_does_not_dial_knocks_and_then_waits),
		cmocka_unit_test(test_first_edition_does_not_refuse_a_knock),
		cmocka_unit_test(test_a_dialler_is_awaited_aloud_once),
		cmocka_unit_test(
		    test_knock_on_a_link_that_is_up_asks_whether_it_lives),
		cmocka_unit_test(
		    test_a_twin_is_refused_while_the_first_answers),
		cmocka_unit_test(test_a_first_that_is_dead_gives_way),
		cmocka_unit_test(test_a_probe_ends_with_its_connection),
		cmocka_unit_test(test_the_same_process_takes_its_place_at_once),
		cmocka_unit_test(test_enable_acts_at_once_from_either_side),
		cmocka_unit_test(test_limits_are_told_to_who_reads_them),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
