/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The target of an HTTP request: path, parameters, cursors, globs. */
#include "admin/cursor.h"
#include "herd/glob.h"
#include "admin/query.h"

#include "fuzz.h"

static bool
is_within(struct span part, struct span whole)
{
	return part.len == 0 ||
	       (part.data >= whole.data &&
		   part.data + part.len <= whole.data + whole.len);
}

/* What is taken for a cursor is written the same way again, or shorter. */
static void
check_cursor(struct span text)
{
	for (int order = PAGE_ID; order <= PAGE_TABLE; order++) {
		struct page_key again;
		struct page_key key;
		struct buf bytes;
		struct buf out;

		buf_init(&bytes, PAGE_CURSOR_MAX);
		buf_init(&out, PAGE_CURSOR_TEXT_MAX);
		if (page_cursor_parse(text, (enum page_order)order, &bytes,
			&key) == HERD_OK) {
			struct buf twice;

			buf_init(&twice, PAGE_CURSOR_MAX);
			assert(page_cursor_format(&out, (enum page_order)order,
				   &key) == HERD_OK);
			assert(page_cursor_parse(buf_span(&out),
				   (enum page_order)order, &twice,
				   &again) == HERD_OK);
			assert(page_key_compare(
				   (enum page_order)order, &key, &again) == 0);
			assert(span_equal(key.client, again.client));
			buf_release(&twice);
		}
		buf_release(&bytes);
		buf_release(&out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span target = span_of((const char *)data, size);
	struct query query;
	uint64_t count = 1;
	bool flag;

	if (query_parse(target, &query) != HERD_OK)
		return 0;
	for (unsigned i = 0; i < query.segment_count; i++)
		assert(is_within(query.segments[i], buf_span(&query.text)));
	for (unsigned i = 0; i < query.param_count; i++) {
		const struct query_param *param = &query.params[i];

		assert(param->name.len > 0);
		assert(is_within(param->name, buf_span(&query.text)));
		assert(is_within(param->value, buf_span(&query.text)));
		check_cursor(param->value);
		if (param->value.len < 256 && target.len < 4096)
			(void)glob_matches(param->value, target);
		assert(glob_matches(span_from("*"), param->value));
	}
	if (query_flag(&query, "count", &flag) == HERD_OK && flag)
		assert(query_find(&query, "count") != NULL);
	if (query_count(&query, "limit", 1, 1000, &count) == HERD_OK)
		assert(count >= 1 && count <= 1000);
	(void)query_unknown(&query, "prefix near km sort limit after count");
	query_release(&query);
	return 0;
}
