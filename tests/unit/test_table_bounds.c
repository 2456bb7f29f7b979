/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a node takes from its clients when its table is at a bound: who is
 * known goes on, who is not is refused, and what links bring is not judged.
 */
#include "core.h"
#include "sim/table_check.h"

#include <pthread.h>

#define S HERD_NS_PER_S
#define LONG_ID 60000u
#define MAX_BYTES (16u << 20)
#define RANDOM_STEPS 200000u
#define RANDOM_CLIENTS 3000u
#define THREADS 8u
#define THREAD_CLIENTS 4000u

static const struct table_bounds bytes_only = { MAX_BYTES, true };

static enum put_result
take(struct table *table, const struct report *report,
    const struct table_bounds *bounds)
{
	return table_take(table, table_hash(table, report->client), report,
	    (struct wall){ 0 }, NULL, NULL, bounds);
}

static enum put_result
take_client(struct table *table, unsigned client, uint64_t time_ns,
    const struct table_bounds *bounds)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	return take(table, &made.report, bounds);
}

/* An id of LONG_ID bytes in `id`. */
static struct report
long_report(struct unit_report *made, char *id, unsigned client, uint64_t time)
{
	unit_report(made, client, time);
	memset(id, 'x', LONG_ID);
	memcpy(id, made->client, strlen(made->client));
	made->report.client = span_of(id, LONG_ID);
	return made->report;
}

/* Long ids until one is refused; how many were taken. */
static unsigned
fill(struct table *table)
{
	char *id = malloc(LONG_ID);
	struct unit_report made;
	unsigned taken = 0;

	assert_non_null(id);
	for (;; taken++) {
		struct report report = long_report(&made, id, taken, 10 * S);
		enum put_result result = take(table, &report, &bytes_only);

		if (result == PUT_NO_ROOM)
			break;
		assert_int_equal(result, PUT_ACCEPTED);
	}
	free(id);
	return taken;
}

/* --- bytes --------------------------------------------------------------- */

static void
test_bytes_are_bounded_and_known_clients_go_on(void **state)
{
	struct table *table = unit_table(0, 0);
	char *id = malloc(LONG_ID);
	unsigned taken = fill(table);
	struct unit_report made;
	struct report report;

	(void)state;
	assert_non_null(id);
	assert_in_range(taken, 200, MAX_BYTES / LONG_ID);
	assert_in_range(table_bytes(table), MAX_BYTES, MAX_BYTES + 70000u);
	/* Nobody new, however short the name. */
	assert_int_equal(
	    take_client(table, 999999, 10 * S, &bytes_only), PUT_NO_ROOM);
	report = long_report(&made, id, 3, 20 * S);
	assert_int_equal(take(table, &report, &bytes_only), PUT_ACCEPTED);
	/* Stale and equal ones change nothing, so nothing is refused. */
	assert_int_equal(take(table, &report, &bytes_only), PUT_EQUAL);
	report = long_report(&made, id, 3, 15 * S);
	assert_int_equal(take(table, &report, &bytes_only), PUT_STALE);
	assert_null(table_check(table));
	free(id);
	table_free(table);
}

static void
test_record_that_gets_longer_is_refused_at_the_bound(void **state)
{
	char place[600];
	struct table *table = unit_table(0, 0);
	struct unit_report made;

	(void)state;
	memset(place, '0', sizeof(place));
	memcpy(place, "+1.", 3);
	memcpy(place + sizeof(place) - 2, "-1", 2);
	assert_int_equal(
	    take_client(table, 500000, 10 * S, &bytes_only), PUT_ACCEPTED);
	(void)fill(table);
	unit_report(&made, 500000, 20 * S);
	made.report.location = span_of(place, sizeof(place));
	assert_int_equal(take(table, &made.report, &bytes_only), PUT_NO_ROOM);
	assert_true(unit_time_of(table, 500000) == 10 * S);
	/* Without growth it goes on; and a link is never judged. */
	assert_int_equal(
	    take_client(table, 500000, 21 * S, &bytes_only), PUT_ACCEPTED);
	unit_report(&made, 500000, 22 * S);
	made.report.location = span_of(place, sizeof(place));
	assert_int_equal(unit_put_at(table, &made.report, 77, 0), PUT_ACCEPTED);
	/* As long as now is no longer. */
	unit_report(&made, 500000, 23 * S);
	made.report.location = span_of(place, sizeof(place));
	assert_int_equal(take(table, &made.report, &bytes_only), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 600000, 10 * S), PUT_ACCEPTED);
	assert_null(table_check(table));
	table_free(table);
}

static void
test_forgotten_client_is_known_at_the_bound(void **state)
{
	struct table *table = unit_table(0, 0);
	char *id = malloc(LONG_ID);
	struct unit_report made;
	struct report report;
	uint64_t before;

	(void)state;
	assert_non_null(id);
	(void)fill(table);
	before = table_bytes(table);
	report = long_report(&made, id, 5, 20 * S);
	report.kind = REPORT_REMOVAL;
	report.location = report.skew = span_of("", 0);
	assert_int_equal(
	    unit_put_at(table, &report, FROM_CLIENT, 0), PUT_ACCEPTED);
	/* A removal counts for nothing, so another client may come. */
	assert_true(table_bytes(table) < before - LONG_ID);
	assert_int_equal(
	    take_client(table, 700000, 10 * S, &bytes_only), PUT_ACCEPTED);
	report = long_report(&made, id, 700001, 10 * S);
	assert_int_equal(take(table, &report, &bytes_only), PUT_ACCEPTED);
	assert_int_equal(
	    take_client(table, 700002, 10 * S, &bytes_only), PUT_NO_ROOM);
	report = long_report(&made, id, 5, 30 * S);
	assert_int_equal(take(table, &report, &bytes_only), PUT_ACCEPTED);
	assert_null(table_check(table));
	free(id);
	table_free(table);
}

/* Room that expiry made is room again. */
static void
test_expired_records_make_room(void **state)
{
	const struct table_bounds bounds = { 1u << 20, true };
	struct table *table = unit_table(0, 100 * S);
	struct table_cursor cursor = { 0 };
	unsigned client = 0;

	(void)state;
	while (take_client(table, client, 10 * S, &bounds) == PUT_ACCEPTED)
		client++;
	assert_int_equal(
	    take_client(table, client, 10 * S, &bounds), PUT_NO_ROOM);
	while (table_sweep(table, &cursor, 1000, (struct wall){ 200 * S }))
		;
	assert_int_equal(
	    take_client(table, client, 150 * S, &bounds), PUT_ACCEPTED);
	assert_null(table_check(table));
	table_free(table);
}

/* --- clients ------------------------------------------------------------- */

static void
test_cap_refuses_new_clients_and_evicts_none(void **state)
{
	const struct table_bounds refuse = { 0, true };
	const struct table_bounds evict = { 0, false };
	struct table *table = unit_table(100, 0);
	struct unit_report made;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
		    take_client(table, i, (10 + i) * S, &refuse), PUT_ACCEPTED);
	assert_int_equal(take_client(table, 200, 500 * S, &refuse), PUT_FULL);
	assert_true(unit_time_of(table, 0) == 10 * S);
	assert_int_equal(take_client(table, 0, 600 * S, &refuse), PUT_ACCEPTED);
	/* A removal makes a place, and who was removed may come back. */
	unit_removal(&made, 1, 700 * S);
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 0), PUT_ACCEPTED);
	assert_int_equal(
	    take_client(table, 201, 800 * S, &refuse), PUT_ACCEPTED);
	assert_int_equal(take_client(table, 202, 800 * S, &refuse), PUT_FULL);
	assert_int_equal(take_client(table, 1, 900 * S, &refuse), PUT_ACCEPTED);
	/* Each removal makes one place, and only once. */
	for (unsigned i = 10; i < 15; i++) {
		unit_removal(&made, i, 900 * S);
		assert_int_equal(
		    unit_put_at(table, &made.report, FROM_CLIENT, 0),
		    PUT_ACCEPTED);
	}
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(take_client(table, 300 + i, 900 * S, &refuse),
		    i < 5 ? PUT_ACCEPTED : PUT_FULL);
	/* Otherwise the least goes, as with what comes from a link. */
	assert_int_equal(
	    take_client(table, 203, 1000 * S, &evict), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 204, 1000 * S), PUT_ACCEPTED);
	assert_null(table_check(table));
	table_free(table);
}

struct taker {
	struct table *table;
	unsigned number;
	unsigned taken;
	pthread_t id;
};

static void *
run_taker(void *arg)
{
	const struct table_bounds refuse = { 0, true };
	struct taker *taker = arg;

	for (unsigned i = 0; i < THREAD_CLIENTS; i++) {
		unsigned client = taker->number * THREAD_CLIENTS + i;
		struct unit_report made;

		/* The latest come first: each newer one would be the least. */
		unit_report(&made, client, (2 * THREAD_CLIENTS - i) * S);
		taker->taken +=
		    table_take(taker->table,
			table_hash(taker->table, made.report.client),
			&made.report, (struct wall){ 0 }, NULL, NULL,
			&refuse) == PUT_ACCEPTED;
	}
	return NULL;
}

static void
test_cap_is_exact_with_threads(void **state)
{
	const unsigned cap = THREADS * THREAD_CLIENTS / 2;
	struct table *table = unit_table(cap, 0);
	struct taker takers[THREADS];
	struct table_counts counts;
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){ .table = table, .number = i };
		assert_int_equal(
		    pthread_create(&takers[i].id, NULL, run_taker, &takers[i]),
		    0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(takers[i].id, NULL), 0);
		taken += takers[i].taken;
	}
	table_count(table, &counts);
	assert_int_equal(taken, cap);
	assert_int_equal(counts.records, cap);
	assert_int_equal(counts.evicted, 0);
	assert_null(table_check(table));
	table_free(table);
}

/* --- any order ----------------------------------------------------------- */

/* Every count holds after any sequence of what changes a table. */
static void
test_counts_hold_after_random_steps(void **state)
{
	struct unit_random random =
	    unit_random("test_counts_hold_after_random_steps");
	const struct table_bounds bounds = { 400000, true };
	struct table *table = unit_table(2000, 1000 * S);
	char place[2000];
	struct outbox outbox;

	(void)state;
	memset(place, '0', sizeof(place));
	memcpy(place, "+1.", 3);
	outbox_init(&outbox, table, FROM_NOBODY, unit_no_wake, NULL);
	for (unsigned i = 0; i < RANDOM_STEPS; i++) {
		unsigned client = (unsigned)unit_below(&random, RANDOM_CLIENTS);
		struct table_cursor cursor = {
			(uint32_t)unit_below(&random, TABLE_SHARDS), 0, false
		};
		uint64_t time = (1 + i / 40 + unit_below(&random, 500)) * S;
		size_t len = 4 + unit_below(&random, sizeof(place) - 4);
		struct unit_report made;

		unit_report(&made, client, time);
		if (unit_below(&random, 10) == 0) {
			memcpy(place + len - 2, "-1", 2);
			made.report.location = span_of(place, len);
		}
		switch (unit_below(&random, 40)) {
		case 0: unit_removal(&made, client, time); break;
		case 1:
			(void)table_sweep(table, &cursor, 4000,
			    (struct wall){ (1 + i / 40 + 500) * S });
			break;
		case 2:
			outbox_detach(&outbox);
			assert_ok(outbox_attach(&outbox));
			break;
		default: break;
		}
		if (made.report.kind == REPORT_REMOVAL ||
		    unit_below(&random, 4) == 0)
			(void)unit_put_at(table, &made.report, 77, 0);
		else
			(void)take(table, &made.report, &bounds);
		memset(place + len - 2, '0', 2);
		if (i % 5000 == 0)
			assert_null(table_check(table));
	}
	assert_null(table_check(table));
	outbox_detach(&outbox);
	assert_null(table_check(table));
	table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_bytes_are_bounded_and_known_clients_go_on),
		cmocka_unit_test(
		    test_record_that_gets_longer_is_refused_at_the_bound),
		cmocka_unit_test(test_forgotten_client_is_known_at_the_bound),
		cmocka_unit_test(test_expired_records_make_room),
		cmocka_unit_test(test_cap_refuses_new_clients_and_evicts_none),
		cmocka_unit_test(test_cap_is_exact_with_threads),
		cmocka_unit_test(test_counts_hold_after_random_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
