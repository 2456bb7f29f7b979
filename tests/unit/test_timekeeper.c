/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which clock reports are judged by, and what waits until that is known. */
#include "core.h"

#include "core/timekeeper.h"

#define S HERD_NS_PER_S
#define EXPIRE (3600 * S)
#define BASE (UINT64_C(1600000000) * S)
#define HOUR (3600 * S)
#define YEAR (UINT64_C(365) * 86400 * S)

/* A node whose wall clock is off by `off`, on a machine that is up for `now`.
 */
struct keeping {
	struct timekeeper keeper;
	uint64_t now;
	int64_t off;
	struct timekeeper_clock clocks[TIMEKEEPER_CLOCKS_MAX];
	unsigned count;
};

static struct mono
mono_of(const struct keeping *k)
{
	return (struct mono){ k->now };
}

static uint64_t
right(const struct keeping *k)
{
	return BASE + k->now;
}

static struct wall
wall_of(const struct keeping *k)
{
	return (struct wall){ right(k) + (uint64_t)k->off };
}

static void
start(struct keeping *k, uint64_t expire_ns, int64_t off)
{
	memset(k, 0, sizeof(*k));
	k->now = 1000 * S;
	k->off = off;
	timekeeper_init(&k->keeper, expire_ns, mono_of(k), wall_of(k));
}

static struct timekeeper_news
judge_after(struct keeping *k, uint64_t ns)
{
	k->now += ns;
	return timekeeper_judge(
	    &k->keeper, mono_of(k), wall_of(k), k->clocks, k->count);
}

/* A neighbour whose wall clock is off by so much. */
static void
neighbour(struct keeping *k, int64_t off)
{
	k->clocks[k->count++] =
	    (struct timekeeper_clock){ .offset_ns = BASE + (uint64_t)off };
}

/* A neighbour with a majority of its own, whose judged clock is that. */
static void
judge(struct keeping *k, int64_t off, int64_t judged)
{
	neighbour(k, off);
	k->clocks[k->count - 1].judges = true;
	k->clocks[k->count - 1].judged_ns = BASE + (uint64_t)judged;
}

static void
assert_state(const struct keeping *k, enum timekeeper_state state)
{
	assert_string_equal(
	    timekeeper_state_word(atomic_load(&k->keeper.state)),
	    timekeeper_state_word(state));
}

/* By how much the judged time is off, s. */
static int64_t
judged_off_s(const struct keeping *k)
{
	return timekeeper_difference(
		   timekeeper_wall(&k->keeper, mono_of(k)).ns, right(k)) /
	       (int64_t)S;
}

static bool
expires(const struct keeping *k)
{
	return timekeeper_expiry(&k->keeper, mono_of(k)).ns != 0;
}

static void
test_margin_is_an_eighth_within_bounds(void **state)
{
	(void)state;
	assert_true(timekeeper_margin_ns(0) == 120 * S);
	assert_true(timekeeper_margin_ns(S) == 2 * S);
	assert_true(timekeeper_margin_ns(16 * S) == 2 * S);
	assert_true(timekeeper_margin_ns(20 * S) == 2500 * HERD_NS_PER_MS);
	assert_true(timekeeper_margin_ns(60 * S) == 7500 * HERD_NS_PER_MS);
	assert_true(timekeeper_margin_ns(960 * S) == 120 * S);
	assert_true(timekeeper_margin_ns(10 * YEAR) == 120 * S);
}

static void
test_nothing_expires_before_the_wait_is_over(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	assert_state(&k, TIME_WAITING);
	assert_false(expires(&k));
	assert_false(judge_after(&k, 299 * S).verify);
	assert_false(expires(&k));
	assert_true(judge_after(&k, S).verify);
	assert_state(&k, TIME_ALONE);
	assert_true(expires(&k));
	/* A shorter life is a shorter wait. */
	start(&k, 20 * S, 0);
	(void)judge_after(&k, 19 * S);
	assert_false(expires(&k));
	(void)judge_after(&k, S);
	assert_true(expires(&k));
	/* Without expiry there is nothing to wait for. */
	start(&k, 0, 0);
	assert_state(&k, TIME_ALONE);
}

static void
test_majority_of_three_ends_the_wait(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	neighbour(&k, (int64_t)S);
	(void)judge_after(&k, S);
	/* Two clocks are no majority, whatever they say. */
	assert_state(&k, TIME_WAITING);
	neighbour(&k, (int64_t)HOUR);
	assert_true(judge_after(&k, S).verify);
	assert_state(&k, TIME_BACKED);
	assert_true(judged_off_s(&k) == 0);
	assert_true(timekeeper_backed(&k.keeper, mono_of(&k)).ns == right(&k));
}

static void
test_step_is_seen_and_suspend_is_none(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, 0, 0);
	/* The other clock went on while the machine slept. */
	assert_true(judge_after(&k, 8 * HOUR).step_ns == 0);
	k.off = (int64_t)S;
	assert_true(judge_after(&k, S).step_ns == 0);
	k.off += (int64_t)S + 1;
	assert_true(judge_after(&k, S).step_ns == (int64_t)S + 1);
	k.off -= (int64_t)(10 * YEAR);
	assert_true(judge_after(&k, S).step_ns < -(int64_t)YEAR);
	assert_int_equal(atomic_load(&k.keeper.steps), 2);
}

/* Readers do not see a step before it was judged. */
static void
test_step_changes_nothing_until_it_is_judged(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	(void)judge_after(&k, 300 * S);
	k.off = (int64_t)(2 * HOUR);
	k.now += S;
	assert_true(judged_off_s(&k) == 0);
	assert_true(expires(&k));
}

static void
test_step_forward_waits_and_back_is_at_once_right(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	(void)judge_after(&k, 300 * S);
	k.off = (int64_t)(2 * HOUR);
	assert_true(judge_after(&k, S).step_ns == (int64_t)(2 * HOUR));
	assert_state(&k, TIME_WAITING);
	assert_false(expires(&k));
	assert_false(timekeeper_may_prune(&k.keeper, mono_of(&k)));
	k.off = 0;
	assert_true(judge_after(&k, 3 * S).verify);
	assert_state(&k, TIME_ALONE);
	assert_true(expires(&k));
	/* For good: once the wait is over it is believed. */
	k.off = (int64_t)(2 * HOUR);
	(void)judge_after(&k, S);
	(void)judge_after(&k, 299 * S);
	assert_false(expires(&k));
	(void)judge_after(&k, S);
	assert_true(expires(&k));
	assert_true(judged_off_s(&k) == 7200);
	/* But nothing goes from the disk for as long again. */
	assert_false(timekeeper_may_prune(&k.keeper, mono_of(&k)));
	(void)judge_after(&k, 300 * S);
	assert_true(timekeeper_may_prune(&k.keeper, mono_of(&k)));
}

static void
test_majority_overrules_and_harms_nobody(void **state)
{
	static const int64_t OFFS[] = { (int64_t)HOUR, -(int64_t)HOUR,
		(int64_t)(10 * YEAR), -(int64_t)(10 * YEAR) };
	struct keeping k;

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(OFFS); i++) {
		start(&k, EXPIRE, OFFS[i]);
		neighbour(&k, 0);
		neighbour(&k, 0);
		assert_true(judge_after(&k, S).verify);
		assert_state(&k, TIME_OVERRULED);
		assert_true(judged_off_s(&k) == 0);
		assert_true(expires(&k));
		assert_true(atomic_load(&k.keeper.ahead_ns) == OFFS[i]);
		/* When all have left, its own clock is as wrong as it was. */
		k.count = 0;
		(void)judge_after(&k, 1000 * S);
		assert_state(&k, TIME_OVERRULED);
		assert_true(judged_off_s(&k) == 0);
		assert_true(timekeeper_backed(&k.keeper, mono_of(&k)).ns == 0);
		/* Somebody sets it right. */
		k.off = 0;
		(void)judge_after(&k, S);
		assert_true(judged_off_s(&k) == 0);
	}
}

static void
test_step_in_a_herd_costs_nothing(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	neighbour(&k, 0);
	neighbour(&k, 0);
	(void)judge_after(&k, S);
	k.off = (int64_t)(2 * HOUR);
	assert_false(judge_after(&k, S).verify);
	assert_state(&k, TIME_OVERRULED);
	assert_true(judged_off_s(&k) == 0);
	k.off = 0;
	assert_true(judge_after(&k, 3 * S).verify);
	assert_state(&k, TIME_BACKED);
}

static void
test_end_of_a_line_believes_a_judge(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, (int64_t)(2 * HOUR));
	judge(&k, 0, 0);
	(void)judge_after(&k, S);
	assert_state(&k, TIME_OVERRULED);
	assert_true(judged_off_s(&k) == 0);
	/* What was only believed is not said on. */
	assert_true(timekeeper_backed(&k.keeper, mono_of(&k)).ns == 0);
	/* The neighbour's own clock may be the wrong one. */
	start(&k, EXPIRE, 0);
	judge(&k, (int64_t)(10 * YEAR), 0);
	(void)judge_after(&k, S);
	assert_state(&k, TIME_BACKED);
	/* Judges that differ are none. */
	start(&k, EXPIRE, 0);
	judge(&k, (int64_t)HOUR, (int64_t)HOUR);
	judge(&k, (int64_t)(2 * HOUR), (int64_t)(2 * HOUR));
	(void)judge_after(&k, S);
	assert_state(&k, TIME_WAITING);
}

/* Clocks at the edge of the margin do not make it come and go. */
static void
test_overruled_has_to_come_nearer(void **state)
{
	uint64_t margin = timekeeper_margin_ns(EXPIRE);
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, (int64_t)margin);
	neighbour(&k, 0);
	neighbour(&k, 0);
	(void)judge_after(&k, S);
	assert_state(&k, TIME_BACKED);
	k.off = (int64_t)margin + 1;
	(void)judge_after(&k, S);
	assert_state(&k, TIME_OVERRULED);
	k.off = (int64_t)margin;
	(void)judge_after(&k, S);
	assert_state(&k, TIME_OVERRULED);
	k.off = (int64_t)(margin / 4 * 3);
	(void)judge_after(&k, S);
	assert_state(&k, TIME_BACKED);
}

/* A clock that is set all the time does not keep the links comparing. */
static void
test_verifying_has_a_pace(void **state)
{
	unsigned verified = 0;
	unsigned turns = 1000;
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	neighbour(&k, 0);
	neighbour(&k, 0);
	for (unsigned i = 0; i < turns; i++) {
		k.off = i % 2 == 0 ? (int64_t)HOUR : 0;
		verified += judge_after(&k, S / 10).verify;
	}
	assert_true(verified > 10);
	assert_true(verified <= turns / 10 / 2 + 1);
}

static void
test_all_places_for_clocks_can_be_taken(void **state)
{
	struct keeping k;

	(void)state;
	start(&k, EXPIRE, 0);
	for (unsigned i = 0; i < TIMEKEEPER_CLOCKS_MAX; i++)
		neighbour(&k, i % 2 == 0 ? (int64_t)HOUR : 0);
	/* 33 of 65 with its own. */
	(void)judge_after(&k, S);
	assert_state(&k, TIME_BACKED);
	for (unsigned i = 0; i < TIMEKEEPER_CLOCKS_MAX; i++)
		k.clocks[i].offset_ns = UINT64_MAX - i;
	(void)judge_after(&k, S);
	assert_state(&k, TIME_OVERRULED);
	assert_true(timekeeper_wall(&k.keeper, mono_of(&k)).ns == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_margin_is_an_eighth_within_bounds),
		cmocka_unit_test(test_nothing_expires_before_the_wait_is_over),
		cmocka_unit_test(test_majority_of_three_ends_the_wait),
		cmocka_unit_test(test_step_is_seen_and_suspend_is_none),
		cmocka_unit_test(test_step_changes_nothing_until_it_is_judged),
		cmocka_unit_test(
		    test_step_forward_waits_and_back_is_at_once_right),
		cmocka_unit_test(test_majority_overrules_and_harms_nobody),
		cmocka_unit_test(test_step_in_a_herd_costs_nothing),
		cmocka_unit_test(test_end_of_a_line_believes_a_judge),
		cmocka_unit_test(test_overruled_has_to_come_nearer),
		cmocka_unit_test(test_verifying_has_a_pace),
		cmocka_unit_test(test_all_places_for_clocks_can_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
