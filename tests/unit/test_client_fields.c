/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON that a node sent, written again: whatever it holds, the text is JSON, a
 * terminal obeys nothing of it, and herdctl lives.
 */
#include "unit.h"

#include <cjson/cJSON.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_are_as_they_were_read),
		cmocka_unit_test(test_keys_are_escaped_like_values),
		cmocka_unit_test(test_values_of_any_depth_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
