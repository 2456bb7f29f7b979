/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outboxes: each client once, first due first, newest content, no echo. */
#include "core.h"
#include "sim/table_check.h"

#define S HERD_NS_PER_S
#define SESSION_A 0x01000001u
#define SESSION_B 0x02000002u

struct consumer {
	struct outbox outbox;
	unsigned wakes;
	unsigned room; /* records that on_give takes still */
	unsigned count;
	unsigned clients[2000];
	uint64_t times[2000];
};

static void
on_wake(void *arg)
{
	struct consumer *consumer = arg;

	consumer->wakes++;
}

static bool
on_give(void *arg, const struct report *report)
{
	struct consumer *consumer = arg;

	if (consumer->room == 0)
		return false;
	consumer->room--;
	consumer->clients[consumer->count] =
	    (unsigned)strtoul(report->client.data + 7, NULL, 10);
	consumer->times[consumer->count++] = report->time_ns;
	return true;
}

static void
consumer_init(struct consumer *consumer, struct table *table, uint32_t owner)
{
	memset(consumer, 0, sizeof(*consumer));
	consumer->room = UINT32_MAX;
	outbox_init(&consumer->outbox, table, owner, on_wake, consumer);
	assert_ok(outbox_attach(&consumer->outbox));
}

/* Takes everything, `max` at a time; returns how many were popped. */
static unsigned
take_all(struct consumer *consumer, unsigned max)
{
	unsigned popped = 0;
	unsigned n;

	while ((n = outbox_take(&consumer->outbox, max, on_give, consumer)) > 0)
		popped += n;
	return popped;
}

static enum put_result
put_from(struct table *table, unsigned client, uint64_t time_ns, uint32_t from)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	return unit_put_at(table, &made.report, from, 0);
}

static void
test_take_gives_newest_content_once(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer consumer;

	(void)state;
	consumer_init(&consumer, table, SESSION_A);
	for (unsigned i = 1; i <= 10; i++)
		assert_int_equal(unit_put(table, 1, i * S), PUT_ACCEPTED);
	assert_int_equal(outbox_owed(&consumer.outbox), 1);
	assert_int_equal(take_all(&consumer, 100), 1);
	assert_int_equal(consumer.count, 1);
	assert_true(consumer.times[0] == 10 * S);
	assert_true(outbox_is_empty(&consumer.outbox));
	assert_null(table_check(table));
	outbox_detach(&consumer.outbox);
	table_free(table);
}

/* One wake for the first record, however many follow. */
static void
test_wake_comes_once_per_debt(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer consumer;

	(void)state;
	consumer_init(&consumer, table, SESSION_A);
	for (unsigned i = 0; i < 500; i++)
		(void)unit_put(table, i, S);
	assert_int_equal(consumer.wakes, 1);
	assert_int_equal(take_all(&consumer, 64), 500);
	(void)unit_put(table, 1, 2 * S);
	assert_int_equal(consumer.wakes, 2);
	outbox_detach(&consumer.outbox);
	(void)unit_put(table, 1, 3 * S);
	assert_int_equal(consumer.wakes, 2);
	table_free(table);
}

/* What was due first goes first, though it changes again and again. */
static void
test_take_first_due_first(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer consumer;
	unsigned position[64] = { 0 };
	struct put_info info[64];

	(void)state;
	consumer_init(&consumer, table, SESSION_A);
	for (unsigned i = 0; i < 64; i++) {
		struct unit_report made;

		unit_report(&made, i, S);
		(void)table_put(table, &made.report, FROM_CLIENT,
		    (struct wall){ 0 }, &consumer.outbox, &info[i]);
	}
	for (unsigned i = 64; i > 0; i--)
		(void)unit_put(table, i - 1, 2 * S);
	assert_int_equal(take_all(&consumer, 3), 64);
	for (unsigned i = 0; i < 64; i++)
		position[consumer.clients[i]] = i;
	for (unsigned i = 0; i < 64; i++) {
		for (unsigned j = i + 1; j < 64; j++) {
			if (info[i].shard == info[j].shard)
				assert_true(position[i] < position[j]);
		}
	}
	outbox_detach(&consumer.outbox);
	table_free(table);
}

/*
 * One at a time, and what was taken is owed again at once: shards go on by
 * turns, none is forgotten and none goes on for ever.
 */
static void
test_take_gives_each_shard_its_share(void **state)
{
	const unsigned clients = 6400;
	struct table *table = unit_table(0, 0);
	struct consumer consumer;
	struct outbox_progress progress;
	uint64_t due[TABLE_SHARDS];

	(void)state;
	consumer_init(&consumer, table, SESSION_A);
	for (unsigned i = 0; i < clients; i++)
		(void)unit_put(table, i, S);
	outbox_progress(&consumer.outbox, &progress);
	memcpy(due, progress.appended, sizeof(due));
	for (unsigned i = 0; i < clients * 5 / 4; i++) {
		consumer.count = 0;
		assert_int_equal(
		    outbox_take(&consumer.outbox, 1, on_give, &consumer), 1);
		(void)unit_put(table, consumer.clients[0], (2 + i) * S);
	}
	outbox_progress(&consumer.outbox, &progress);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		assert_true(progress.popped[i] >= due[i]);
		assert_true(progress.popped[i] <= 2 * due[i]);
	}
	outbox_detach(&consumer.outbox);
	table_free(table);
}

/* Refused for want of room: it stays at the head. */
static void
test_take_without_room_keeps_debt(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer consumer;

	(void)state;
	consumer_init(&consumer, table, SESSION_A);
	for (unsigned i = 0; i < 100; i++)
		(void)unit_put(table, i, S);
	consumer.room = 30;
	assert_int_equal(take_all(&consumer, 100), 30);
	assert_int_equal(outbox_owed(&consumer.outbox), 70);
	assert_null(table_check(table));
	consumer.room = 100;
	assert_int_equal(take_all(&consumer, 100), 70);
	outbox_detach(&consumer.outbox);
	table_free(table);
}

static void
test_put_owes_nothing_to_its_sender(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer a;
	struct consumer b;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	consumer_init(&b, table, SESSION_B);
	(void)put_from(table, 1, S, SESSION_A);
	assert_true(outbox_is_empty(&a.outbox));
	assert_int_equal(outbox_owed(&b.outbox), 1);
	outbox_detach(&a.outbox);
	outbox_detach(&b.outbox);
	table_free(table);
}

/* It was owed, but meanwhile came from there: it is not sent back. */
static void
test_take_skips_what_the_owner_gave(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer a;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	(void)unit_put(table, 1, S);
	(void)put_from(table, 1, 2 * S, SESSION_A);
	(void)unit_put(table, 2, S);
	assert_int_equal(put_from(table, 2, S, SESSION_A), PUT_EQUAL);
	(void)unit_put(table, 3, S);
	assert_int_equal(put_from(table, 3, S, SESSION_B), PUT_EQUAL);
	assert_int_equal(take_all(&a, 100), 3);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.clients[0], 3);
	outbox_detach(&a.outbox);
	table_free(table);
}

struct noted {
	unsigned count;
	uint32_t hash;
	uint64_t time_ns;
	uint32_t from;
};

static void
on_note(void *arg, uint32_t hash, uint64_t time_ns, uint32_t from)
{
	struct noted *noted = arg;

	*noted = (struct noted){ noted->count + 1, hash, time_ns, from };
}

/* The table forgets the giver once another has the same report. */
static void
test_note_tells_who_gave_it_first(void **state)
{
	struct table *table = unit_table(0, 0);
	struct noted noted = { 0 };
	struct outbox outbox;

	(void)state;
	outbox_init(&outbox, table, FROM_NOBODY, unit_no_wake, &noted);
	outbox.note = on_note;
	assert_ok(outbox_attach(&outbox));
	(void)put_from(table, 1, 2 * S, SESSION_A);
	assert_int_equal(put_from(table, 1, 2 * S, SESSION_B), PUT_EQUAL);
	assert_int_equal(noted.count, 1);
	assert_int_equal(noted.from, SESSION_A);
	assert_int_equal(noted.time_ns, 2 * S);
	assert_int_equal(
	    noted.hash, (uint32_t)table_hash(table, span_from("client-1")));
	(void)put_from(table, 1, 3 * S, SESSION_B);
	assert_int_equal(noted.count, 1); /* owed already */
	outbox_detach(&outbox);
	(void)put_from(table, 2, S, SESSION_B);
	assert_int_equal(noted.count, 1);
	table_free(table);
}

/* Nobody and clients are no owners: what they gave goes to everybody. */
static void
test_take_gives_what_nobody_gave(void **state)
{
	static const uint32_t owners[] = { FROM_NOBODY, FROM_CLIENT };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(owners); i++) {
		struct table *table = unit_table(0, 0);
		struct consumer a;

		consumer_init(&a, table, owners[i]);
		(void)put_from(table, 1, S, FROM_NOBODY);
		(void)put_from(table, 2, S, FROM_CLIENT);
		assert_int_equal(take_all(&a, 10), 2);
		assert_int_equal(a.count, 2);
		outbox_detach(&a.outbox);
		table_free(table);
	}
}

/* The slot's next record inherits the place in the queue. */
static void
test_freed_slot_keeps_its_place(void **state)
{
	struct table *table = unit_table(1, 0);
	struct consumer a;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	for (unsigned i = 1; i <= 300; i++)
		(void)unit_put(table, i, i * S);
	assert_null(table_check(table));
	assert_true(take_all(&a, 10) <= 300);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.clients[0], 300);
	assert_true(atomic_load(&a.outbox.evicted) == 299);
	assert_null(table_check(table));
	outbox_detach(&a.outbox);
	table_free(table);
}

static bool
is_even(void *arg, const struct report *report, uint32_t from)
{
	(void)arg;
	(void)from;
	return report->time_ns / S % 2 == 0;
}

static void
test_owe_pass_owes_what_is_wanted(void **state)
{
	struct table *table = unit_table(0, 0);
	struct table_cursor cursor = { 0 };
	struct consumer a;

	(void)state;
	for (unsigned i = 1; i <= 1000; i++)
		(void)unit_put(table, i, i * S);
	consumer_init(&a, table, SESSION_A);
	assert_true(outbox_is_empty(&a.outbox));
	while (outbox_owe(&a.outbox, &cursor, 5, false, is_even, NULL))
		;
	assert_int_equal(outbox_owed(&a.outbox), 500);
	assert_false(outbox_owe(&a.outbox, &cursor, 5, false, unit_all, NULL));
	assert_int_equal(outbox_owed(&a.outbox), 500);
	cursor = (struct table_cursor){ 0 };
	while (outbox_owe(&a.outbox, &cursor, 1000, false, unit_all, NULL))
		;
	assert_int_equal(outbox_owed(&a.outbox), 1000);
	assert_int_equal(take_all(&a, 256), 1000);
	assert_null(table_check(table));
	outbox_detach(&a.outbox);
	table_free(table);
}

/* What the peer gave and has lost since, a later comparison gives back. */
static void
test_owe_pass_may_give_back(void **state)
{
	struct table *table = unit_table(0, 0);
	struct table_cursor cursor = { 0 };
	struct consumer a;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	(void)put_from(table, 1, S, SESSION_A);
	while (outbox_owe(&a.outbox, &cursor, 1000, false, unit_all, NULL))
		;
	(void)take_all(&a, 256);
	assert_int_equal(a.count, 0);
	cursor = (struct table_cursor){ 0 };
	while (outbox_owe(&a.outbox, &cursor, 1000, true, unit_all, NULL))
		;
	(void)take_all(&a, 256);
	assert_int_equal(a.count, 1);
	assert_null(table_check(table));
	outbox_detach(&a.outbox);
	table_free(table);
}

static void
test_progress_counts_both_ends(void **state)
{
	struct table *table = unit_table(0, 0);
	struct outbox_progress progress;
	struct consumer a;
	uint64_t appended = 0;
	uint64_t popped = 0;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	for (unsigned i = 0; i < 300; i++)
		(void)unit_put(table, i, S);
	a.room = 120;
	(void)take_all(&a, 17);
	outbox_progress(&a.outbox, &progress);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		appended += progress.appended[i];
		popped += progress.popped[i];
	}
	assert_int_equal(appended, 300);
	assert_int_equal(popped, 120);
	outbox_detach(&a.outbox);
	table_free(table);
}

/* A new outbox on the same bit begins with nothing. */
static void
test_detach_forgets_the_debt(void **state)
{
	struct table *table = unit_table(0, 0);
	struct consumer a;

	(void)state;
	consumer_init(&a, table, SESSION_A);
	for (unsigned i = 0; i < 300; i++)
		(void)unit_put(table, i, S);
	outbox_detach(&a.outbox);
	outbox_detach(&a.outbox); /* twice is fine */
	assert_int_equal(outbox_owed(&a.outbox), 0);
	assert_null(table_check(table));
	consumer_init(&a, table, SESSION_A);
	assert_true(outbox_is_empty(&a.outbox));
	assert_int_equal(outbox_owed(&a.outbox), 0);
	(void)unit_put(table, 5, 2 * S);
	assert_int_equal(take_all(&a, 10), 1);
	outbox_detach(&a.outbox);
	table_free(table);
}

static void
test_attach_beyond_limit_is_refused(void **state)
{
	struct table *table = unit_table(0, 0);
	struct outbox outboxes[TABLE_OUTBOXES + 1];

	(void)state;
	for (unsigned i = 0; i <= TABLE_OUTBOXES; i++)
		outbox_init(&outboxes[i], table, 100 + i, unit_no_wake, NULL);
	for (unsigned i = 0; i < TABLE_OUTBOXES; i++)
		assert_ok(outbox_attach(&outboxes[i]));
	assert_int_equal(outbox_attach(&outboxes[TABLE_OUTBOXES]), HERD_ELIMIT);
	(void)unit_put(table, 1, S);
	assert_null(table_check(table));
	outbox_detach(&outboxes[7]);
	assert_ok(outbox_attach(&outboxes[TABLE_OUTBOXES]));
	assert_int_equal(outboxes[TABLE_OUTBOXES].bit, 7);
	for (unsigned i = 0; i <= TABLE_OUTBOXES; i++)
		outbox_detach(&outboxes[i]);
	table_free(table);
}

/* --- what a store shared with others is owed --------------------------------
 */

static void
test_scopes_spare_what_others_write(void **state HERD_UNUSED)
{
	static const struct {
		enum outbox_scope scope;
		unsigned owed[3]; /* of FROM_NOBODY, FROM_CLIENT, a session */
	} rows[] = {
		{ OUTBOX_ALL, { 1, 1, 1 } },
		{ OUTBOX_LEARNED, { 0, 1, 1 } },
		{ OUTBOX_OWN, { 0, 1, 0 } },
	};
	const uint32_t froms[] = { FROM_NOBODY, FROM_CLIENT, SESSION_A };

	for (size_t i = 0; i < HERD_ARRAY_LEN(rows); i++) {
		for (unsigned j = 0; j < 3; j++) {
			struct table *table = unit_table(0, 0);
			struct consumer store;

			consumer_init(&store, table, FROM_NOBODY);
			outbox_detach(&store.outbox);
			store.outbox.scope = rows[i].scope;
			assert_ok(outbox_attach(&store.outbox));
			assert_int_equal(
			    put_from(table, 1, S, froms[j]), PUT_ACCEPTED);
			assert_int_equal(
			    outbox_owed(&store.outbox), rows[i].owed[j]);
			outbox_detach(&store.outbox);
			table_free(table);
		}
	}
}

/* Puts what a client says for the `store`, which its reply waits for. */
static enum put_result
put_waiting(struct table *table, const struct outbox *store, uint64_t time_ns,
    struct put_info *ticket)
{
	struct unit_report made;

	unit_report(&made, 1, time_ns);
	return table_put(table, &made.report, FROM_CLIENT, (struct wall){ 0 },
	    store, ticket);
}

static void
test_a_repeat_owes_what_came_from_elsewhere(void **state HERD_UNUSED)
{
	struct table *table = unit_table(0, 0);
	struct consumer store;
	struct put_info ticket;

	consumer_init(&store, table, FROM_NOBODY);
	outbox_detach(&store.outbox);
	store.outbox.scope = OUTBOX_OWN;
	assert_ok(outbox_attach(&store.outbox));
	assert_int_equal(put_from(table, 1, 2 * S, SESSION_A), PUT_ACCEPTED);
	assert_true(outbox_is_empty(&store.outbox));

	/* Nobody waits: nothing more is owed. */
	assert_int_equal(put_waiting(table, NULL, 2 * S, NULL), PUT_EQUAL);
	assert_true(outbox_is_empty(&store.outbox));

	assert_int_equal(
	    put_waiting(table, &store.outbox, 2 * S, &ticket), PUT_EQUAL);
	assert_int_equal(outbox_owed(&store.outbox), 1);
	assert_int_equal(ticket.appended, 1);
	assert_int_equal(take_all(&store, 10), 1);
	assert_int_equal(store.times[0], 2 * S);

	/* A late one owes the newer record, no matter which node took it. */
	assert_int_equal(
	    put_waiting(table, &store.outbox, S, &ticket), PUT_STALE);
	assert_int_equal(ticket.appended, 2);
	assert_int_equal(take_all(&store, 10), 1);
	assert_int_equal(store.times[1], 2 * S);

	/* What this node's own client said was owed once, and is enough. */
	assert_int_equal(
	    put_waiting(table, &store.outbox, 3 * S, &ticket), PUT_ACCEPTED);
	assert_int_equal(take_all(&store, 10), 1);
	assert_int_equal(
	    put_waiting(table, &store.outbox, 3 * S, &ticket), PUT_EQUAL);
	assert_int_equal(ticket.appended, 3);
	assert_true(outbox_is_empty(&store.outbox));
	outbox_detach(&store.outbox);
	table_free(table);
}

static void
test_owe_client_owes_one_record(void **state HERD_UNUSED)
{
	struct table *table = unit_table(0, 0);
	struct consumer store;

	assert_int_equal(unit_put(table, 1, S), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 2, S), PUT_ACCEPTED);
	consumer_init(&store, table, FROM_NOBODY);
	assert_false(outbox_owe_client(&store.outbox, span_from("nobody")));
	assert_true(outbox_owe_client(&store.outbox, span_from("client-2")));
	assert_true(outbox_owe_client(&store.outbox, span_from("client-2")));
	assert_int_equal(take_all(&store, 10), 1);
	assert_int_equal(store.clients[0], 2);
	outbox_detach(&store.outbox);
	table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take_gives_newest_content_once),
		cmocka_unit_test(test_scopes_spare_what_others_write),
		cmocka_unit_test(test_a_repeat_owes_what_came_from_elsewhere),
		cmocka_unit_test(test_owe_client_owes_one_record),
		cmocka_unit_test(test_wake_comes_once_per_debt),
		cmocka_unit_test(test_take_first_due_first),
		cmocka_unit_test(test_take_gives_each_shard_its_share),
		cmocka_unit_test(test_take_without_room_keeps_debt),
		cmocka_unit_test(test_put_owes_nothing_to_its_sender),
		cmocka_unit_test(test_take_skips_what_the_owner_gave),
		cmocka_unit_test(test_note_tells_who_gave_it_first),
		cmocka_unit_test(test_take_gives_what_nobody_gave),
		cmocka_unit_test(test_freed_slot_keeps_its_place),
		cmocka_unit_test(test_owe_pass_owes_what_is_wanted),
		cmocka_unit_test(test_owe_pass_may_give_back),
		cmocka_unit_test(test_progress_counts_both_ends),
		cmocka_unit_test(test_detach_forgets_the_debt),
		cmocka_unit_test(test_attach_beyond_limit_is_refused),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
