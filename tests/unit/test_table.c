/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table: the accept rule, expiry, the cap, walks, memory. */
#include "core.h"
#include "sim/table_check.h"

#define S HERD_NS_PER_S

static void
assert_sound(struct table *table)
{
	const char *wrong = table_check(table);

	if (wrong != NULL)
		fail_msg("%s", wrong);
}

/* --- the accept rule ----------------------------------------------------- */

static void
test_put_newer_replaces(void **state)
{
	struct table *table = unit_table(0, 0);

	(void)state;
	assert_int_equal(unit_put(table, 1, 10 * S), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 1, 9 * S), PUT_STALE);
	assert_int_equal(unit_put(table, 1, 10 * S), PUT_EQUAL);
	assert_int_equal(unit_put(table, 1, 11 * S), PUT_ACCEPTED);
	assert_true(unit_time_of(table, 1) == 11 * S);
	assert_sound(table);
	table_free(table);
}

static void
test_put_counts_what_it_did(void **state)
{
	struct table *table = unit_table(0, 0);
	struct unit_report gone;
	struct table_counts counts;

	(void)state;
	(void)unit_put(table, 1, 10 * S);
	(void)unit_put(table, 2, 10 * S);
	(void)unit_put(table, 2, 9 * S);
	(void)unit_put(table, 2, 10 * S);
	unit_removal(&gone, 1, 12 * S);
	assert_int_equal(
	    unit_put_at(table, &gone.report, FROM_CLIENT, 0), PUT_ACCEPTED);
	table_count(table, &counts);
	assert_int_equal(counts.records, 2);
	assert_int_equal(counts.removals, 1);
	assert_int_equal(counts.accepted, 3);
	assert_int_equal(counts.stale, 1);
	assert_int_equal(counts.equal, 1);
	assert_int_equal(unit_put(table, 1, 13 * S), PUT_ACCEPTED);
	table_count(table, &counts);
	assert_int_equal(counts.removals, 0);
	assert_sound(table);
	table_free(table);
}

static void
test_put_removal_beats_report_of_same_time(void **state)
{
	struct table *table = unit_table(0, 0);
	struct unit_report gone;

	(void)state;
	unit_removal(&gone, 1, 10 * S);
	assert_int_equal(unit_put(table, 1, 10 * S), PUT_ACCEPTED);
	assert_int_equal(
	    unit_put_at(table, &gone.report, FROM_CLIENT, 0), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 1, 10 * S), PUT_STALE);
	table_free(table);
}

/* Whatever comes first, the same one stays. */
static void
test_put_ties_have_one_winner(void **state)
{
	static const char *const places[] = { "+1.0-1.0", "+1.0-1.1",
		"+1.1-1.0", "-1.0+1.0" };

	(void)state;
	for (unsigned first = 0; first < 4; first++) {
		struct table *table = unit_table(0, 0);
		struct record record;

		for (unsigned i = 0; i < 4; i++) {
			struct unit_report made;

			unit_report(&made, 1, 10 * S);
			made.report.location =
			    span_from(places[(first + i) % 4]);
			(void)unit_put_at(table, &made.report, FROM_CLIENT, 0);
		}
		record_init(&record);
		assert_ok(table_get(table, span_from("client-1"), &record));
		assert_span(record.report.location, "-1.0+1.0");
		record_release(&record);
		table_free(table);
	}
}

/* Ids and locations of every length come back byte for byte. */
static void
test_get_returns_the_bytes(void **state)
{
	struct table *table = unit_table(0, 0);
	struct record record;
	char *id = malloc(REPORT_CLIENT_MAX);
	char *place = malloc(3000);

	(void)state;
	assert_non_null(id);
	assert_non_null(place);
	memset(id, '\xc3', REPORT_CLIENT_MAX);
	memset(place, '7', 3000);
	memcpy(place, "+34.", 4);
	record_init(&record);
	for (size_t len = 1; len <= REPORT_CLIENT_MAX;
	     len = len < 400 ? len + 1 : len * 2 + 1) {
		size_t place_len = 4 + len % 2500;
		struct unit_report made;

		unit_report(&made, 1, 10 * S);
		memcpy(place + place_len, "-118.445127", 11);
		made.report.client = span_of(id, len);
		made.report.location = span_of(place, place_len + 11);
		assert_int_equal(
		    unit_put_at(table, &made.report, 77, 0), PUT_ACCEPTED);
		assert_ok(table_get(table, made.report.client, &record));
		assert_int_equal(
		    report_compare_all(&record.report, &made.report), 0);
		assert_int_equal(record.from, 77);
		memset(place + place_len, '7', 11);
	}
	assert_int_equal(
	    table_get(table, span_from("nobody"), &record), HERD_ENOTFOUND);
	record_release(&record);
	free(id);
	free(place);
	assert_sound(table);
	table_free(table);
}

/*
 * These ids have the same hash as far as the table keeps it, with the key of
 * unit_table(): each is still a client of its own.
 */
static void
test_clients_of_equal_hash_are_apart(void **state)
{
	static const unsigned pairs[][2] = { { 1677230, 2379886 },
		{ 699659, 2732212 }, { 61245, 3113373 } };
	struct table *table = unit_table(0, 0);

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(pairs); i++) {
		struct unit_report a;
		struct unit_report b;

		unit_report(&a, pairs[i][0], 10 * S);
		unit_report(&b, pairs[i][1], 20 * S);
		assert_int_equal((uint32_t)table_hash(table, a.report.client),
		    (uint32_t)table_hash(table, b.report.client));
		assert_int_equal(
		    unit_put(table, pairs[i][0], 10 * S), PUT_ACCEPTED);
		assert_true(unit_time_of(table, pairs[i][1]) == 0);
		assert_int_equal(
		    unit_put(table, pairs[i][1], 20 * S), PUT_ACCEPTED);
		assert_true(unit_time_of(table, pairs[i][0]) == 10 * S);
		assert_true(unit_time_of(table, pairs[i][1]) == 20 * S);
		assert_int_equal(
		    unit_put(table, pairs[i][0], 15 * S), PUT_ACCEPTED);
		assert_true(unit_time_of(table, pairs[i][1]) == 20 * S);
	}
	assert_sound(table);
	table_free(table);
	table_free(NULL);
}

/* A short blob where a long one was, and back. */
static void
test_put_changes_size_in_place(void **state)
{
	static const char *const places[] = { "+1-1",
		"+34.06893012345678901234567890123456789012345678901234567890"
		"1234567890123456789012345678901234567890-118.445127" };
	struct table *table = unit_table(0, 0);
	struct record record;

	(void)state;
	record_init(&record);
	for (unsigned i = 0; i < 20; i++) {
		struct unit_report made;

		unit_report(&made, 1, (10 + i) * S);
		made.report.location = span_from(places[i % 2]);
		assert_int_equal(
		    unit_put_at(table, &made.report, FROM_CLIENT, 0),
		    PUT_ACCEPTED);
		assert_ok(table_get(table, made.report.client, &record));
		assert_int_equal(
		    report_compare_all(&record.report, &made.report), 0);
	}
	record_release(&record);
	table_free(table);
}

/* --- expiry -------------------------------------------------------------- */

static void
test_put_expired_is_refused(void **state)
{
	struct table *table = unit_table(0, 100 * S);
	struct unit_report made;

	(void)state;
	unit_report(&made, 1, 899 * S);
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 1000 * S),
	    PUT_EXPIRED);
	unit_report(&made, 1, 900 * S);
	assert_int_equal(
	    unit_put_at(table, &made.report, FROM_CLIENT, 1000 * S),
	    PUT_ACCEPTED);
	table_free(table);
}

static void
test_sweep_drops_expired_only(void **state)
{
	struct table *table = unit_table(0, 100 * S);
	struct table_cursor cursor = { 0 };
	struct table_counts counts;
	unsigned slices = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(unit_put(table, i, (i + 1) * S), PUT_ACCEPTED);
	while (table_sweep(table, &cursor, 7, (struct wall){ 600 * S }))
		slices++;
	assert_true(slices >= TABLE_SHARDS - 1);
	table_count(table, &counts);
	assert_int_equal(counts.records, 501);
	assert_int_equal(counts.expired, 499);
	assert_true(unit_time_of(table, 498) == 0);
	assert_true(unit_time_of(table, 499) == 500 * S);
	assert_sound(table);
	/* What is swept is not swept twice, and the end stays the end. */
	assert_false(table_sweep(table, &cursor, 7, (struct wall){ 600 * S }));
	cursor = (struct table_cursor){ 0 };
	while (table_sweep(table, &cursor, 7, (struct wall){ 600 * S }))
		;
	table_count(table, &counts);
	assert_int_equal(counts.expired, 499);
	/* Freed slots are used again. */
	for (unsigned i = 0; i < 499; i++)
		assert_int_equal(unit_put(table, i, 700 * S), PUT_ACCEPTED);
	assert_sound(table);
	table_free(table);
}

/* --- the cap ------------------------------------------------------------- */

static void
test_cap_keeps_the_greatest(void **state)
{
	struct table *table = unit_table(3, 0);
	struct table_counts counts;

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(unit_put(table, i, 10 * i * S), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 4, 5 * S), PUT_REFUSED);
	assert_int_equal(unit_put(table, 5, 15 * S), PUT_ACCEPTED);
	assert_true(unit_time_of(table, 1) == 0);
	assert_true(unit_time_of(table, 5) == 15 * S);
	/* An update needs no room. */
	assert_int_equal(unit_put(table, 5, 16 * S), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 2, 40 * S), PUT_ACCEPTED);
	assert_int_equal(unit_put(table, 6, 35 * S), PUT_ACCEPTED);
	assert_true(unit_time_of(table, 5) == 0);
	table_count(table, &counts);
	assert_int_equal(counts.records, 3);
	assert_int_equal(counts.evicted, 3);
	assert_sound(table);
	table_free(table);
}

static void
test_cap_ties_go_by_content(void **state)
{
	struct unit_random random = unit_random("cap_ties");

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct table *table = unit_table(10, 0);
		unsigned order[40];

		for (unsigned i = 0; i < 40; i++)
			order[i] = i;
		for (unsigned i = 39; i > 0; i--) {
			size_t j = unit_below(&random, i + 1);
			unsigned t = order[i];

			order[i] = order[j];
			order[j] = t;
		}
		/* All the same but the id: the greatest ids stay. */
		for (unsigned i = 0; i < 40; i++)
			(void)unit_put(table, 10 + order[i], 10 * S);
		for (unsigned i = 0; i < 40; i++)
			assert_true(
			    (unit_time_of(table, 10 + i) != 0) == (i >= 30));
		assert_sound(table);
		table_free(table);
	}
}

/*
 * Equal times must not make an eviction look at every record: this would
 * take hours.
 */
static void
test_cap_with_one_time_is_not_quadratic(void **state)
{
	const unsigned cap = 100000;
	struct table *table = unit_table(cap, 0);
	struct table_counts counts;

	(void)state;
	for (unsigned i = 0; i < 2 * cap; i++)
		(void)unit_put(table, i, 10 * S);
	table_count(table, &counts);
	assert_int_equal(counts.records, cap);
	assert_int_equal(counts.evicted, cap);
	assert_sound(table);
	table_free(table);
}

static void
test_cap_lowered_is_swept(void **state)
{
	struct table *table = unit_table(0, 0);
	struct table_cursor cursor = { 0 };
	struct table_counts counts;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		(void)unit_put(table, i, (i + 1) * S);
	table_set_limits(table, 100, 0);
	(void)table_sweep(table, &cursor, 1, (struct wall){ 0 });
	table_count(table, &counts);
	assert_int_equal(counts.records, 100);
	assert_true(unit_time_of(table, 399) == 0);
	assert_true(unit_time_of(table, 400) == 401 * S);
	assert_sound(table);
	table_free(table);
}

/* --- against a model ----------------------------------------------------- */

#define MODEL_CLIENTS 200u

struct model {
	uint64_t time[MODEL_CLIENTS];
	bool removed[MODEL_CLIENTS];
	uint64_t cap;
	uint64_t expire;
};

static unsigned
model_count(const struct model *model)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MODEL_CLIENTS; i++)
		count += model->time[i] != 0;
	return count;
}

/* Times are unique here, so the time alone is the order. */
static void
model_put(struct model *model, unsigned client, uint64_t time, bool removal,
    uint64_t now)
{
	unsigned least = client;

	if (model->expire != 0 && now > model->expire &&
	    time < now - model->expire)
		return;
	if (time <= model->time[client])
		return;
	model->time[client] = time;
	model->removed[client] = removal;
	if (model->cap == 0 || model_count(model) <= model->cap)
		return;
	for (unsigned i = 0; i < MODEL_CLIENTS; i++) {
		if (model->time[i] != 0 && model->time[i] < model->time[least])
			least = i;
	}
	model->time[least] = 0;
}

static void
model_compare(const struct model *model, struct table *table)
{
	struct table_counts counts;

	table_count(table, &counts);
	assert_int_equal(counts.records, model_count(model));
	for (unsigned i = 0; i < MODEL_CLIENTS; i++)
		assert_true(unit_time_of(table, i) == model->time[i]);
	assert_sound(table);
}

static void
test_random_operations_match_model(void **state)
{
	struct unit_random random = unit_random("table_model");

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct model model = { .cap = round % 3 * 60,
			.expire = round % 2 * 500 };
		struct table *table = unit_table(model.cap, model.expire);
		uint64_t now = 1000;

		for (unsigned i = 0; i < 3000; i++) {
			unsigned client =
			    (unsigned)unit_below(&random, MODEL_CLIENTS);
			uint64_t time =
			    (now - unit_below(&random, 600)) * MODEL_CLIENTS +
			    client;
			bool removal = unit_below(&random, 10) == 0;
			struct unit_report made;

			if (removal)
				unit_removal(&made, client, time);
			else
				unit_report(&made, client, time);
			table_set_limits(
			    table, model.cap, model.expire * MODEL_CLIENTS);
			model.expire *= MODEL_CLIENTS;
			model_put(
			    &model, client, time, removal, now * MODEL_CLIENTS);
			model.expire /= MODEL_CLIENTS;
			(void)unit_put_at(table, &made.report, FROM_CLIENT,
			    now * MODEL_CLIENTS);
			now += unit_below(&random, 2);
		}
		model_compare(&model, table);
		table_free(table);
	}
}

/* --- walks --------------------------------------------------------------- */

struct visits {
	unsigned seen[1000];
	unsigned count;
	unsigned stop_at;
};

static bool
on_visit(void *arg, const struct report *report, uint32_t from)
{
	struct visits *visits = arg;
	unsigned client = (unsigned)strtoul(report->client.data + 7, NULL, 10);

	assert_int_equal(from, FROM_CLIENT);
	visits->seen[client % 1000]++;
	visits->count++;
	return visits->stop_at == 0 || visits->count % visits->stop_at != 0;
}

static void
test_walk_visits_each_once(void **state)
{
	static const unsigned slices[] = { 1, 3, 64, 100000 };
	struct table *table = unit_table(0, 0);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		(void)unit_put(table, i, (i + 1) * S);
	for (size_t i = 0; i < HERD_ARRAY_LEN(slices); i++) {
		struct visits visits = { 0 };
		struct table_cursor cursor = { 0 };

		while (table_walk(table, &cursor, slices[i], on_visit, &visits))
			;
		for (unsigned j = 0; j < 1000; j++)
			assert_int_equal(visits.seen[j], 1);
		assert_false(cursor.skipped);
		assert_false(table_walk(table, &cursor, 10, on_visit, &visits));
	}
	table_free(table);
}

/* A walk that was stopped goes on after the record that it saw. */
static void
test_walk_stopped_goes_on_after(void **state)
{
	struct table *table = unit_table(0, 0);
	struct visits visits = { .stop_at = 7 };
	struct table_cursor cursor = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		(void)unit_put(table, i, (i + 1) * S);
	while (cursor.shard < TABLE_SHARDS)
		(void)table_walk(table, &cursor, 50, on_visit, &visits);
	for (unsigned j = 0; j < 1000; j++)
		assert_int_equal(visits.seen[j], 1);
	table_free(table);
}

/* --- memory -------------------------------------------------------------- */

/* The promise: a million clients with ids of 20 bytes, outboxes included. */
static void
test_memory_of_a_million_is_below_100_bytes_each(void **state)
{
	const unsigned clients = 1000000;
	struct table *table = unit_table(0, 0);
	struct outbox outboxes[5];
	struct table_counts counts;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		outbox_init(&outboxes[i], table, 1000 + i, unit_no_wake, NULL);
		assert_ok(outbox_attach(&outboxes[i]));
	}
	for (unsigned i = 0; i < clients; i++) {
		struct unit_report made;

		unit_report(&made, i, (1600000000 + i) * S + 123456789);
		snprintf(made.client, sizeof(made.client), "kiwi-%07u.ucla.edu",
		    i % 10000000);
		made.report.client = span_of(made.client, 20);
		assert_int_equal(
		    unit_put_at(table, &made.report, FROM_CLIENT, 0),
		    PUT_ACCEPTED);
		if (i % 1000 != 0)
			continue;
		for (unsigned j = 0; j < 5; j++) {
			outbox_detach(&outboxes[j]);
			assert_ok(outbox_attach(&outboxes[j]));
		}
	}
	table_count(table, &counts);
	print_message(
	    "%.1f bytes per client\n", (double)counts.bytes / (double)clients);
	assert_int_equal(counts.records, clients);
	assert_true(counts.bytes <= 100u * clients);
	for (unsigned i = 0; i < 5; i++)
		outbox_detach(&outboxes[i]);
	table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_newer_replaces),
		cmocka_unit_test(test_put_counts_what_it_did),
		cmocka_unit_test(test_put_removal_beats_report_of_same_time),
		cmocka_unit_test(test_put_ties_have_one_winner),
		cmocka_unit_test(test_get_returns_the_bytes),
		cmocka_unit_test(test_clients_of_equal_hash_are_apart),
		cmocka_unit_test(test_put_changes_size_in_place),
		cmocka_unit_test(test_put_expired_is_refused),
		cmocka_unit_test(test_sweep_drops_expired_only),
		cmocka_unit_test(test_cap_keeps_the_greatest),
		cmocka_unit_test(test_cap_ties_go_by_content),
		cmocka_unit_test(test_cap_with_one_time_is_not_quadratic),
		cmocka_unit_test(test_cap_lowered_is_swept),
		cmocka_unit_test(test_random_operations_match_model),
		cmocka_unit_test(test_walk_visits_each_once),
		cmocka_unit_test(test_walk_stopped_goes_on_after),
		cmocka_unit_test(
		    test_memory_of_a_million_is_below_100_bytes_each),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
