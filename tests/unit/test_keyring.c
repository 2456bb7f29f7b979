/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/keyring.h"

#define LEAST 16u
#define MOST 4096u

struct desk {
	char path[64];
	struct buf message;
};

static int
set_up(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	int fd;

	if (desk == NULL)
		return -1;
	*state = desk;
	strncpy(desk->path, "/tmp/herd-unit-XXXXXX", sizeof(desk->path));
	fd = mkstemp(desk->path);
	buf_init(&desk->message, 4096);
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	struct desk *desk = *state;

	(void)unlink(desk->path);
	buf_release(&desk->message);
	free(desk);
	return 0;
}

static void
write_text(const struct desk *desk, const char *text, size_t len)
{
	int fd = open(desk->path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
}

static enum herd_error
read_ring(struct desk *desk, enum keyring_kind kind, const char *text,
    struct keyring *out)
{
	const struct keyfile file = { "key_file", desk->path, NULL, NULL,
		false };

	buf_clear(&desk->message);
	write_text(desk, text, strlen(text));
	return keyring_read(
	    &file, kind, LEAST, MOST, NULL, out, &desk->message);
}

static void
assert_names(const struct keyring *ring, const char *want)
{
	struct buf names;

	buf_init(&names, 1024);
	assert_ok(keyring_names(ring, &names));
	assert_buf(&names, want);
	buf_release(&names);
}

/* --- what a file may hold ------------------------------------------------- */

static void
test_files_hold_one_to_eight_words(void **state)
{
	static const struct {
		const char *text;
		unsigned count;
		const char *first;
	} CASES[] = {
		{ "0123456789abcdef", 1, "0123456789abcdef" },
		{ "0123456789abcdef \r\n", 1, "0123456789abcdef" },
		{ "\n# old\n#0123456789abcdeg\n 0123456789abcdef\t\n\n", 1,
		    "0123456789abcdef" },
		{ "0123456789abcdef\n1123456789abcdef\n", 2,
		    "0123456789abcdef" },
		/* As the only line it is an older version's key. */
		{ "correct horse battery staple", 1,
		    "correct horse battery staple" },
		{ "0123456789abcdef\x01\xff", 1, "0123456789abcdef\x01\xff" },
		{ "0000000000000001\n0000000000000002\n0000000000000003\n"
		  "0000000000000004\n0000000000000005\n0000000000000006\n"
		  "0000000000000007\n0000000000000008",
		    8, "0000000000000001" },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		struct keyring ring = { 0 };

		assert_ok(
		    read_ring(*state, KEYRING_LINK_KEYS, CASES[i].text, &ring));
		assert_int_equal(ring.count, CASES[i].count);
		assert_true(keyring_has(&ring, span_from(CASES[i].first)));
		assert_false(
		    keyring_has(&ring, span_from("#0123456789abcdeg")));
		assert_false(keyring_has(&ring, span_from("")));
		keyring_wipe(&ring);
		assert_false(keyring_has(&ring, span_from(CASES[i].first)));
	}
}

static void
test_files_that_are_no_key_files_are_refused(void **state)
{
	static const struct {
		enum keyring_kind kind;
		const char *text;
		const char *says;
	} CASES[] = {
		{ KEYRING_LINK_KEYS, "", "no word of 16 bytes" },
		{ KEYRING_LINK_KEYS, " \n\n", "no word of 16 bytes" },
		{ KEYRING_LINK_KEYS, "# a comment of many bytes",
		    "no word of 16 bytes" },
		{ KEYRING_LINK_KEYS, "0123456789abcdef\nshort\n",
		    "line 2 is shorter than 16 bytes" },
		{ KEYRING_LINK_KEYS, "0123456789abcdef\n0123456789abcdef\x01\n",
		    "word 2 of 2 is not printable" },
		{ KEYRING_LINK_KEYS,
		    "0000000000000001\n0000000000000002\n0000000000000003\n"
		    "0000000000000004\n0000000000000005\n0000000000000006\n"
		    "0000000000000007\n0000000000000008\n0000000000000009\n",
		    "more than 8 words" },
		{ KEYRING_TOKENS, "correct horse battery staple",
		    "line 1 holds more than one word" },
		{ KEYRING_TOKENS, "0123456789abcdef\xff", "printable ASCII" },
	};
	struct desk *desk = *state;

	for (size_t i = 0; i < HERD_ARRAY_LEN(CASES); i++) {
		struct keyring ring = { 0 };

		assert_int_equal(
		    read_ring(desk, CASES[i].kind, CASES[i].text, &ring),
		    HERD_ESYSTEM);
		assert_non_null(
		    strstr(buf_cstr(&desk->message), CASES[i].says));
		assert_non_null(strstr(buf_cstr(&desk->message), desk->path));
		assert_null(strstr(buf_cstr(&desk->message), "0123456789"));
		assert_int_equal(ring.count, 0);
	}
}

static void
test_longest_word_and_file(void **state)
{
	struct desk *desk = *state;
	struct keyring ring = { 0 };
	char *text = calloc(1, 1u << 20);

	assert_non_null(text);
	memset(text, 'k', MOST + 1);
	assert_int_equal(
	    read_ring(desk, KEYRING_LINK_KEYS, text, &ring), HERD_ESYSTEM);
	assert_non_null(
	    strstr(buf_cstr(&desk->message), "longer than 4096 bytes"));
	text[MOST] = '\0';
	assert_ok(read_ring(desk, KEYRING_LINK_KEYS, text, &ring));
	memset(text, '\n', (1u << 20) - 1);
	memset(text, 'k', LEAST);
	assert_int_equal(
	    read_ring(desk, KEYRING_LINK_KEYS, text, &ring), HERD_ESYSTEM);
	assert_non_null(strstr(buf_cstr(&desk->message), "longer than"));
	free(text);
}

/* --- fingerprints --------------------------------------------------------- */

/* Other versions and machines have to have the same. */
static void
test_fingerprints_are_fixed(void **state)
{
	struct keyring ring = { 0 };

	assert_ok(read_ring(*state, KEYRING_LINK_KEYS,
	    "0123456789abcdef\n0123456789abcdeg\n", &ring));
	assert_names(&ring, "c23d9f1d efe1918d");
	assert_ptr_equal(keyring_find(&ring, "efe1918d"), &ring.keys[1]);
	assert_null(keyring_find(&ring, ""));
	assert_null(keyring_find(&ring, "5a402882"));
	/* A token of the same text has another. */
	assert_ok(read_ring(*state, KEYRING_TOKENS, "0123456789abcdef", &ring));
	assert_names(&ring, "5a402882");
}

static void
test_fingerprint_has_a_form(void **state)
{
	(void)state;
	assert_true(keyring_is_fingerprint("0123abcd"));
	assert_false(keyring_is_fingerprint("0123ABCD"));
	assert_false(keyring_is_fingerprint("0123abc"));
	assert_false(keyring_is_fingerprint("0123abcde"));
	assert_false(keyring_is_fingerprint("0123ab\x1b["));
	assert_false(keyring_is_fingerprint(""));
}

static void
test_rings_are_equal_in_the_same_order(void **state)
{
	struct keyring a = { 0 }, b = { 0 }, c = { 0 };

	assert_ok(read_ring(*state, KEYRING_TOKENS,
	    "0123456789abcdef\n0123456789abcdeg\n", &a));
	assert_ok(read_ring(*state, KEYRING_TOKENS,
	    "0123456789abcdef\n#\n0123456789abcdeg", &b));
	assert_ok(read_ring(*state, KEYRING_TOKENS,
	    "0123456789abcdeg\n0123456789abcdef\n", &c));
	assert_true(keyring_equal(&a, &b));
	assert_false(keyring_equal(&a, &c));
	c.count = 1;
	assert_false(keyring_equal(&a, &c));
}

/* What is known is not derived again, in whatever order the file has it. */
static void
test_known_fingerprints_are_kept(void **state)
{
	struct desk *desk = *state;
	const struct keyfile file = { "key_file", desk->path, NULL, NULL,
		false };
	struct keyring known = { 0 }, ring = { 0 };

	assert_ok(
	    read_ring(desk, KEYRING_TOKENS, "0123456789abcdef\n", &known));
	memcpy(known.keys[0].fingerprint, "00c0ffee", 8);
	write_text(desk, "0123456789abcdeg\n0123456789abcdef\n", 34);
	assert_ok(keyring_read(
	    &file, KEYRING_TOKENS, LEAST, MOST, &known, &ring, &desk->message));
	assert_string_equal(ring.keys[1].fingerprint, "00c0ffee");
	assert_string_not_equal(ring.keys[0].fingerprint, "00c0ffee");
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_files_hold_one_to_eight_words),
		TEST(test_files_that_are_no_key_files_are_refused),
		TEST(test_longest_word_and_file),
		TEST(test_fingerprints_are_fixed),
		TEST(test_fingerprint_has_a_form),
		TEST(test_rings_are_equal_in_the_same_order),
		TEST(test_known_fingerprints_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
