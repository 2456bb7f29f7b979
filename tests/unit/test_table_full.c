/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A full table from inside: what happens between the moment when a record is
 * found to be the least and the moment when it goes, and to the heap.
 */
#include "core.h"
#include "sim/table_check.h"

#include "core/least.h"
#include "core/shard.h"

#define S HERD_NS_PER_S

static unsigned
count_records(struct table *table)
{
	struct table_counts counts;

	table_count(table, &counts);
	return (unsigned)counts.records;
}

static void
sweep_all(struct table *table, uint64_t now_ns)
{
	struct table_cursor cursor = { 0 };

	while (table_sweep(table, &cursor, 1000, (struct wall){ now_ns }))
		;
}

/* Another client whose record lies in the same shard. */
static unsigned
neighbour_of(struct table *table, unsigned client)
{
	struct unit_report made;
	uint32_t shard;

	unit_report(&made, client, 0);
	shard = hash_shard(table_hash(table, made.report.client));
	do
		unit_report(&made, ++client, 0);
	while (hash_shard(table_hash(table, made.report.client)) != shard);
	return client;
}

static struct least
find_least(struct table *table)
{
	struct least least;

	least_find(&least, table, 0);
	assert_true(least.found);
	return least;
}

/* --- what was the least -------------------------------------------------- */

static void
test_least_is_removed(void **state)
{
	struct table *table = unit_table(0, 0);
	struct least least;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		(void)unit_put(table, i, i * S);
	least = find_least(table);
	assert_span(least.report.client, "client-1");
	assert_true(least_remove(&least, table));
	assert_true(unit_time_of(table, 1) == 0);
	assert_int_equal(count_records(table), 99);
	assert_null(table_check(table));
	least_release(&least);
	table_free(table);
}

/* The least is a copy: of an origin that the table has no name for as well. */
static void
test_least_is_a_copy(void **state)
{
	struct table *table = unit_table(0, 0);
	struct unit_report made;
	struct least least;

	(void)state;
	unit_report(&made, 1, S);
	made.report.origin = span_from("Zebra-1");
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 0), PUT_ACCEPTED);
	least = find_least(table);
	made.report.time_ns = 2 * S;
	made.report.origin = span_from("Okapi-2");
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 0), PUT_ACCEPTED);
	assert_span(least.report.origin, "Zebra-1");
	assert_false(least_remove(&least, table));
	least_release(&least);
	table_free(table);
}

/* Meanwhile it was updated, or it has expired: nothing goes in its place. */
static void
test_least_that_changed_stays(void **state)
{
	struct table *table = unit_table(0, 0);
	struct least least;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		(void)unit_put(table, i, i * S);
	least = find_least(table);
	assert_int_equal(unit_put(table, 1, 200 * S), PUT_ACCEPTED);
	assert_false(least_remove(&least, table));
	assert_true(unit_time_of(table, 1) == 200 * S);
	least_release(&least);

	least = find_least(table);
	assert_span(least.report.client, "client-2");
	table_set_limits(table, 0, 10 * S);
	sweep_all(table, 13 * S);
	table_set_limits(table, 0, 0);
	assert_true(unit_time_of(table, 2) == 0);
	assert_false(least_remove(&least, table));
	assert_int_equal(count_records(table), 99);
	least_release(&least);
	assert_null(table_check(table));
	table_free(table);
}

/* Meanwhile a lesser one came: the heap's top is not the one that goes. */
static void
test_least_goes_though_no_longer_the_top(void **state)
{
	struct table *table = unit_table(0, 0);
	unsigned other = neighbour_of(table, 1);
	struct least least;

	(void)state;
	(void)unit_put(table, 1, 10 * S);
	least = find_least(table);
	(void)unit_put(table, other, 5 * S);
	assert_true(least_remove(&least, table));
	assert_true(unit_time_of(table, 1) == 0);
	least_release(&least);
	/* The heap knows still which one is least, and which is gone. */
	(void)unit_put(table, 1, 20 * S);
	least = find_least(table);
	assert_true(least.report.time_ns == 5 * S);
	assert_true(least_remove(&least, table));
	least_release(&least);
	least = find_least(table);
	assert_true(least.report.time_ns == 20 * S);
	least_release(&least);
	assert_null(table_check(table));
	table_free(table);
}

static void
test_least_of_an_empty_table_is_none(void **state)
{
	struct table *table = unit_table(0, 0);
	struct least least;

	(void)state;
	least_find(&least, table, 0);
	assert_false(least.found);
	least_release(&least);
	table_free(table);
}

static void
test_evict_without_a_cap_keeps_all(void **state)
{
	struct table *table = unit_table(0, 0);

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		(void)unit_put(table, i, i * S);
	least_evict(table, 0);
	assert_int_equal(count_records(table), 100);
	table_free(table);
}

/* --- the heap ------------------------------------------------------------ */

/*
 * Entries of records that expired pile up until a heap is given up; then it
 * is built again, and what goes first is right before and after.
 */
static void
test_heap_of_expired_records_is_built_anew(void **state)
{
	struct table *table = unit_table(0, 0);
	unsigned clients[SLOT_CHUNK];
	struct shard *shard;
	bool given_up = false;
	struct least least;
	uint64_t now = 1;

	(void)state;
	for (unsigned i = 0, client = 0; i < SLOT_CHUNK; i++) {
		clients[i] = client;
		client = neighbour_of(table, client);
	}
	(void)unit_put(table, clients[0], now * S);
	least = find_least(table);
	shard = &table->shards[least.shard];
	least_release(&least);
	assert_non_null(shard->heap);
	for (unsigned round = 0; round < 10; round++) {
		unsigned count = round % 2 == 0 ? 100 : SLOT_CHUNK;

		now += 1000;
		table_set_limits(table, 0, 10 * S);
		sweep_all(table, now * S);
		table_set_limits(table, 0, 0);
		assert_int_equal(count_records(table), 0);
		/* The last one is the least. */
		for (unsigned i = 0; i < count; i++)
			(void)unit_put(
			    table, clients[i], (now + count - i) * S);
		assert_true(shard->heap_count <= shard->heap_size);
		given_up = given_up || shard->heap == NULL;
		if (round < 5)
			continue;
		least = find_least(table);
		assert_true(least.report.time_ns == (now + 1) * S);
		assert_true(least_remove(&least, table));
		least_release(&least);
		assert_null(table_check(table));
	}
	assert_true(given_up);
	table_free(table);
}

/*
 * No single report pays for the heaps of all shards: each is built by a put
 * into its shard before the table is full.
 */
static void
test_heaps_are_there_before_the_table_is_full(void **state)
{
	const unsigned cap = 16384;
	struct table *table = unit_table(cap, 0);
	unsigned built_before = 0;
	struct least least;

	(void)state;
	for (unsigned i = 0; i < cap; i++) {
		unsigned built = 0;

		assert_int_equal(
		    unit_put(table, i, (1000 + i) * S), PUT_ACCEPTED);
		for (unsigned j = 0; j < TABLE_SHARDS; j++)
			built += table->shards[j].heap != NULL;
		assert_in_range(built - built_before, 0, 1);
		if (i + 1 < cap - cap / 8)
			assert_int_equal(built, 0);
		built_before = built;
	}
	assert_int_equal(built_before, TABLE_SHARDS);
	least = find_least(table);
	assert_true(least.report.time_ns == 1000 * S);
	least_release(&least);
	assert_int_equal(unit_put(table, cap, 5000 * S), PUT_ACCEPTED);
	assert_true(unit_time_of(table, 0) == 0);
	assert_null(table_check(table));
	table_free(table);
}

/* It was found, then the heap was given up: it goes all the same. */
static void
test_least_goes_without_a_heap(void **state)
{
	struct table *table = unit_table(0, 0);
	unsigned client = 1;
	struct least least;

	(void)state;
	(void)unit_put(table, client, 1000 * S);
	least = find_least(table);
	while (table->shards[least.shard].heap != NULL) {
		client = neighbour_of(table, client);
		(void)unit_put(table, client, 2000 * S);
	}
	assert_true(least_remove(&least, table));
	assert_true(unit_time_of(table, 1) == 0);
	least_release(&least);
	assert_null(table_check(table));
	table_free(table);
}

/* --- the store's ticket -------------------------------------------------- */

/* Who asks for no ticket gets none; what was refused is counted still. */
static void
test_refused_without_ticket_is_counted(void **state)
{
	struct table *table = unit_table(1, 0);
	struct unit_report made;
	struct outbox store;

	(void)state;
	outbox_init(&store, table, FROM_NOBODY, unit_no_wake, NULL);
	assert_ok(outbox_attach(&store));
	(void)unit_put(table, 1, 10 * S);
	unit_report(&made, 2, 5 * S);
	assert_int_equal(table_put(table, &made.report, FROM_CLIENT,
			     (struct wall){ 0 }, &store, NULL),
	    PUT_REFUSED);
	assert_true(atomic_load(&store.refused) == 1);
	outbox_detach(&store);
	table_free(table);
}

/* --- ties ---------------------------------------------------------------- */

#define TIES_CLIENTS 48u
#define TIES_CAP 32u

/* A full table as it ought to be: each client's report, or none. */
struct model {
	unsigned clients[TIES_CLIENTS]; /* all in one shard */
	struct unit_report held[TIES_CLIENTS];
	char locations[TIES_CLIENTS][24];
	bool holds[TIES_CLIENTS];
	unsigned count;
};

static unsigned
model_least(const struct model *model)
{
	unsigned least = TIES_CLIENTS;

	for (unsigned i = 0; i < TIES_CLIENTS; i++) {
		if (model->holds[i] &&
		    (least == TIES_CLIENTS ||
			report_compare_all(&model->held[i].report,
			    &model->held[least].report) < 0))
			least = i;
	}
	return least;
}

static void
model_put(struct model *model, unsigned i, uint64_t time_ns, unsigned place)
{
	struct unit_report made;
	char location[24];

	unit_report(&made, model->clients[i], time_ns);
	snprintf(location, sizeof(location), "+%u+1", place);
	made.report.location = span_from(location);
	if (model->holds[i]
		? report_compare(&made.report, &model->held[i].report) <= 0
		: model->count == TIES_CAP &&
		      report_compare_all(&made.report,
			  &model->held[model_least(model)].report) < 0)
		return;
	if (!model->holds[i] && model->count == TIES_CAP) {
		model->holds[model_least(model)] = false;
		model->count--;
	}
	model->count += !model->holds[i];
	model->holds[i] = true;
	memcpy(model->locations[i], location, sizeof(location));
	unit_report(&model->held[i], model->clients[i], time_ns);
	model->held[i].report.location = span_from(model->locations[i]);
}

static void
assert_model(struct table *table, const struct model *model)
{
	for (unsigned i = 0; i < TIES_CLIENTS; i++) {
		struct unit_report made;
		struct record record;
		bool found;

		unit_report(&made, model->clients[i], 0);
		record_init(&record);
		found =
		    table_get(table, made.report.client, &record) == HERD_OK;
		assert_int_equal(found, model->holds[i]);
		if (found)
			assert_int_equal(report_compare_all(&record.report,
					     &model->held[i].report),
			    0);
		record_release(&record);
	}
}

/*
 * Many reports of the same time, which clients replace by greater ones of the
 * same time: what is out of date in the heap must not hide what is less.
 */
static void
test_least_goes_among_ties_and_updates(void **state)
{
	struct unit_random random = unit_random("ties");

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct table *table = unit_table(TIES_CAP, 0);
		struct model model = { .clients = { 1 } };

		for (unsigned i = 1; i < TIES_CLIENTS; i++)
			model.clients[i] =
			    neighbour_of(table, model.clients[i - 1]);
		for (unsigned step = 0; step < 400; step++) {
			unsigned i =
			    (unsigned)unit_below(&random, TIES_CLIENTS);
			uint64_t time_ns =
			    (1 + step / 50 + unit_below(&random, 2)) * S;
			unsigned place = (unsigned)unit_below(&random, 90);
			struct unit_report made;
			char location[24];

			unit_report(&made, model.clients[i], time_ns);
			snprintf(location, sizeof(location), "+%u+1", place);
			made.report.location = span_from(location);
			(void)unit_put_at(table, &made.report, FROM_CLIENT, 0);
			model_put(&model, i, time_ns, place);
			assert_model(table, &model);
		}
		assert_null(table_check(table));
		table_free(table);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least_is_removed),
		cmocka_unit_test(test_least_is_a_copy),
		cmocka_unit_test(test_least_that_changed_stays),
		cmocka_unit_test(test_least_goes_though_no_longer_the_top),
		cmocka_unit_test(test_least_of_an_empty_table_is_none),
		cmocka_unit_test(test_evict_without_a_cap_keeps_all),
		cmocka_unit_test(test_heap_of_expired_records_is_built_anew),
		cmocka_unit_test(test_heaps_are_there_before_the_table_is_full),
		cmocka_unit_test(test_least_goes_without_a_heap),
		cmocka_unit_test(test_refused_without_ticket_is_counted),
		cmocka_unit_test(test_least_goes_among_ties_and_updates),
	};

	return cmocka_run_group_tests_name("table_full", tests, NULL, NULL);
}
