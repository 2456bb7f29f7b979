/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of the client protocol; the histogram; the map. */
#include "unit.h"

#include "base/histogram.h"
#include "base/xbuf.h"
#include "net/reply.h"
#include "out/canvas.h"
#include "out/width.h"

#define AT "AT Riley +0.263873386 kiwi +34.068930-118.445127 1621464827.9\n"
#define JSON "{\n \"status\" : \"OK\"\n}\n\n"

/* Fed one byte more each time, the end is found when it is there. */
static void
assert_length(const char *text, enum reply_kind kind, size_t want)
{
	struct reply_scan scan = { 0 };
	size_t len = 0;

	for (size_t n = 1; n <= strlen(text); n++) {
		enum herd_error error =
		    reply_measure(span_of(text, n), kind, &scan, &len);

		if (n < want) {
			assert_int_equal(error, HERD_EAGAIN);
			continue;
		}
		assert_int_equal(error, HERD_OK);
		assert_int_equal(len, want);
		return;
	}
	fail_msg("no end in %s", text);
}

static void
test_an_answers_end_is_found_however_it_comes(void **state HERD_UNUSED)
{
	assert_length(AT, REPLY_LINE, strlen(AT));
	assert_length("? hello\nAT", REPLY_LINE, 8);
	assert_length("? \n", REPLY_LINE, 3);
	assert_length("? WHATSAT x 1 1\n", REPLY_WHATSAT, 16);
	assert_length(AT JSON "AT", REPLY_WHATSAT, strlen(AT JSON));
	/* a node may answer with no JSON at all */
	assert_length(AT "\n\n", REPLY_WHATSAT, strlen(AT) + 2);
}

static void
test_rubbish_is_no_answer(void **state HERD_UNUSED)
{
	struct reply_scan scan = { 0 };
	size_t len;

	assert_int_equal(
	    reply_measure(span_from("HTTP/1.0 400\n"), REPLY_LINE, &scan, &len),
	    HERD_EPROTOCOL);
	assert_int_equal(
	    reply_measure(span_from("\n"), REPLY_LINE, &scan, &len),
	    HERD_EPROTOCOL);
	assert_int_equal(
	    reply_measure(span_from("ATX"), REPLY_LINE, &scan, &len),
	    HERD_EPROTOCOL);
}

static void
test_endless_answers_are_cut_off(void **state HERD_UNUSED)
{
	struct reply_scan scan = { 0 };
	size_t len;
	struct buf text;

	buf_init(&text, XBUF_MAX);
	put_text(&text, "AT ");
	put_fill(&text, 'x', REPLY_MAX);
	assert_int_equal(
	    reply_measure(buf_span(&text), REPLY_LINE, &scan, &len),
	    HERD_ELIMIT);
	buf_release(&text);
}

static void
test_answers_are_taken_apart(void **state HERD_UNUSED)
{
	struct reply reply;

	assert_ok(reply_parse(span_from(AT JSON), REPLY_WHATSAT, &reply));
	assert_false(reply.refused);
	assert_span(reply.report.client, "kiwi");
	assert_span(reply.json, "{\n \"status\" : \"OK\"\n}");
	assert_ok(reply_parse(span_from("? a b\n"), REPLY_LINE, &reply));
	assert_true(reply.refused);
	assert_span(reply.line, "? a b");
	assert_int_equal(reply_parse(span_from("AT x\n"), REPLY_LINE, &reply),
	    HERD_EPROTOCOL);
	assert_int_equal(reply_parse(span_from(AT "more"), REPLY_LINE, &reply),
	    HERD_EPROTOCOL);
}

static void
test_only_valid_questions_expect_places(void **state HERD_UNUSED)
{
	assert_int_equal(
	    reply_expected(span_from("WHATSAT kiwi 10 5")), REPLY_WHATSAT);
	assert_int_equal(
	    reply_expected(span_from(" WHATSAT\tkiwi 50 20 ")), REPLY_WHATSAT);
	assert_int_equal(
	    reply_expected(span_from("WHATSAT kiwi 51 5")), REPLY_LINE);
	assert_int_equal(
	    reply_expected(span_from("whatsat kiwi 10 5")), REPLY_LINE);
}

static void
test_percentiles_are_near_the_truth(void **state HERD_UNUSED)
{
	struct histogram *h = xcalloc(1, sizeof(*h));

	assert_int_equal(histogram_percentile(h, 50), 0);
	for (uint64_t us = 1; us <= 100000; us++)
		histogram_add(h, us);
	for (int percent = 1; percent <= 100; percent++) {
		double got = (double)histogram_percentile(h, percent);
		double want = percent * 1000.0;

		assert_true(got >= want && got <= want * 1.016 + 1);
	}
	assert_int_equal(histogram_percentile(h, 100), 100000);
	histogram_add(h, UINT64_MAX);
	assert_int_equal(h->max_us, UINT64_MAX);
	free(h);
}

/* The map has exactly its lines, none wider than it may be. */
static void
test_maps_keep_their_size(void **state HERD_UNUSED)
{
	static const struct {
		size_t width;
		size_t height;
		bool utf8;
	} sizes[] = {
		{ 20, 6, false },
		{ 80, 24, false },
		{ 80, 24, true },
		{ 133, 50, true },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(sizes); i++) {
		struct canvas *canvas =
		    canvas_new(sizes[i].width, sizes[i].height, sizes[i].utf8);
		struct buf out;
		size_t lines = 0;
		struct span rest;

		canvas_add(canvas, 34.07, -118.44, "@");
		canvas_add(canvas, 34.05, -118.40, "1");
		canvas_add(
		    canvas, 34.09, -118.48, "a very long name of a place");
		canvas_add(canvas, -90, 180, NULL);
		canvas_add(canvas, 90, -180, NULL);
		buf_init(&out, XBUF_MAX);
		canvas_draw(canvas,
		    &(struct canvas_view){
			.all = true, .labels_most = SIZE_MAX },
		    &out);
		for (rest = buf_span(&out); rest.len > 0; lines++) {
			const char *end = memchr(rest.data, '\n', rest.len);
			size_t len = (size_t)(end - rest.data);

			if (lines + 1 < sizes[i].height)
				assert_true(width_of(span_of(rest.data, len)) <=
					    sizes[i].width);
			rest.data += len + 1;
			rest.len -= len + 1;
		}
		assert_int_equal(lines, sizes[i].height);
		buf_release(&out);
		canvas_free(canvas);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answers_end_is_found_however_it_comes),
		cmocka_unit_test(test_rubbish_is_no_answer),
		cmocka_unit_test(test_endless_answers_are_cut_off),
		cmocka_unit_test(test_answers_are_taken_apart),
		cmocka_unit_test(test_only_valid_questions_expect_places),
		cmocka_unit_test(test_percentiles_are_near_the_truth),
		cmocka_unit_test(test_maps_keep_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
