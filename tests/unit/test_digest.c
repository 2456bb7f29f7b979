/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree of hashes and its texts. */
#include "core.h"

#include "core/digest.h"

static const struct siphash_key KEY = { 11, 22 };

static void
add(struct digest *digest, unsigned client, uint64_t time_ns)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	assert_ok(digest_add(digest, &made.report));
}

static uint64_t
sum(const uint64_t *hashes)
{
	uint64_t x = 0;

	for (unsigned i = 0; i < DIGEST_FAN; i++)
		x ^= hashes[i];
	return x;
}

static void
test_digest_does_not_depend_on_order(void **state)
{
	const struct digest_path root = { 0, 0 };
	struct digest *a;
	struct digest *b;

	(void)state;
	assert_ok(digest_new(&KEY, &a));
	assert_ok(digest_new(&KEY, &b));
	for (unsigned i = 0; i < 1000; i++) {
		add(a, i, HERD_NS_PER_S);
		add(b, 999 - i, HERD_NS_PER_S);
	}
	assert_memory_equal(digest_children(a, root), digest_children(b, root),
	    DIGEST_FAN * sizeof(uint64_t));
	assert_int_equal(a->size.records, 1000);
	/* Another time of one client shows at the root. */
	add(a, 5, HERD_NS_PER_S);
	add(a, 5, 2 * HERD_NS_PER_S);
	assert_memory_not_equal(digest_children(a, root),
	    digest_children(b, root), DIGEST_FAN * sizeof(uint64_t));
	digest_free(a);
	digest_free(b);
}

/* Each node is the XOR of its children, everywhere. */
static void
test_digest_nodes_are_sums_of_children(void **state)
{
	const struct digest_path root = { 0, 0 };
	struct digest *digest;

	(void)state;
	assert_ok(digest_new(&KEY, &digest));
	for (unsigned i = 0; i < 3000; i++)
		add(digest, i, HERD_NS_PER_S);
	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		struct digest_path top = digest_child(root, i);
		const uint64_t *rows = digest_children(digest, top);

		assert_true(digest_children(digest, root)[i] == sum(rows));
		for (unsigned j = 0; j < DIGEST_FAN; j++) {
			struct digest_path row = digest_child(top, j);

			assert_true(
			    rows[j] == sum(digest_children(digest, row)));
		}
	}
	digest_free(digest);
}

static void
test_digest_hashes_long_lines(void **state)
{
	struct digest *digest;
	struct unit_report made;
	char id[5000];

	(void)state;
	memset(id, 'k', sizeof(id));
	unit_report(&made, 1, HERD_NS_PER_S);
	for (size_t len = 900; len <= sizeof(id); len += 50) {
		made.report.client = span_of(id, len);
		assert_ok(digest_new(&KEY, &digest));
		assert_ok(digest_add(digest, &made.report));
		assert_int_equal(digest->size.records, 1);
		/* Once more takes it out again. */
		assert_ok(digest_add(digest, &made.report));
		assert_true(sum(digest->top) == 0);
		digest_free(digest);
	}
}

static void
test_digest_key_needs_all_parts(void **state)
{
	uint8_t a[DIGEST_NONCE_LEN] = { 1 };
	uint8_t b[DIGEST_NONCE_LEN] = { 2 };
	struct siphash_key key = digest_key(a, b, 1);
	struct siphash_key same = digest_key(a, b, 1);
	struct siphash_key others[3] = { digest_key(b, a, 1),
		digest_key(a, b, 2), digest_key(a, a, 1) };

	(void)state;
	assert_true(key.k0 == same.k0 && key.k1 == same.k1);
	for (unsigned i = 0; i < 3; i++)
		assert_true(key.k0 != others[i].k0 && key.k1 != others[i].k1);
}

static void
test_digest_leaves_are_below_their_nodes(void **state)
{
	struct unit_random random = unit_random("digest_leaves");
	uint32_t count;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		char text[32];
		uint32_t leaf;

		snprintf(text, sizeof(text), "%llx",
		    (unsigned long long)unit_next(&random));
		leaf = digest_leaf(&KEY, span_from(text));
		assert_true(leaf < DIGEST_LEAVES);
		assert_true(digest_first_leaf((struct digest_path){ 3, leaf },
				&count) == leaf);
		assert_int_equal(count, 1);
	}
	assert_int_equal(
	    digest_first_leaf((struct digest_path){ 1, 3 }, &count), 3 * 4096);
	assert_int_equal(count, 4096);
	assert_int_equal(
	    digest_first_leaf((struct digest_path){ 2, 70 }, &count), 70 * 64);
	assert_int_equal(count, 64);
}

static void
test_path_round_trip(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 8);
	for (unsigned depth = 0; depth <= DIGEST_DEPTH; depth++) {
		for (uint32_t i = 0; i < 1u << 6 * depth; i += 37) {
			struct digest_path path = { depth, i };
			struct digest_path back;

			buf_clear(&text);
			assert_ok(digest_path_format(&text, path));
			assert_ok(digest_path_parse(
			    buf_span(&text), DIGEST_DEPTH, &back));
			assert_int_equal(back.depth, depth);
			assert_int_equal(back.index, i);
		}
	}
	buf_release(&text);
}

static void
test_path_rejects_everything_else(void **state)
{
	static const char *const wrong[] = { "", "--", "=", "A=", "A ", " A",
		"AAA", "AAAA", "A-", "_", "-A" };
	struct digest_path path = { 9, 9 };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(wrong); i++)
		assert_int_equal(
		    digest_path_parse(span_from(wrong[i]), 2, &path),
		    HERD_ESYNTAX);
	assert_int_equal(
	    digest_path_parse(span_of("A\0", 2), 2, &path), HERD_ESYNTAX);
	assert_int_equal(path.depth, 9);
}

static void
test_hashes_round_trip(void **state)
{
	struct unit_random random = unit_random("hashes");
	uint64_t hashes[DIGEST_FAN];
	uint64_t back[DIGEST_FAN];
	struct buf text;

	(void)state;
	buf_init(&text, 2048);
	for (unsigned i = 0; i < DIGEST_FAN; i++)
		hashes[i] = i % 3 == 0 ? 0 : unit_next(&random);
	assert_ok(digest_hashes_format(&text, hashes, false));
	assert_int_equal(text.len, DIGEST_FAN * 16);
	assert_ok(digest_hashes_parse(buf_span(&text), back));
	assert_memory_equal(hashes, back, sizeof(hashes));
	/* One digit less, one more, or another than 0-9a-f. */
	memset(back, 0, sizeof(back));
	assert_int_equal(digest_hashes_parse(
			     span_of(buf_span(&text).data, text.len - 1), back),
	    HERD_ESYNTAX);
	text.data[text.head + 17] = 'A';
	assert_int_equal(
	    digest_hashes_parse(buf_span(&text), back), HERD_ESYNTAX);
	assert_ok(buf_add_byte(&text, '0'));
	assert_int_equal(
	    digest_hashes_parse(buf_span(&text), back), HERD_ESYNTAX);
	for (unsigned i = 0; i < DIGEST_FAN; i++)
		assert_true(back[i] == 0);
	buf_release(&text);
}

/* At most 768 characters, and never more than the dense form's 1,024. */
static void
test_pairs_round_trip(void **state)
{
	struct unit_random random = unit_random("pairs");
	uint64_t hashes[DIGEST_FAN];
	uint64_t back[DIGEST_FAN];
	struct buf text;

	(void)state;
	buf_init(&text, 2048);
	for (unsigned filled = 0; filled <= DIGEST_FAN; filled++) {
		memset(hashes, 0, sizeof(hashes));
		for (unsigned n = 0; n < filled;) {
			size_t i = unit_below(&random, DIGEST_FAN);

			n += hashes[i] == 0;
			hashes[i] = unit_next(&random) >> i | 1;
		}
		buf_clear(&text);
		assert_ok(digest_hashes_format(&text, hashes, true));
		assert_int_equal(text.len, filled == 0 ? 1 : filled * 12);
		memset(back, 0xff, sizeof(back));
		assert_ok(digest_hashes_parse(buf_span(&text), back));
		assert_memory_equal(hashes, back, sizeof(hashes));
	}
	buf_release(&text);
}

static void
test_pairs_have_one_text_for_one_list(void **state)
{
	static const char *const wrong[] = { "", "A", "--", "-A", "AAAAAAAAAAB",
		"AAAAAAAAAAABB", "AAAAAAAAAAAA", "AAAAAAAAAA=B", "=AAAAAAAAAAB",
		"AAAAAAAAAA\xffM", "BAAAAAAAAAABAAAAAAAAAAAB",
		"AAAAAAAAAAABAAAAAAAAAAAB", "AAAAAAAAAAABBAAAAAAAAAAA",
		"AAAAAAAAAAAB BAAAAAAAAAA", "AQAAAAAAAAAA", "A//////////8" };
	uint64_t hashes[DIGEST_FAN] = { 7 };

	(void)state;
	for (size_t i = 0; i < HERD_ARRAY_LEN(wrong); i++)
		assert_int_equal(
		    digest_hashes_parse(span_from(wrong[i]), hashes),
		    HERD_ESYNTAX);
	assert_true(hashes[0] == 7 && hashes[1] == 0);
	assert_ok(
	    digest_hashes_parse(span_from("AAAAAAAAAAAB/P//////////"), hashes));
	assert_true(
	    hashes[0] == 1 && hashes[1] == 0 && hashes[63] == UINT64_MAX);
}

static void
test_hex_round_trip(void **state)
{
	uint8_t bytes[256];
	uint8_t back[256] = { 0 };
	struct buf text;

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	buf_init(&text, 1024);
	assert_ok(digest_hex_format(&text, bytes, sizeof(bytes)));
	assert_ok(digest_hex_parse(buf_span(&text), back, sizeof(back)));
	assert_memory_equal(bytes, back, sizeof(bytes));
	assert_int_equal(
	    digest_hex_parse(buf_span(&text), back, 255), HERD_ESYNTAX);
	assert_int_equal(
	    digest_hex_parse(span_from("0g"), back, 1), HERD_ESYNTAX);
	assert_int_equal(
	    digest_hex_parse(span_from("0/"), back, 1), HERD_ESYNTAX);
	assert_int_equal(
	    digest_hex_parse(span_from("-1"), back, 1), HERD_ESYNTAX);
	assert_int_equal(
	    digest_hex_parse(span_from("0F"), back, 1), HERD_ESYNTAX);
	buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_does_not_depend_on_order),
		cmocka_unit_test(test_digest_nodes_are_sums_of_children),
		cmocka_unit_test(test_digest_hashes_long_lines),
		cmocka_unit_test(test_digest_key_needs_all_parts),
		cmocka_unit_test(test_digest_leaves_are_below_their_nodes),
		cmocka_unit_test(test_path_round_trip),
		cmocka_unit_test(test_path_rejects_everything_else),
		cmocka_unit_test(test_hashes_round_trip),
		cmocka_unit_test(test_pairs_round_trip),
		cmocka_unit_test(test_pairs_have_one_text_for_one_list),
		cmocka_unit_test(test_hex_round_trip),
	};

	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
