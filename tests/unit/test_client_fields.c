/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON that a node sent, written again: whatever it holds, the text is JSON, a
 * terminal obeys nothing of it, and herdctl lives.
 */
#include "unit.h"

#include <cjson/cJSON.h>

#include "base/xbuf.h"
#include "cmd/client_line.h"
#include "herd/client_view.h"
#include "run/fields.h"

/* Writes the JSON text again. */
static void
write_again(const char *text, struct buf *out)
{
	cJSON *item = cJSON_Parse(text);
	struct json json;

	assert_non_null(item);
	buf_clear(out);
	json_begin(&json, out, JSON_TERMINAL);
	fields_write(&json, NULL, item);
	assert_ok(json_end(&json));
	cJSON_Delete(item);
}

static void
test_values_are_as_they_were_read(void **state HERD_UNUSED)
{
	static const char text[] =
	    "{\"a\":[1,-2,0.5,9007199254740991,1e+300],\"b\":{\"c\":null,"
	    "\"d\":[true,false,\"x\"],\"e\":{},\"f\":[]}}";
	struct buf out;

	buf_init(&out, 1u << 20);
	write_again(text, &out);
	assert_string_equal(buf_cstr(&out), text);
	buf_release(&out);
}

/* A key is a text of the node's, as values are. */
static void
test_keys_are_escaped_like_values(void **state HERD_UNUSED)
{
	struct buf out;

	buf_init(&out, 1u << 20);
	write_again("{\"a\\\",\\\"b\":\"c\\\"\",\"\\u001b[31m\\u202e\":1,"
		    "\"\\n\\\\\":2}",
	    &out);
	assert_string_equal(buf_cstr(&out),
	    "{\"a\\\",\\\"b\":\"c\\\"\",\"\\u001b[31m\\u202e\":1,"
	    "\"\\n\\\\\":2}");
	buf_release(&out);
}

static void
test_values_of_any_depth_are_written(void **state HERD_UNUSED)
{
	static const unsigned depths[] = { 1, JSON_DEPTH_MAX - 1,
		JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1, 40, 900 };
	struct buf text;
	struct buf out;

	buf_init(&text, 1u << 20);
	buf_init(&out, 1u << 20);
	for (size_t i = 0; i < HERD_ARRAY_LEN(depths); i++) {
		unsigned depth = depths[i];
		cJSON *read;

		buf_clear(&text);
		for (unsigned d = 0; d < depth; d++)
			assert_ok(buf_add_byte(&text, '['));
		assert_ok(buf_add_byte(&text, '1'));
		for (unsigned d = 0; d < depth; d++)
			assert_ok(buf_add_byte(&text, ']'));
		write_again(buf_cstr(&text), &out);
		if (depth <= JSON_DEPTH_MAX)
			assert_string_equal(buf_cstr(&out), buf_cstr(&text));
		read = cJSON_Parse(buf_cstr(&out));
		assert_non_null(read);
		cJSON_Delete(read);
	}
	buf_release(&text);
	buf_release(&out);
}

/* --- a line of a list --------------------------------------------------- */

static void
begin_rows(struct out *out, struct sink *sink)
{
	static const struct out_options options = { .format = NULL };
	struct out_options chosen = options;
	struct buf message = XBUF;

	chosen.format = format_find("jsonl");
	sink_init_memory(sink, false);
	out_init(out, &chosen, sink);
	assert_int_equal(
	    out_begin(out, &client_view, false, &message), STATUS_OK);
	buf_release(&message);
}

static void
end_rows(struct out *out, struct sink *sink, struct buf *text)
{
	out_row(out);
	out_end(out);
	put_span(text, buf_span(&sink->held));
	out_release(out);
	buf_release(&sink->held);
}

/* The quick way and the way by a tree give the same row. */
static void
check_line(const char *line)
{
	cJSON *tree = cJSON_Parse(line);
	struct buf quick = XBUF;
	struct buf slow = XBUF;
	struct sink sink;
	struct out out;

	assert_non_null(tree);
	begin_rows(&out, &sink);
	assert_true(client_line_fill(&out, span_from(line)));
	end_rows(&out, &sink, &quick);
	begin_rows(&out, &sink);
	fields_fill_row(&out, tree);
	end_rows(&out, &sink, &slow);
	assert_string_equal(text_of(&quick), text_of(&slow));
	buf_release(&quick);
	buf_release(&slow);
	cJSON_Delete(tree);
}

static void
test_a_line_is_read_like_a_tree(void **state HERD_UNUSED)
{
	static const char *const lines[] = {
		"{\"client\":\"kiwi\",\"time\":\"1621464827.959498503\","
		"\"location\":\"+34.068930-118.445127\",\"lat\":34.06893,"
		"\"lon\":-118.445127,\"node\":\"Riley\",\"skew\":\"+0.26\","
		"\"received_at\":\"1621464828.223371889\",\"from\":\"client\","
		"\"age_s\":2.040501}",
		" { \"client\" : \"a\\\"b\\u00e9\\ud83d\\ude00\" , \"from\" : null } ",
		"{\"client\":\"a\\ufffd\",\"client_b64\":\"Yf8b\",\"age_s\":0,"
		"\"ahead_s\":60.5,\"distance_m\":1e3}",
		"{\"client\":\"x\",\"lat\":\"1\",\"lon\":2,"
		"\"location\":\"+1+2\",\"age_s\":\"3\",\"node\":[\"y\"],"
		"\"more\":{\"client\":\"z\"}}",
		"{\"client\":\"first\",\"client\":\"second\"}",
		"{\"client\":\"\",\"removed\":true,\"skew\":null}",
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(lines); i++)
		check_line(lines[i]);
}

static void
test_what_is_no_client_sets_nothing(void **state HERD_UNUSED)
{
	static const char *const lines[] = { "", "7", "[]", "{}",
		"{\"client\":7}", "{\"client\":\"a\"", "{\"client\":\"a\"}}",
		"{\"client\":\"a\\q\"}", "{\"error\":{\"message\":\"x\"}}",
		"\"client\"", "{\"client\":\"a\",}" };
	struct sink sink;
	struct out out;

	for (size_t i = 0; i < HERD_ARRAY_LEN(lines); i++) {
		begin_rows(&out, &sink);
		if (client_line_fill(&out, span_from(lines[i])))
			fail_msg("%s is no client", lines[i]);
		for (size_t c = 0; c < client_view.count; c++)
			assert_false(out.row[c].known);
		out_release(&out);
		buf_release(&sink.held);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_as_they_were_read),
		cmocka_unit_test(test_keys_are_escaped_like_values),
		cmocka_unit_test(test_values_of_any_depth_are_written),
		cmocka_unit_test(test_a_line_is_read_like_a_tree),
		cmocka_unit_test(test_what_is_no_client_sets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
