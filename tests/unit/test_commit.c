/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Durability: when an answer may go that waits for the store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "core/commit.h"

struct world {
	struct table *table;
	struct outbox store;
	struct commit commit;
};

static void
on_wake(void *arg)
{
	(void)arg;
}

static bool
on_give(void *arg, const struct report *report)
{
	unsigned *given = arg;

	(void)report;
	(*given)++;
	return true;
}

static void
world_init(struct world *w, uint64_t cap)
{
	const struct table_config config = { cap, 0, { 5, 6 } };

	assert_int_equal(table_new(&config, &w->table), HERD_OK);
	outbox_init(&w->store, w->table, FROM_NOBODY, on_wake, NULL);
	assert_int_equal(outbox_attach(&w->store), HERD_OK);
	commit_init(&w->commit, &w->store);
}

static void
world_release(struct world *w)
{
	outbox_detach(&w->store);
	table_free(w->table);
}

static enum put_result
put(struct world *w, unsigned client, unsigned time, struct put_info *ticket)
{
	char id[32] = "";
	char at[32] = "";
	struct report report = { .location = span_from("+1.5-2.5"),
		.skew = span_from("+0.000000001"),
		.origin = span_from("Riley"),
		.time_ns = time * HERD_NS_PER_S };

	snprintf(id, sizeof(id), "c%u", client);
	snprintf(at, sizeof(at), "%u", time);
	report.client = span_from(id);
	report.time = span_from(at);
	return table_put(w->table, &report, FROM_CLIENT, (struct wall){ 0 },
	    &w->store, ticket);
}

/* Takes at most `shards` shards' records into a batch; returns how many. */
static unsigned
take(struct world *w, unsigned shards)
{
	unsigned given = 0;

	while (shards-- > 0 && outbox_take(&w->store, 100, on_give, &given) > 0)
		;
	commit_end_batch(&w->commit);
	return given;
}

static void
test_commit_answer_waits_for_publish(void **state)
{
	struct world w;
	struct put_info ticket;

	(void)state;
	world_init(&w, 0);
	assert_int_equal(put(&w, 1, 10, &ticket), PUT_ACCEPTED);
	assert_true(commit_must_wait(&w.commit, PUT_ACCEPTED, &ticket));
	assert_int_equal(take(&w, 64), 1);
	assert_false(commit_covers(&w.commit, &ticket));
	assert_true(commit_publish(&w.commit));
	assert_true(commit_covers(&w.commit, &ticket));
	world_release(&w);
}

/* The batch that copied what made it stale is not durable yet. */
static void
test_commit_stale_waits_for_running_batch(void **state)
{
	struct world w;
	struct put_info ticket;

	(void)state;
	world_init(&w, 0);
	assert_int_equal(put(&w, 1, 10, &ticket), PUT_ACCEPTED);
	assert_int_equal(take(&w, 64), 1);
	assert_int_equal(put(&w, 1, 9, &ticket), PUT_STALE);
	assert_true(commit_must_wait(&w.commit, PUT_STALE, &ticket));
	assert_int_equal(put(&w, 1, 10, &ticket), PUT_EQUAL);
	assert_true(commit_must_wait(&w.commit, PUT_EQUAL, &ticket));
	assert_true(commit_publish(&w.commit));
	assert_false(commit_must_wait(&w.commit, PUT_EQUAL, &ticket));
	/* nothing owed any more: no wait at all */
	assert_int_equal(put(&w, 1, 8, &ticket), PUT_STALE);
	assert_false(commit_must_wait(&w.commit, PUT_STALE, &ticket));
	world_release(&w);
}

/* Two clients whose records lie in different shards, the first taken first. */
static void
two_shards(struct world *w, unsigned *first, unsigned *second)
{
	unsigned lowest = UINT32_MAX;
	unsigned highest = 0;

	for (unsigned i = 100; i < 140; i++) {
		struct put_info ticket;

		(void)put(w, i, 1, &ticket);
		if (ticket.shard < lowest) {
			lowest = ticket.shard;
			*first = i;
		}
		if (ticket.shard >= highest) {
			highest = ticket.shard;
			*second = i;
		}
	}
	assert_true(lowest < highest);
}

/*
 * The cap throws a record out before the store takes it: its answer waits
 * for the records that made it the least, though they lie in other shards.
 */
static void
test_commit_evicted_waits_for_all(void **state)
{
	struct world w;
	struct world probe;
	struct put_info ticket;
	struct put_info other;
	unsigned first = 0;
	unsigned second = 0;

	(void)state;
	world_init(&probe, 0);
	two_shards(&probe, &first, &second);
	world_release(&probe);

	world_init(&w, 1);
	assert_int_equal(put(&w, first, 10, &ticket), PUT_ACCEPTED);
	assert_int_equal(put(&w, second, 11, &other), PUT_ACCEPTED);
	assert_int_not_equal(ticket.shard, other.shard);
	/* one shard at a time: the first is empty by now */
	assert_int_equal(take(&w, 1), 0);
	assert_false(commit_publish(&w.commit));
	assert_false(commit_covers(&w.commit, &ticket));
	assert_int_equal(take(&w, 1), 1);
	assert_true(commit_publish(&w.commit));
	assert_true(commit_covers(&w.commit, &ticket));
	assert_true(commit_covers(&w.commit, &other));
	world_release(&w);
}

/*
 * A full table refuses a report: its answer waits for the record that made
 * it the least, though that lies in another shard and nothing of the report
 * was ever held.
 */
static void
test_commit_refused_waits_for_all(void **state)
{
	struct world w;
	struct world probe;
	struct put_info ticket;
	struct put_info other;
	unsigned first = 0;
	unsigned second = 0;

	(void)state;
	world_init(&probe, 0);
	two_shards(&probe, &first, &second);
	world_release(&probe);

	world_init(&w, 1);
	assert_int_equal(put(&w, second, 11, &other), PUT_ACCEPTED);
	assert_int_equal(put(&w, first, 10, &ticket), PUT_REFUSED);
	assert_int_equal(take(&w, 1), 0);
	assert_false(commit_publish(&w.commit));
	assert_true(commit_must_wait(&w.commit, PUT_REFUSED, &ticket));
	assert_int_equal(take(&w, 1), 1);
	assert_false(commit_covers(&w.commit, &ticket));
	assert_true(commit_publish(&w.commit));
	assert_true(commit_covers(&w.commit, &ticket));
	world_release(&w);
}

/* Three clients in shards that the store takes one after the other. */
static void
three_shards(struct world *w, unsigned clients[3])
{
	unsigned shards[3] = { 0, 0, 0 };
	unsigned found = 0;

	for (unsigned shard = 0; shard < TABLE_SHARDS && found < 3; shard++) {
		for (unsigned i = 100; i < 400; i++) {
			struct put_info ticket;

			(void)put(w, i, 1, &ticket);
			if (ticket.shard != shard)
				continue;
			shards[found] = shard;
			clients[found++] = i;
			break;
		}
	}
	assert_int_equal(found, 3);
	assert_true(shards[0] < shards[1] && shards[1] < shards[2]);
}

/*
 * What made it the least is thrown out in its turn before the store takes
 * it: the answer waits for what made that the least.
 */
static void
test_commit_waits_along_a_chain_of_evictions(void **state)
{
	struct world w;
	struct world probe;
	struct put_info first;
	struct put_info second;
	struct put_info third;
	unsigned clients[3];

	(void)state;
	world_init(&probe, 0);
	three_shards(&probe, clients);
	world_release(&probe);

	world_init(&w, 1);
	assert_int_equal(put(&w, clients[0], 10, &first), PUT_ACCEPTED);
	assert_int_equal(put(&w, clients[1], 11, &second), PUT_ACCEPTED);
	assert_int_equal(take(&w, 1), 0);
	assert_false(commit_publish(&w.commit));
	assert_int_equal(put(&w, clients[2], 12, &third), PUT_ACCEPTED);
	assert_int_equal(take(&w, 1), 0);
	assert_false(commit_publish(&w.commit));
	assert_false(commit_covers(&w.commit, &first));
	assert_int_equal(take(&w, 1), 1);
	assert_true(commit_publish(&w.commit));
	assert_true(commit_covers(&w.commit, &first));
	assert_true(commit_covers(&w.commit, &second));
	assert_true(commit_covers(&w.commit, &third));
	world_release(&w);
}

/* Refusals in each batch may delay the answers but never for ever. */
static void
test_commit_refusals_without_end_still_publish(void **state)
{
	struct world w;
	struct put_info ticket;
	struct put_info old = { 0, 0 };
	unsigned unanswered = 0;

	(void)state;
	world_init(&w, 4);
	for (unsigned i = 0; i < 4; i++)
		(void)put(&w, i, 1000000, &ticket);
	for (unsigned i = 10; i <= 2009; i++) {
		assert_int_equal(put(&w, i, i, &ticket), PUT_REFUSED);
		(void)put(&w, i % 4, 1000000 + i, &ticket);
		if (i % 50 == 10)
			old = ticket;
		(void)take(&w, 2);
		(void)commit_publish(&w.commit);
		if (i % 50 == 9 && !commit_covers(&w.commit, &old))
			unanswered++;
	}
	assert_int_equal(unanswered, 0);
	world_release(&w);
}

/* Evictions in each batch: answers go when the store has caught up once. */
static void
test_commit_evictions_publish_when_caught_up(void **state)
{
	struct world w;
	struct put_info ticket;

	(void)state;
	world_init(&w, 4);
	for (unsigned i = 1; i <= 2000; i++) {
		(void)put(&w, i, i, &ticket);
		(void)take(&w, i % 40 == 0 ? TABLE_SHARDS : 1);
		(void)commit_publish(&w.commit);
		if (i % 40 == 0)
			assert_true(commit_covers(&w.commit, &ticket));
	}
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit_answer_waits_for_publish),
		cmocka_unit_test(test_commit_stale_waits_for_running_batch),
		cmocka_unit_test(test_commit_evicted_waits_for_all),
		cmocka_unit_test(test_commit_refused_waits_for_all),
		cmocka_unit_test(test_commit_waits_along_a_chain_of_evictions),
		cmocka_unit_test(
		    test_commit_refusals_without_end_still_publish),
		cmocka_unit_test(test_commit_evictions_publish_when_caught_up),
	};

	return cmocka_run_group_tests_name("commit", tests, NULL, NULL);
}
