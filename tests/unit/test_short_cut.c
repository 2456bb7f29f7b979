/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formula of the short cut: what it weighs, and that both sides agree. */
#include "core.h"

#include "core/short_cut.h"

/* A root with its first children filled, the rest empty. */
static struct digest_node
root_of(unsigned filled, uint64_t records, uint64_t record_bytes)
{
	struct digest_node root = { .size = {
					records, records * record_bytes } };

	for (unsigned i = 0; i < filled; i++)
		root.hashes[i] = 1 + i;
	return root;
}

static void
change(struct digest_node *root, unsigned children)
{
	for (unsigned i = 0; i < children; i++)
		root->hashes[i] ^= UINT64_C(1) << 60;
}

struct weighed {
	unsigned filled;
	unsigned differ; /* children */
	uint64_t records;
	uint64_t record_bytes;
	bool pays;
};

static void
test_short_cut_pays_where_all_cost_less(void **state)
{
	static const struct weighed cases[] = {
		{ 64, 0, 1000, 72, false }, /* equal */
		{ 0, 0, 0, 72, false },     /* empty */
		{ 1, 1, 1, 72, true },
		{ 9, 1, 10, 72, true },
		{ 64, 1, 300, 72, false },
		{ 64, 64, 300, 72, true },
		{ 64, 64, 1000, 72, true },
		{ 64, 63, 1000, 72, false }, /* few differ, or all would */
		{ 64, 24, 3000, 72, false },
		{ 64, 50, 10000, 72, false },
		{ 64, 64, 10000, 72, false },
		{ 64, 64, 1000000, 85, false },
		{ 64, 64, 1000, 60000, false }, /* few of these may differ */
		{ 64, 64, 100000000, 85, false },
	};

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		const struct weighed *w = &cases[i];
		struct digest_node a =
		    root_of(w->filled, w->records, w->record_bytes);
		struct digest_node b = a;

		change(&b, w->differ);
		if (short_cut_pays(&a, &b) != w->pays ||
		    short_cut_pays(&b, &a) != w->pays)
			fail_msg("%u of %u, %llu records", w->differ, w->filled,
			    (unsigned long long)w->records);
	}
}

/* What only one has is sent anyway, and says nothing about the rest. */
static void
test_short_cut_looks_at_children_that_both_have(void **state)
{
	struct digest_node full = root_of(64, 1000, 72);
	struct digest_node part = root_of(3, 3, 72);

	(void)state;
	assert_false(short_cut_pays(&full, &part));
	/* One of three differs: 16 records, or a few lines. */
	change(&part, 1);
	assert_false(short_cut_pays(&full, &part));
	assert_false(short_cut_pays(&part, &full));
	/* All three do: likely the rest below them is missing here, too. */
	part.hashes[1] += 64;
	part.hashes[2] += 64;
	assert_true(short_cut_pays(&full, &part));
	assert_true(short_cut_pays(&part, &full));
}

/* A peer may say any size: no overflow, no division by 0, both ways alike. */
static void
test_short_cut_takes_any_size(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 2, 63, 64, 65, 4096,
		DIGEST_SIZE_MAX - 1, DIGEST_SIZE_MAX };
	const size_t n = HERD_ARRAY_LEN(sizes);
	struct unit_random random = unit_random("short_cut");

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct digest_node a =
		    root_of((unsigned)(unit_next(&random) % 65), 0, 0);
		struct digest_node b =
		    root_of((unsigned)(unit_next(&random) % 65), 0, 0);

		a.size = (struct digest_size){ sizes[unit_next(&random) % n],
			sizes[unit_next(&random) % n] };
		b.size = (struct digest_size){ sizes[unit_next(&random) % n],
			sizes[unit_next(&random) % n] };
		change(&b, (unsigned)(unit_next(&random) % 65));
		assert_int_equal(
		    short_cut_pays(&a, &b), short_cut_pays(&b, &a));
	}
}

/*
 * Where the answer turns, by bytes of a record. Another edition that turned
 * elsewhere could not exchange with this one.
 */
static void
test_short_cut_turns_at_known_sizes(void **state)
{
	static const struct {
		uint64_t record_bytes;
		uint64_t most; /* records of which all may differ */
	} cases[] = { { 40, 9861 }, { 72, 2025 }, { 85, 1350 }, { 200, 500 } };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		uint64_t records = 64;

		for (;; records++) {
			struct digest_node a =
			    root_of(64, records, cases[i].record_bytes);
			struct digest_node b = a;

			change(&b, 64);
			if (!short_cut_pays(&a, &b))
				break;
		}
		if (records - 1 != cases[i].most)
			fail_msg("%llu bytes: up to %llu records",
			    (unsigned long long)cases[i].record_bytes,
			    (unsigned long long)records - 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_cut_pays_where_all_cost_less),
		cmocka_unit_test(
		    test_short_cut_looks_at_children_that_both_have),
		cmocka_unit_test(test_short_cut_takes_any_size),
		cmocka_unit_test(test_short_cut_turns_at_known_sizes),
	};

	return cmocka_run_group_tests_name("short_cut", tests, NULL, NULL);
}
