/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an exchange costs in bytes, with the short forms and with an older peer
 * who has the dense one. Counts are exact: nonces are fixed.
 */
#include "ends.h"

#define TABLE_SLACK 4096u

/* A comparison of two tables, and what one side of it may have cost. */
struct trial {
	unsigned a_only; /* clients */
	unsigned b_only;
	unsigned same;
	unsigned newer; /* in both, but newer at b */
	unsigned id_bytes;
};

/* Bytes of one exchange: of the side that sent more of them. */
struct bytes {
	uint64_t digests;
	uint64_t total; /* records too */
	uint64_t table; /* the larger one */
	uint64_t records;
};

static char padding[1000];

/* Puts clients from `first` on; what all their lines would be. */
static uint64_t
fill(struct table *table, unsigned first, unsigned count, uint64_t time_ns,
    unsigned id_bytes)
{
	struct unit_report made;
	char id[sizeof(padding) + 16];
	uint64_t bytes = 0;

	for (unsigned i = first; i < first + count; i++) {
		int len = snprintf(id, sizeof(id), "client-%06u%.*s", i,
		    id_bytes > 13 ? (int)id_bytes - 13 : 0, padding);

		unit_report(&made, i, time_ns);
		made.report.client = span_of(id, (size_t)len);
		assert_int_equal(
		    unit_put_at(table, &made.report, FROM_CLIENT, 0),
		    PUT_ACCEPTED);
		bytes += report_line_len(&made.report) + 1;
	}
	return bytes;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* `lacks`: features that a, b do not have. */
static struct bytes
exchange(const struct trial *trial, unsigned a_lacks, unsigned b_lacks)
{
	struct ends_time time = { S };
	struct bytes bytes;
	struct table_counts counts;
	struct end a;
	struct end b;
	unsigned id = trial->id_bytes;
	unsigned common = trial->same + trial->newer;
	uint64_t shared;

	end_init(&a, "Alice");
	end_init(&b, "Bob");
	a.node.lacks = a_lacks;
	b.node.lacks = b_lacks;
	shared = fill(a.table, 0, common, 1000 * S, id);
	fill(b.table, 0, trial->newer, 1001 * S, id);
	fill(b.table, trial->newer, trial->same, 1000 * S, id);
	bytes.table =
	    shared + most(fill(a.table, 200000, trial->a_only, 1000 * S, id),
			 fill(b.table, 400000, trial->b_only, 1000 * S, id));
	end_connect(&a, "Bob", 1, &time);
	end_connect(&b, "", 2, &time);
	ends_run(&a, &b, &time, 5 * S);
	assert_int_equal(a.session.state, SESSION_SYNCED);
	assert_int_equal(b.session.state, SESSION_SYNCED);
	table_count(a.table, &counts);
	assert_int_equal(
	    counts.records, common + trial->a_only + trial->b_only);
	table_count(b.table, &counts);
	assert_int_equal(
	    counts.records, common + trial->a_only + trial->b_only);
	if (trial->newer > 0)
		assert_true(a.session.stats.accepted >= trial->newer);
	bytes.digests = most(
	    a.session.stats.exchange_bytes, b.session.stats.exchange_bytes);
	bytes.total =
	    most(a.session.stats.sent_bytes, b.session.stats.sent_bytes);
	bytes.records = a.session.stats.sent + b.session.stats.sent;
	end_release(&a);
	end_release(&b);
	return bytes;
}

struct bar {
	struct trial trial;
	unsigned percent; /* digests, of the dense ones, at most */
	bool short_cut;
};

static const struct bar BARS[] = {
	{ { .same = 0 }, 5, false },
	{ { .same = 1000 }, 80, false },
	{ { .same = 9, .newer = 1 }, 10, true },
	{ { .newer = 10 }, 2, true },
	{ { .newer = 100 }, 1, true },
	{ { .same = 290, .newer = 10 }, 10, false },
	{ { .newer = 1000 }, 1, true },
	{ { .same = 990, .newer = 10 }, 15, false },
	{ { .a_only = 500, .b_only = 500 }, 1, true },
	{ { .same = 2970, .newer = 30 }, 25, false },
	{ { .same = 2700, .newer = 300 }, 15, false },
	{ { .newer = 3000 }, 10, false },
	{ { .same = 9900, .newer = 100 }, 30, false },
	{ { .same = 9900, .a_only = 50, .b_only = 50 }, 30, false },
	{ { .same = 9000, .newer = 1000 }, 15, false },
	{ { .newer = 10000 }, 10, false },
	{ { .same = 99000, .newer = 1000 }, 30, false },
	{ { .same = 20, .a_only = 20000 }, 50, false },
	{ { .same = 999, .newer = 1, .id_bytes = 900 }, 40, false },
	{ { .newer = 1000, .id_bytes = 900 }, 10, false },
};

static void
test_digests_cost_less_than_dense_ones(void **state)
{
	(void)state;
	memset(padding, 'x', sizeof(padding));
	for (size_t i = 0; i < HERD_ARRAY_LEN(BARS); i++) {
		const struct trial *t = &BARS[i].trial;
		struct bytes now = exchange(t, 0, 0);
		struct bytes dense = exchange(t, SESSION_PAIRS, SESSION_PAIRS);

		print_message("%6u same, %5u newer, %5u + %3u alone: "
			      "digests %7llu -> %6llu, all %8llu -> %7llu, "
			      "table %llu\n",
		    t->same, t->newer, t->a_only, t->b_only,
		    (unsigned long long)dense.digests,
		    (unsigned long long)now.digests,
		    (unsigned long long)dense.total,
		    (unsigned long long)now.total,
		    (unsigned long long)now.table);
		assert_true(
		    now.digests * 100 <= dense.digests * BARS[i].percent);
		assert_true(now.digests <= now.table + TABLE_SLACK);
		assert_true(now.total <= dense.total);
		/* One line each way and then all that may differ. */
		if (BARS[i].short_cut) {
			assert_true(now.digests <= 800);
			assert_true(now.total <= now.table + TABLE_SLACK);
		}
	}
}

/* An older peer has dense lines and no short cut: bytes as ever. */
static void
test_digests_of_older_peer_stay_dense(void **state)
{
	const struct trial trial = { .same = 50, .newer = 50 };
	struct bytes both = exchange(&trial, SESSION_PAIRS, SESSION_PAIRS);
	struct bytes a = exchange(&trial, SESSION_PAIRS, 0);
	struct bytes b = exchange(&trial, 0, SESSION_PAIRS);

	(void)state;
	assert_int_equal(a.digests, both.digests);
	assert_int_equal(b.digests, both.digests);
	assert_int_equal(a.records, both.records);
	assert_int_equal(b.records, both.records);
	/* "DIGEST - ", "DIGEST A ", "DIGEST AA " with 1,024 digits and LF */
	assert_true(both.digests % 1034 <= both.digests / 1034);
}

/* The size of the two tables and what they share, by chance. */
static void
test_digests_of_any_tables_make_them_equal(void **state)
{
	struct unit_random random = unit_random("any_tables");

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		size_t size = (size_t)1 << unit_below(&random, 11);
		struct trial trial = { .same =
					   (unsigned)unit_below(&random, size),
			.newer = (unsigned)unit_below(&random, size),
			.a_only = (unsigned)unit_below(&random, size),
			.b_only = (unsigned)unit_below(&random, size) };
		unsigned a_lacks =
		    unit_next(&random) % 4 == 0 ? SESSION_PAIRS : 0;
		unsigned b_lacks =
		    unit_next(&random) % 4 == 0 ? SESSION_PAIRS : 0;
		struct bytes bytes = exchange(&trial, a_lacks, b_lacks);

		if (a_lacks == 0 && b_lacks == 0)
			assert_true(bytes.digests <= bytes.table + TABLE_SLACK);
	}
}

/* --- Bob, and Zoe who has the feature ------------------------------------ */

static void
bob_hears_pairs_hello(struct end *bob, struct ends_time *time)
{
	char line[256];

	bob_init(bob, time);
	(void)unit_put(bob->table, 1, 1000 * S);
	snprintf(line, sizeof(line),
	    HELLO_FROM_ZOE "%016llx fresh=1 features=pairs",
	    (unsigned long long)bob->node.params);
	end_hears(bob, line, time);
	end_hears(bob, "CHECK 1 0", time);
}

/* The size of the root follows its hashes, which are one pair. */
static void
test_root_is_a_pair_and_a_size(void **state)
{
	static const char start[] = "DIGEST - ";
	struct ends_time time;
	struct end bob;
	const char *root;
	char size[32];

	(void)state;
	snprintf(size, sizeof(size), " 1 %zu\n",
	    strlen("AT Riley +0.263873386 client-1 "
		   "+34.068930-118.445127 1000.000000000\n"));
	bob_hears_pairs_hello(&bob, &time);
	root = strstr(end_says(&bob, &time), start);
	assert_non_null(root);
	root += strlen(start);
	assert_int_equal(strcspn(root, " "), 12);
	assert_string_equal(root + 12, size);
	end_hears(&bob, "DIGEST - - 0 0", &time);
	assert_says(&bob, "AT Riley ", &time);
	assert_int_equal(bob.session.state, SESSION_NEXT);
	end_release(&bob);
}

static void
test_root_without_its_size_is_a_bad_line(void **state)
{
	static const char *const wrong[] = { "DIGEST -", "DIGEST - -",
		"DIGEST - - 0", "DIGEST - - 0 0 0", "DIGEST - - -1 0",
		"DIGEST - - 0 x", "DIGEST - - 281474976710657 0",
		"DIGEST - - 0 281474976710657", "DIGEST - A 0 0",
		"DIGEST - AAAAAAAAAAAA 1 1",
		"DIGEST - BAAAAAAAAAABAAAAAAAAAAAB 2 2",
		"DIGEST - AAAAAAAAAAABAAAAAAAAAAAB 2 2",
		"DIGEST - =AAAAAAAAAAB 1 1", "DIGEST - AAAAAAAAAAA= 1 1",
		"DIGEST - AQAAAAAAAAAA 1 1" };
	struct ends_time time;
	struct end bob;

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(wrong); i++) {
		bob_hears_pairs_hello(&bob, &time);
		(void)end_says(&bob, &time);
		end_hears(&bob, wrong[i], &time);
		assert_bye(&bob, "BYE bad-line bad DIGEST", &time);
		end_release(&bob);
	}
}

/* Only the root has a size, and only between two who both have the feature. */
static void
test_size_where_none_belongs_is_a_bad_line(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_checks(&bob, &time);
	end_hears(&bob, "DIGEST - - 0 0", &time);
	assert_bye(&bob, "BYE bad-line bad DIGEST", &time);
	end_release(&bob);
	bob_hears_pairs_hello(&bob, &time);
	(void)end_says(&bob, &time);
	end_hears(&bob, "DIGEST A - 0 0", &time);
	assert_bye(&bob, "BYE bad-line bad DIGEST", &time);
	end_release(&bob);
}

/* Both forms are read from everyone. */
static void
test_both_forms_of_hashes_are_read(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	bob_checks(&bob, &time);
	end_hears(&bob, "DIGEST - -", &time);
	assert_says(&bob, "NEXT\n", &time);
	end_release(&bob);
	bob_hears_pairs_hello(&bob, &time);
	(void)end_says(&bob, &time);
	hears_digest(&bob, "-", "0000000000000000", &time);
	assert_bye(&bob, "BYE bad-line bad DIGEST", &time);
	end_release(&bob);
}

/* Zoe's root, of which all children differ from Bob's, and of that size. */
static void
zoe_says_root(struct end *bob, const char *size, struct ends_time *time)
{
	struct buf line;

	bob_hears_pairs_hello(bob, time);
	(void)end_says(bob, time);
	buf_init(&line, 2048);
	assert_ok(buf_add_text(&line, "DIGEST - "));
	for (unsigned i = 0; i < DIGEST_FAN; i++)
		assert_ok(buf_add_text(&line, "0000000000000001"));
	assert_ok(buf_addf(&line, " %s\n", size));
	end_feed(bob, buf_span(&line), time);
	buf_release(&line);
}

/* It can't be one side's choice: who has much to send is asked for hashes. */
static void
test_next_without_a_short_cut_is_a_bad_line(void **state)
{
	struct ends_time time;
	struct end bob;

	(void)state;
	zoe_says_root(&bob, "60000 6000000", &time);
	assert_int_equal(bob.session.state, SESSION_COMPARE);
	end_hears(&bob, "NEXT", &time);
	assert_bye(&bob, "BYE bad-line NEXT out of turn", &time);
	end_release(&bob);
}

static void
test_digest_after_a_short_cut_is_a_bad_line(void **state)
{
	struct ends_time time;
	struct end bob;
	const char *said;

	(void)state;
	zoe_says_root(&bob, "64 6400", &time);
	said = end_says(&bob, &time);
	assert_non_null(strstr(said, "AT Riley "));
	assert_null(strstr(said, "DIGEST"));
	assert_int_equal(bob.session.state, SESSION_NEXT);
	hears_digest(&bob, "A", "0000000000000001", &time);
	assert_bye(&bob, "BYE bad-line DIGEST out of turn", &time);
	end_release(&bob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests_cost_less_than_dense_ones),
		cmocka_unit_test(test_digests_of_older_peer_stay_dense),
		cmocka_unit_test(test_digests_of_any_tables_make_them_equal),
		cmocka_unit_test(test_root_is_a_pair_and_a_size),
		cmocka_unit_test(test_root_without_its_size_is_a_bad_line),
		cmocka_unit_test(test_size_where_none_belongs_is_a_bad_line),
		cmocka_unit_test(test_both_forms_of_hashes_are_read),
		cmocka_unit_test(test_next_without_a_short_cut_is_a_bad_line),
		cmocka_unit_test(test_digest_after_a_short_cut_is_a_bad_line),
	};

	return cmocka_run_group_tests_name(
	    "session_digests", tests, NULL, NULL);
}
