/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/framer.h"

/* Lines as they come, each followed by a mark: "|" or "!" (too long). */
static void
take_lines(struct framer *framer, struct buf *out, bool *too_long)
{
	struct span line;
	enum herd_error error;

	while (!*too_long) {
		error = framer_next(framer, &line);
		if (error == HERD_EAGAIN)
			return;
		assert_ok(buf_add_span(out, line));
		assert_ok(buf_add_byte(out, error == HERD_OK ? '|' : '!'));
		*too_long = error == HERD_ELIMIT;
		assert_true(error == HERD_OK || error == HERD_ELIMIT);
	}
}

/* Feeds the stream cut into pieces of the given sizes, over and over. */
static void
run(struct span stream, const size_t *pieces, size_t count, struct buf *out)
{
	struct framer framer;
	struct span last;
	bool too_long = false;
	size_t done = 0, i = 0, n;

	framer_init(&framer, 10);
	while (done < stream.len && !too_long) {
		n = pieces[i++ % count];
		if (n > stream.len - done)
			n = stream.len - done;
		assert_ok(framer_feed(&framer, span_of(stream.data + done, n)));
		done += n;
		take_lines(&framer, out, &too_long);
	}
	if (!too_long) {
		last = framer_last(&framer);
		assert_ok(buf_add_span(out, last));
		assert_int_equal(framer_pending(&framer), 0);
	}
	framer_release(&framer);
}

static const char *const streams[] = { "", "\n", "\n\n\n", "a\n", "abc", "a\nb",
	"a\r\nb\r\n", "0123456789\n", "0123456789", "0123456789\n0123456789\n",
	"01234567890\n", "01234567890", "a\n01234567890a\nb\n",
	"one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n\n\nrest" };

/* Each stream the same, split at every byte and in pieces of every size. */
static void
test_lines_do_not_depend_on_how_bytes_arrive(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("pieces");
	size_t i, j, cut[2], pieces[16];
	struct span stream;
	struct buf want, got;

	buf_init(&want, 1000);
	buf_init(&got, 1000);
	for (i = 0; i < HERD_ARRAY_LEN(streams); i++) {
		stream = span_from(streams[i]);
		buf_clear(&want);
		run(stream, &(size_t){ 1000 }, 1, &want);
		for (j = 1; j <= stream.len; j++) {
			buf_clear(&got);
			run(stream, &j, 1, &got);
			assert_true(
			    span_equal(buf_span(&got), buf_span(&want)));
			cut[0] = j;
			cut[1] = 1000;
			buf_clear(&got);
			run(stream, cut, 2, &got);
			assert_true(
			    span_equal(buf_span(&got), buf_span(&want)));
		}
		for (j = 0; j < 1000; j++) {
			size_t n;

			for (n = 0; n < HERD_ARRAY_LEN(pieces); n++)
				pieces[n] = 1 + unit_below(&random, 12);
			buf_clear(&got);
			run(stream, pieces, HERD_ARRAY_LEN(pieces), &got);
			assert_true(
			    span_equal(buf_span(&got), buf_span(&want)));
		}
	}
	buf_release(&want);
	buf_release(&got);
}

static void
test_lines_end_at_lf_alone(void **state HERD_UNUSED)
{
	static const struct {
		const char *stream;
		const char *lines;
	} cases[] = { { "a\r\nb\rc\n", "a\r|b\rc|" }, { "\n", "|" },
		{ "a\nb", "a|b" }, { "0123456789\n", "0123456789|" },
		{ "01234567890\n", "01234567890!" },
		{ "012345678901234\n", "01234567890!" } };
	struct buf got;
	size_t i;

	buf_init(&got, 1000);
	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		buf_clear(&got);
		run(span_from(cases[i].stream), &(size_t){ 3 }, 1, &got);
		assert_buf(&got, cases[i].lines);
	}
	buf_release(&got);
}

static void
test_too_long_line_stays_pending(void **state HERD_UNUSED)
{
	struct framer framer;
	struct span line;

	framer_init(&framer, 3);
	assert_ok(framer_feed(&framer, span_from("abcdef\nx\n")));
	assert_int_equal(framer_next(&framer, &line), HERD_ELIMIT);
	assert_span(line, "abcd");
	assert_int_equal(framer_next(&framer, &line), HERD_ELIMIT);
	assert_span(line, "abcd");
	assert_int_equal(framer_pending(&framer), 9);
	assert_span(framer_last(&framer), "abcdef\nx\n");
	assert_int_equal(framer_next(&framer, &line), HERD_EAGAIN);
	framer_release(&framer);
}

static void
test_reading_into_the_framer_needs_no_copy(void **state HERD_UNUSED)
{
	struct framer framer;
	struct span line;
	char *room;
	size_t size;

	framer_init(&framer, 100);
	assert_ok(framer_space(&framer, 50, &room, &size));
	assert_true(size >= 50);
	memcpy(room, "one\ntw", 6);
	framer_filled(&framer, 6);
	assert_ok(framer_next(&framer, &line));
	assert_span(line, "one");
	assert_int_equal(framer_next(&framer, &line), HERD_EAGAIN);
	assert_ok(framer_space(&framer, 50, &room, &size));
	memcpy(room, "o\n", 2);
	framer_filled(&framer, 2);
	assert_ok(framer_next(&framer, &line));
	assert_span(line, "two");
	assert_int_equal(framer_pending(&framer), 0);
	framer_release(&framer);
}

static void
test_borrowed_buffer_goes_back_without_what_is_pending(void **state HERD_UNUSED)
{
	struct framer framer;
	struct buf spare;
	struct span line;
	char *room, *lent;
	size_t size;

	framer_init(&framer, 100);
	buf_init(&spare, 1000);
	framer_borrow(&framer, &spare); /* nothing to lend yet */
	assert_ok(framer_give_back(&framer, &spare));
	assert_null(framer.in.data);
	assert_ok(buf_reserve(&spare, 500));
	lent = spare.data;

	framer_borrow(&framer, &spare);
	assert_ptr_equal(framer.in.data, lent);
	assert_null(spare.data);
	assert_ok(framer_space(&framer, 200, &room, &size));
	memcpy(room, "one\ntw", 6);
	framer_filled(&framer, 6);
	assert_ok(framer_next(&framer, &line));
	assert_span(line, "one");
	assert_int_equal(framer_next(&framer, &line), HERD_EAGAIN);
	assert_ok(framer_give_back(&framer, &spare));
	assert_ptr_equal(spare.data, lent);
	assert_int_equal(spare.len, 0);
	assert_int_equal(spare.max, 1000);
	assert_true(framer.in.cap < 100);

	/* the few pending bytes go along, and their memory with them */
	framer_borrow(&framer, &spare);
	assert_ptr_equal(framer.in.data, lent);
	assert_null(spare.data);
	assert_ok(framer_feed(&framer, span_from("o\n")));
	assert_ok(framer_next(&framer, &line));
	assert_span(line, "two");
	assert_ok(framer_give_back(&framer, &spare));
	assert_ptr_equal(spare.data, lent);
	assert_null(framer.in.data);
	framer_release(&framer);
	buf_release(&spare);
}

/* Bytes that come one at a time, more of them than are moved each time. */
static void
test_long_pending_line_is_not_moved_for_each_read(void **state HERD_UNUSED)
{
	struct framer framer;
	struct buf spare;
	struct span line;
	const char *lent, *own = NULL;
	unsigned moves = 0;
	size_t i;

	framer_init(&framer, 3u * FRAMER_MOVE_MAX);
	buf_init(&spare, 2u * FRAMER_MOVE_MAX);
	assert_ok(buf_reserve(&spare, FRAMER_MOVE_MAX));
	for (i = 0; i < 2u * FRAMER_MOVE_MAX; i++) {
		framer_borrow(&framer, &spare);
		assert_ok(framer_feed(&framer, span_from("x")));
		assert_int_equal(framer_next(&framer, &line), HERD_EAGAIN);
		assert_ok(framer_give_back(&framer, &spare));
		assert_int_equal(framer_pending(&framer), i + 1);
		if (i < FRAMER_MOVE_MAX)
			assert_true(framer.in.cap <= FRAMER_MOVE_MAX);
		else if (framer.in.data != own)
			moves++;
		own = framer.in.data;
	}
	assert_true(moves <= 3);

	/* back to a few bytes: the memory is of their size again */
	lent = spare.data;
	framer_borrow(&framer, &spare);
	assert_ptr_equal(spare.data, lent);
	assert_ok(framer_feed(&framer, span_from("\nab")));
	assert_ok(framer_next(&framer, &line));
	assert_int_equal(line.len, 2u * FRAMER_MOVE_MAX);
	assert_ok(framer_give_back(&framer, &spare));
	assert_ptr_equal(spare.data, lent);
	assert_int_equal(framer_pending(&framer), 2);
	assert_true(framer.in.cap < 100);
	framer_release(&framer);
	buf_release(&spare);
}

static void
test_widened_framer_takes_longer_lines(void **state HERD_UNUSED)
{
	struct framer framer;
	struct span line;

	framer_init(&framer, 3);
	assert_ok(framer_feed(&framer, span_from("abcd\n")));
	assert_int_equal(framer_next(&framer, &line), HERD_ELIMIT);
	framer_widen(&framer, 4);
	assert_ok(framer_next(&framer, &line));
	assert_span(line, "abcd");
	framer_release(&framer);
}

static void
test_framer_is_bounded(void **state HERD_UNUSED)
{
	static char zeros[65536];
	struct framer framer;
	size_t fed = 0;
	enum herd_error error;

	framer_init(&framer, 100);
	do {
		error = framer_feed(&framer, span_of(zeros, sizeof(zeros)));
		if (error == HERD_OK)
			fed += sizeof(zeros);
	} while (error == HERD_OK);
	assert_int_equal(error, HERD_ELIMIT);
	assert_true(fed <= FRAMER_AHEAD_MAX + 100);
	framer_release(&framer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_do_not_depend_on_how_bytes_arrive),
		cmocka_unit_test(test_lines_end_at_lf_alone),
		cmocka_unit_test(test_too_long_line_stays_pending),
		cmocka_unit_test(test_reading_into_the_framer_needs_no_copy),
		cmocka_unit_test(
		    test_borrowed_buffer_goes_back_without_what_is_pending),
		cmocka_unit_test(
		    test_long_pending_line_is_not_moved_for_each_read),
		cmocka_unit_test(test_widened_framer_takes_longer_lines),
		cmocka_unit_test(test_framer_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
