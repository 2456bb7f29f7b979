/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sketch of heavy hitters beside true counts. */
#include "unit.h"

#include "core/heavy.h"

#define SIZE 64u
#define LABEL_MAX 16u
#define START (UINT64_C(1000) * HERD_NS_PER_S)
#define KEYS 20000u

struct truth {
	struct heavy heavy;
	struct mono now;
	uint64_t counts[KEYS];
	uint64_t total;
};

static struct truth *
truth_new(uint64_t seed)
{
	struct truth *truth = calloc(1, sizeof(*truth));

	assert_non_null(truth);
	truth->now.ns = START;
	assert_ok(heavy_init(&truth->heavy, SIZE, LABEL_MAX, seed, truth->now));
	return truth;
}

static void
truth_free(struct truth *truth)
{
	heavy_release(&truth->heavy);
	free(truth);
}

/* A key that says nothing of its number, as a hash. */
static uint64_t
key_of(unsigned number)
{
	struct unit_random random = { number };

	return unit_next(&random);
}

static struct span
label_of(unsigned number, char text[32])
{
	snprintf(text, 32, "client-%u", number);
	return span_from(text);
}

static void
see(struct truth *truth, unsigned number, uint32_t events)
{
	char text[32];

	heavy_see(
	    &truth->heavy, key_of(number), label_of(number, text), events);
	truth->counts[number] += events;
	truth->total += events;
}

static void
turn_after(struct truth *truth, uint64_t ns)
{
	truth->now = mono_add(truth->now, ns);
	heavy_turn(&truth->heavy, truth->now);
}

struct reading {
	struct heavy_row rows[2 * SIZE];
	unsigned count;
	struct heavy_sums sums;
};

static void
read_all(const struct truth *truth, struct reading *out)
{
	out->count =
	    heavy_read(&truth->heavy, truth->now, out->rows, &out->sums);
	assert_in_range(out->count, 0, 2 * SIZE);
	out->count = heavy_merge(out->rows, out->count);
	heavy_sort(out->rows, out->count);
}

static const struct heavy_row *
find_row(const struct reading *reading, unsigned number)
{
	for (unsigned i = 0; i < reading->count; i++) {
		if (reading->rows[i].key == key_of(number))
			return &reading->rows[i];
	}
	return NULL;
}

static double
shown_of(const struct reading *reading, unsigned number)
{
	const struct heavy_row *row = find_row(reading, number);

	return row == NULL ? 0 : row->per_s * reading->sums.window_s;
}

/* Every key: never more than its true count, at most the bound less. */
static void
assert_within_bound(const struct truth *truth, const struct reading *reading)
{
	double missed = reading->sums.missed_per_s * reading->sums.window_s;

	assert_true(missed <= (double)truth->total / SIZE + 1e-6);
	for (unsigned i = 0; i < KEYS; i++) {
		double shown = shown_of(reading, i);

		assert_true(shown <= (double)truth->counts[i] + 1e-6);
		assert_true(shown + missed >= (double)truth->counts[i] - 1e-6);
	}
}

static void
test_few_keys_are_exact(void **state)
{
	struct truth *truth = truth_new(1);
	struct reading reading;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < SIZE; i++)
		see(truth, i, 1 + i);
	turn_after(truth, 4 * HERD_NS_PER_S);
	read_all(truth, &reading);
	assert_int_equal(reading.count, SIZE);
	assert_true(reading.sums.missed_per_s <= 0.25 + 1e-9);
	for (unsigned i = 0; i < SIZE; i++) {
		const struct heavy_row *row = &reading.rows[i];
		unsigned number = SIZE - 1 - i;

		assert_int_equal(row->key, key_of(number));
		assert_true(row->per_s == (1 + number) / 4.0);
		assert_span(span_of(row->label, row->shown),
		    label_of(number, text).data);
	}
	truth_free(truth);
}

/* A few keys of known shares among many that come once. */
static void
run_flood(uint64_t seed, unsigned events)
{
	struct truth *truth = truth_new(seed);
	struct unit_random random = { seed };
	struct reading reading;

	for (unsigned i = 0; i < events; i++) {
		size_t dice = unit_below(&random, 100);

		/* 5, 4 and 3 of 100 events; the bound is 1 of 64. */
		if (dice < 12)
			see(truth, dice < 5 ? 0 : dice < 9 ? 1 : 2, 1);
		else
			see(truth, 3 + (unsigned)unit_below(&random, KEYS - 3),
			    1);
		/* So often that each event is counted. */
		if (i % 1000 == 0)
			turn_after(truth, 1000);
	}
	read_all(truth, &reading);
	assert_within_bound(truth, &reading);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(reading.rows[i].key, key_of(i));
	truth_free(truth);
}

static void
test_random_ids_do_not_hide_a_heavy_one(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_flood(seed, 50000);
}

/*
 * The worst order for it: new ids take over the least counter again and again,
 * and the heavy one comes when its counter has just gone.
 */
static void
test_bound_holds_in_any_order(void **state)
{
	struct truth *truth = truth_new(7);
	struct reading reading;
	unsigned next = 1;

	(void)state;
	for (unsigned i = 0; i < 250; i++) {
		for (unsigned j = 0; j < SIZE + 1; j++)
			see(truth, next++, 1);
		see(truth, 0, 1);
		turn_after(truth, 1000);
	}
	read_all(truth, &reading);
	assert_within_bound(truth, &reading);
	truth_free(truth);
}

static void
test_weights_count_as_single_events(void **state)
{
	struct truth *truth = truth_new(3);
	struct unit_random random = { 3 };
	struct reading reading;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		see(truth, (unsigned)unit_below(&random, KEYS),
		    (uint32_t)unit_below(&random, 20));
		turn_after(truth, 1000);
	}
	read_all(truth, &reading);
	assert_within_bound(truth, &reading);
	truth_free(truth);
}

/* What is old goes; what came in the last half window stays. */
static void
test_two_half_windows_are_looked_at(void **state)
{
	struct truth *truth = truth_new(4);
	struct reading reading;

	(void)state;
	see(truth, 1, 100);
	turn_after(truth, HEAVY_HALF_NS);
	see(truth, 2, 50);
	see(truth, 1, 20);
	turn_after(truth, HEAVY_HALF_NS / 2);
	read_all(truth, &reading);
	assert_true(reading.sums.window_s == 15);
	assert_true(shown_of(&reading, 1) == 120);
	assert_true(reading.sums.per_s == 170 / 15.0);
	turn_after(truth, HEAVY_HALF_NS / 2);
	read_all(truth, &reading);
	assert_true(shown_of(&reading, 1) == 20);
	/* Over 10 s: what came before is gone. */
	assert_true(shown_of(&reading, 2) == 50);
	turn_after(truth, HEAVY_HALF_NS);
	read_all(truth, &reading);
	assert_int_equal(reading.count, 0);
	assert_true(reading.sums.per_s == 0);
	/* What the key with the most had in the half window that was over. */
	assert_true(truth->heavy.past_most == 0);
	see(truth, 1, 30);
	see(truth, 2, 20);
	assert_true(
	    heavy_turn(&truth->heavy, mono_add(truth->now, HEAVY_HALF_NS)));
	assert_true(truth->heavy.past_most == 3);
	truth_free(truth);
}

/* Of a stream beyond HEAVY_TAKEN a turn one in so many is counted. */
static void
test_busy_stream_is_sampled_and_shares_hold(void **state)
{
	struct truth *truth = truth_new(5);
	struct unit_random random = { 5 };
	struct reading reading;
	uint64_t taken = 0;
	double share;

	(void)state;
	for (unsigned turn = 0; turn < 20; turn++) {
		for (unsigned i = 0; i < 100000; i++)
			see(truth, unit_below(&random, 10) < 1 ? 0 : 1, 1);
		taken += truth->heavy.taken;
		turn_after(truth, HERD_NS_PER_S / 4);
	}
	/* A bit more than its part while it adapts. */
	assert_true(taken < 20 * 6 * HEAVY_TAKEN);
	read_all(truth, &reading);
	share = shown_of(&reading, 0) /
		(reading.sums.per_s * reading.sums.window_s);
	assert_true(share > 0.095 && share < 0.105);
	assert_true(reading.sums.per_s > 380000 && reading.sums.per_s < 420000);
	/* A quiet time is counted one by one again. */
	turn_after(truth, HEAVY_HALF_NS);
	turn_after(truth, HEAVY_HALF_NS);
	for (unsigned i = 0; i < 10; i++)
		see(truth, 9, 1);
	read_all(truth, &reading);
	assert_in_range((uint64_t)(shown_of(&reading, 9) + 0.5), 8, 10);
	truth_free(truth);
}

static void
test_long_label_is_kept_in_part(void **state)
{
	struct truth *truth = truth_new(6);
	char label[1000];
	struct reading reading;

	(void)state;
	memset(label, 'x', sizeof(label));
	heavy_see(&truth->heavy, 1, span_of(label, sizeof(label)), 1);
	read_all(truth, &reading);
	assert_int_equal(reading.rows[0].len, sizeof(label));
	assert_int_equal(reading.rows[0].shown, LABEL_MAX);
	truth_free(truth);
}

/* Rows of several sketches: the same key once. */
static void
test_merge_adds_up_the_same_key(void **state)
{
	struct heavy_row rows[] = {
		{ .key = 3, .per_s = 1 },
		{ .key = 1, .per_s = 2 },
		{ .key = 3, .per_s = 4 },
		{ .key = 2, .per_s = 3 },
	};

	(void)state;
	assert_int_equal(heavy_merge(rows, 4), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rows[i].key, 1 + i);
	heavy_sort(rows, 3);
	assert_int_equal(rows[0].key, 3);
	assert_true(rows[0].per_s == 5);
	assert_int_equal(rows[1].key, 2);
	assert_int_equal(rows[2].key, 1);
	assert_int_equal(heavy_merge(rows, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_keys_are_exact),
		cmocka_unit_test(test_random_ids_do_not_hide_a_heavy_one),
		cmocka_unit_test(test_bound_holds_in_any_order),
		cmocka_unit_test(test_weights_count_as_single_events),
		cmocka_unit_test(test_two_half_windows_are_looked_at),
		cmocka_unit_test(test_busy_stream_is_sampled_and_shares_hold),
		cmocka_unit_test(test_long_label_is_kept_in_part),
		cmocka_unit_test(test_merge_adds_up_the_same_key),
	};

	return cmocka_run_group_tests_name("heavy", tests, NULL, NULL);
}
