/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each allocation of the table fails once, and of what is beside it: nothing
 * is leaked, no put that failed is called accepted, no debt is forgotten.
 */
#include "core.h"
#include "torture.h"

#include "core/commit.h"
#include "core/digest.h"
#include "sim/table_check.h"

#define S HERD_NS_PER_S

/* --- the table ----------------------------------------------------------- */

#define CROWD 300u

static char long_place[1200];
static const struct table_config config = { 0, 0, { 1, 2 } };
static unsigned crowd[CROWD]; /* clients whose records lie in one shard */

static void
find_crowd(void)
{
	unsigned found = 0;

	for (unsigned i = 0; found < CROWD; i++) {
		struct unit_report made;
		uint64_t hash;

		unit_report(&made, i, 0);
		hash = siphash(&config.key, made.report.client.data,
		    made.report.client.len);
		if (hash >> 58 == 0)
			crowd[found++] = i;
	}
}

static void
make(struct unit_report *made, unsigned client, uint64_t time_ns)
{
	unit_report(made, client, time_ns);
	if (client % 3 == 0)
		made->report.location = span_of(long_place, sizeof(long_place));
}

static bool
on_give(void *arg, const struct report *report)
{
	unsigned *count = arg;

	(void)report;
	(*count)++;
	return true;
}

static enum put_result
try_put_report(struct table *table, const struct report *report,
    const struct outbox *store, struct put_info *ticket)
{
	return table_put(
	    table, report, FROM_CLIENT, (struct wall){ 0 }, store, ticket);
}

static enum put_result
try_put(struct table *table, unsigned client, uint64_t time_ns)
{
	struct unit_report made;

	make(&made, client, time_ns);
	return try_put_report(table, &made.report, NULL, NULL);
}

/* What was accepted is there, what was not changed nothing. */
static void
table_scenario(void)
{
	struct table *table;
	struct outbox outbox;
	uint64_t held[60] = { 0 };
	unsigned given = 0;

	if (table_new(&config, &table) != HERD_OK)
		return;
	outbox_init(&outbox, table, 1000, unit_no_wake, NULL);
	if (outbox_attach(&outbox) != HERD_OK)
		fail_msg("attaching needs no memory");
	for (unsigned i = 0; i < 180; i++) {
		uint64_t time = (1 + i / 60) * S;

		if (try_put(table, i % 60, time) == PUT_ACCEPTED)
			held[i % 60] = time;
	}
	calls_left = SIZE_MAX;
	assert_null(table_check(table));
	for (unsigned i = 0; i < 60; i++)
		assert_true(unit_time_of(table, i) == held[i]);
	/* A debt that could not be noted is admitted. */
	while (outbox_take(&outbox, 100, on_give, &given) > 0)
		;
	assert_true(given == 60 || failed);
	assert_true(outbox_has_failed(&outbox) || given >= 59);
	outbox_detach(&outbox);
	table_free(table);
}

static void
test_table_without_memory_keeps_its_word(void **state)
{
	(void)state;
	torture_scenario(table_scenario);
}

static unsigned
count_held(struct table *table)
{
	struct table_counts counts;

	table_count(table, &counts);
	return (unsigned)counts.records;
}

/* A debt that was not noted: nothing is durable any more; begin again. */
static void
assert_begins_again(struct outbox *outbox, struct commit *commit,
    const struct put_info tickets[CROWD])
{
	struct table_cursor cursor = { 0 };
	unsigned given = 0;

	commit_end_batch(commit);
	assert_false(commit_publish(commit));
	for (unsigned i = 0; i < CROWD; i++)
		assert_false(commit_covers(commit, &tickets[i]));
	outbox_detach(outbox);
	assert_ok(outbox_attach(outbox));
	assert_false(outbox_has_failed(outbox));
	while (outbox_owe(outbox, &cursor, 100, false, unit_all, NULL))
		;
	while (outbox_take(outbox, 100, on_give, &given) > 0)
		;
	assert_int_equal(given, count_held(outbox->table));
}

/* One shard's index, slots and FIFO grow several times. */
static void
crowd_scenario(void)
{
	struct table *table;
	struct outbox outbox;
	struct commit commit;
	struct put_info tickets[CROWD] = { { 0 } };
	bool held[CROWD];
	unsigned given = 0;

	if (table_new(&config, &table) != HERD_OK)
		return;
	outbox_init(&outbox, table, FROM_NOBODY, unit_no_wake, NULL);
	assert_ok(outbox_attach(&outbox));
	commit_init(&commit, &outbox);
	for (unsigned i = 0; i < CROWD; i++) {
		struct unit_report made;

		unit_report(&made, crowd[i], S);
		held[i] = try_put_report(table, &made.report, &outbox,
			      &tickets[i]) == PUT_ACCEPTED;
		assert_true(held[i] || failed);
	}
	calls_left = SIZE_MAX;
	assert_null(table_check(table));
	for (unsigned i = 0; i < CROWD; i++)
		assert_true((unit_time_of(table, crowd[i]) != 0) == held[i]);
	if (outbox_has_failed(&outbox)) {
		assert_begins_again(&outbox, &commit, tickets);
	} else {
		while (outbox_take(&outbox, 100, on_give, &given) > 0)
			;
		assert_int_equal(given, count_held(table));
		commit_end_batch(&commit);
		assert_true(commit_publish(&commit));
		assert_true(commit_covers(&commit, &tickets[CROWD - 1]));
	}
	outbox_detach(&outbox);
	table_free(table);
}

static void
test_crowded_shard_without_memory_keeps_its_word(void **state)
{
	(void)state;
	torture_scenario(crowd_scenario);
}

/* Equal times: what is held must be read to know which one is greater. */
static void
tie_scenario(void)
{
	struct table *table;
	struct unit_report first;
	struct unit_report second;
	enum put_result put;
	struct record record;
	enum herd_error error;

	if (table_new(&config, &table) != HERD_OK)
		return;
	make(&first, 3, S);
	make(&second, 3, S);
	second.report.skew = span_from("+0.263873387");
	record_init(&record);
	if (try_put_report(table, &first.report, NULL, NULL) == PUT_ACCEPTED) {
		put = try_put_report(table, &second.report, NULL, NULL);
		assert_true(put == PUT_ACCEPTED || put == PUT_NOMEM);
		error = table_get(table, first.report.client, &record);
		assert_true(error == HERD_OK || failed);
		/* Failed or not, the next time is like the first. */
		assert_ok(table_get(table, first.report.client, &record));
		assert_int_equal(
		    report_compare_all(&record.report,
			put == PUT_ACCEPTED ? &second.report : &first.report),
		    0);
		assert_ok(table_get(table, first.report.client, &record));
	}
	record_release(&record);
	table_free(table);
}

static void
test_tie_without_memory_changes_nothing(void **state)
{
	(void)state;
	torture_scenario(tie_scenario);
}

/*
 * At the cap: never more than it once there is memory, whatever fails before;
 * and who asks whether a refused report is durable asks for what happened.
 */
static void
cap_run(uint64_t cap, const unsigned *clients, unsigned count, unsigned times)
{
	const struct table_config capped = { cap, 0, { 1, 2 } };
	struct table *table;
	struct outbox store;
	unsigned refused = 0;

	if (table_new(&capped, &table) != HERD_OK)
		return;
	outbox_init(&store, table, FROM_NOBODY, unit_no_wake, NULL);
	assert_ok(outbox_attach(&store));
	for (unsigned i = 0; i < count; i++) {
		unsigned client = clients == NULL ? i : clients[i];
		struct unit_report made;
		struct put_info ticket;

		make(&made, client, (1 + i % times) * S);
		refused += try_put_report(table, &made.report, &store,
			       &ticket) == PUT_REFUSED;
	}
	calls_left = SIZE_MAX;
	assert_int_equal(atomic_load(&store.refused), refused);
	(void)try_put(table, 1000000, 100 * S);
	assert_true(count_held(table) <= cap);
	assert_null(table_check(table));
	outbox_detach(&store);
	table_free(table);
}

static void
cap_scenario(void)
{
	cap_run(20, NULL, 100, 7);
}

static void
crowded_cap_scenario(void)
{
	cap_run(20, crowd, 100, 2);
}

static void
cap_of_one_scenario(void)
{
	cap_run(1, crowd, 10, 10);
}

static void
test_cap_without_memory_holds(void **state)
{
	(void)state;
	torture_scenario(cap_scenario);
	torture_scenario(crowded_cap_scenario);
	torture_scenario(cap_of_one_scenario);
}

/* What a sweep could not evict the next one does. */
static void
lowered_cap_scenario(void)
{
	struct table_cursor cursor = { 0 };
	struct table *table;
	unsigned before;

	if (table_new(&config, &table) != HERD_OK)
		return;
	for (unsigned i = 0; i < 50; i++)
		(void)try_put(table, crowd[i], (1 + i) * S);
	before = count_held(table);
	table_set_limits(table, 10, 0);
	(void)table_sweep(table, &cursor, 1, (struct wall){ 0 });
	assert_true(count_held(table) <= (failed ? before : 10));
	calls_left = SIZE_MAX;
	(void)table_sweep(table, &cursor, 1, (struct wall){ 0 });
	assert_int_equal(count_held(table), before < 10 ? before : 10);
	assert_true(before < 50 || unit_time_of(table, crowd[39]) == 0);
	assert_true(before < 50 || unit_time_of(table, crowd[40]) == 41 * S);
	assert_null(table_check(table));
	table_free(table);
}

static void
test_lowered_cap_without_memory_is_swept_later(void **state)
{
	(void)state;
	torture_scenario(lowered_cap_scenario);
}

/* --- names --------------------------------------------------------------- */

/* A name that could not be kept has no number; it can have one later. */
static void
names_scenario(void)
{
	struct names names;

	if (names_init(&names) != HERD_OK)
		return;
	for (unsigned i = 0; i < 100; i++) {
		char text[32];
		enum herd_error error;

		snprintf(text, sizeof(text), "node-%u", i);
		error = names_add(&names, span_from(text));
		if (error != HERD_OK) {
			assert_int_equal(error, HERD_ENOMEM);
			assert_int_equal(
			    names_find(&names, span_from(text)), NAME_NONE);
			assert_ok(names_add(&names, span_from(text)));
		}
		assert_int_equal(names_find(&names, span_from(text)), i);
		assert_span(names_text(&names, (uint16_t)i), text);
	}
	names_release(&names);
}

static void
test_names_without_memory_say_so(void **state)
{
	(void)state;
	torture_scenario(names_scenario);
}

/* --- digests ------------------------------------------------------------- */

static void
digest_scenario(void)
{
	const struct siphash_key key = { 3, 4 };
	struct digest *digest;

	if (digest_new(&key, &digest) != HERD_OK)
		return;
	for (unsigned i = 0; i < 40; i++) {
		struct unit_report made;

		make(&made, i, S);
		if (digest_add(digest, &made.report) != HERD_OK)
			assert_true(failed);
	}
	digest_free(digest);
}

static void
test_digest_without_memory_says_so(void **state)
{
	(void)state;
	torture_scenario(digest_scenario);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_without_memory_keeps_its_word),
		cmocka_unit_test(
		    test_crowded_shard_without_memory_keeps_its_word),
		cmocka_unit_test(test_tie_without_memory_changes_nothing),
		cmocka_unit_test(test_cap_without_memory_holds),
		cmocka_unit_test(
		    test_lowered_cap_without_memory_is_swept_later),
		cmocka_unit_test(test_names_without_memory_say_so),
		cmocka_unit_test(test_digest_without_memory_says_so),
	};

	memset(long_place, '1', sizeof(long_place));
	memcpy(long_place, "+34.", 4);
	long_place[sizeof(long_place) - 4] = '-';
	find_crowd();
	return cmocka_run_group_tests_name("core_memory", tests, NULL, NULL);
}
