/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

static void
test_empty_buf_has_empty_span_and_no_memory(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 10);
	assert_int_equal(buf_span(&buf).len, 0);
	assert_null(buf.data);
	assert_int_equal(buf_room(&buf), 0);
	assert_ok(buf_add(&buf, NULL, 0));
	assert_null(buf.data);
	buf_drain(&buf, 0);
	buf_release(&buf);
}

static void
test_add_appends_whole_or_not_at_all(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 5);
	assert_ok(buf_add_text(&buf, "abc"));
	assert_int_equal(buf_add_text(&buf, "def"), HERD_ELIMIT);
	assert_buf(&buf, "abc");
	assert_ok(buf_add_byte(&buf, 'd'));
	assert_ok(buf_add_span(&buf, span_from("e")));
	assert_buf(&buf, "abcde");
	assert_int_equal(buf_add_byte(&buf, 'f'), HERD_ELIMIT);
	assert_ok(buf_add(&buf, "", 0));
	buf_release(&buf);
	assert_int_equal(buf.max, 5);
}

static void
test_formatted_text_may_fill_the_buf_to_its_max(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 8);
	assert_ok(buf_addf(&buf, "%d-%s", 12, "abcde"));
	assert_buf(&buf, "12-abcde");
	assert_int_equal(buf_addf(&buf, "%c", 'x'), HERD_ELIMIT);
	assert_ok(buf_addf(&buf, "%s", ""));
	assert_string_equal(buf_cstr(&buf), "12-abcde");
	buf_release(&buf);
}

static void
test_cstr_terminates_without_becoming_content(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, SIZE_MAX);
	assert_string_equal(buf_cstr(&buf), "");
	assert_ok(buf_add_text(&buf, "abc"));
	assert_string_equal(buf_cstr(&buf), "abc");
	assert_int_equal(buf.len, 3);
	buf_drain(&buf, 1);
	assert_string_equal(buf_cstr(&buf), "bc");
	buf_truncate(&buf, 1);
	assert_string_equal(buf_cstr(&buf), "b");
	buf_release(&buf);
}

static void
test_reserve_gives_room_that_grow_makes_content(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 100);
	assert_ok(buf_reserve(&buf, 100));
	assert_int_equal(buf_room(&buf), 100);
	memcpy(buf_tail(&buf), "hello", 5);
	buf_grow(&buf, 5);
	assert_buf(&buf, "hello");
	assert_int_equal(buf_reserve(&buf, 96), HERD_ELIMIT);
	assert_ok(buf_reserve(&buf, 95));
	assert_int_equal(buf_room(&buf), 95);
	buf_release(&buf);
}

static void
test_set_replaces_whole_or_not_at_all(void **state HERD_UNUSED)
{
	struct buf buf;

	buf_init(&buf, 4);
	assert_ok(buf_set(&buf, "abcd", 4));
	buf_drain(&buf, 2);
	assert_ok(buf_set(&buf, "wxyz", 4));
	assert_buf(&buf, "wxyz");
	assert_int_equal(buf_set(&buf, "12345", 5), HERD_ELIMIT);
	assert_buf(&buf, "wxyz");
	assert_ok(buf_set(&buf, NULL, 0));
	assert_buf(&buf, "");
	buf_release(&buf);
}

/* Against a plain array: any mix of appending and draining keeps the bytes. */
static void
test_random_appends_and_drains_keep_the_bytes(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("buf");
	static char model[1000];
	size_t len = 0, n, i, step;
	struct buf buf;

	buf_init(&buf, sizeof(model));
	for (step = 0; step < 200000; step++) {
		if (unit_below(&random, 2) == 0) {
			char piece[200];

			n = unit_below(&random, sizeof(piece));
			for (i = 0; i < n; i++)
				piece[i] = (char)unit_below(&random, 127);
			if (len + n > sizeof(model)) {
				assert_int_equal(
				    buf_add(&buf, piece, n), HERD_ELIMIT);
			} else {
				assert_ok(buf_add(&buf, piece, n));
				memcpy(model + len, piece, n);
				len += n;
			}
		} else {
			n = unit_below(&random, len + 1u);
			buf_drain(&buf, n);
			memmove(model, model + n, len - n);
			len -= n;
		}
		assert_true(span_equal(buf_span(&buf), span_of(model, len)));
		assert_true(buf.cap <= sizeof(model) + 1u);
	}
	buf_release(&buf);
}

/* Filling by small steps moves each byte a constant number of times. */
static void
test_a_queue_at_its_max_does_not_grow(void **state HERD_UNUSED)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, 100);
	for (i = 0; i < 100; i++)
		assert_ok(buf_add_byte(&buf, 'x'));
	for (i = 0; i < 1000; i++) {
		buf_drain(&buf, 1);
		assert_ok(buf_add_byte(&buf, 'y'));
		assert_int_equal(buf.len, 100);
	}
	assert_true(buf.cap <= 101);
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_non_null(buf.data);
	buf_release(&buf);
}

static void
test_each_error_has_its_own_sentence(void **state HERD_UNUSED)
{
	static const char *const texts[] = {
#define TEXT(code, text) text,
		HERD_ERRORS(TEXT)
#undef TEXT
	};
	unsigned i, j;

	for (i = 0; i < HERD_ARRAY_LEN(texts); i++) {
		assert_string_equal(
		    herd_strerror((enum herd_error)i), texts[i]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(texts[i], texts[j]);
	}
	assert_string_equal(herd_strerror((enum herd_error)i), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_buf_has_empty_span_and_no_memory),
		cmocka_unit_test(test_add_appends_whole_or_not_at_all),
		cmocka_unit_test(
		    test_formatted_text_may_fill_the_buf_to_its_max),
		cmocka_unit_test(test_cstr_terminates_without_becoming_content),
		cmocka_unit_test(
		    test_reserve_gives_room_that_grow_makes_content),
		cmocka_unit_test(test_set_replaces_whole_or_not_at_all),
		cmocka_unit_test(test_random_appends_and_drains_keep_the_bytes),
		cmocka_unit_test(test_a_queue_at_its_max_does_not_grow),
		cmocka_unit_test(test_each_error_has_its_own_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
