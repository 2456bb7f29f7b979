/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The target of an HTTP request: path, parameters, cursors, globs, where. */
#include "admin/cursor.h"
#include "admin/query.h"
#include "herd/filter.h"
#include "herd/glob.h"

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
check_cursor(struct span text, const struct page_order *order)
{
	struct page_key again;
	struct page_key key;
	struct buf bytes;
	struct buf twice;
	struct buf out;

	buf_init(&bytes, PAGE_CURSOR_MAX);
	buf_init(&twice, PAGE_CURSOR_MAX);
	buf_init(&out, PAGE_CURSOR_TEXT_MAX);
	if (page_cursor_parse(text, order, &bytes, &key) == HERD_OK) {
		assert(page_cursor_format(&out, order, &key) == HERD_OK);
		assert(page_cursor_parse(
			   buf_span(&out), order, &twice, &again) == HERD_OK);
		assert(page_key_compare(order, &key, &again) == 0);
		assert(span_equal(key.client, again.client));
	}
	buf_release(&bytes);
	buf_release(&twice);
	buf_release(&out);
}

static void
check_cursors(struct span text)
{
	struct page_order order;

	for (size_t i = 0; i < client_view.count; i++) {
		order = (struct page_order){ i, i % 2 == 0 };
		check_cursor(text, &order);
	}
	order = (struct page_order){ PAGE_TABLE, false };
	check_cursor(text, &order);
	if (page_order_parse(text, &order) == HERD_OK)
		assert(order.column == PAGE_TABLE ||
		       order.column < client_view.count);
}

/* A row whose values are made of the expression itself. */
static void
get(void *row, size_t column, struct value *out)
{
	const struct span *text = row;

	*out = (struct value){
		.type = client_view.columns[column].type,
		.known = column % 3 != 0,
	};
	if (value_base(out->type) == BASE_REAL)
		out->real = (double)text->len;
	else
		out->text = *text;
}

static void
check_where(struct span text)
{
	struct filter *filter;
	struct buf message;

	if (text.len > 512)
		return;
	buf_init(&message, 4096);
	if (filter_parse(text, &client_view, &filter, &message) == HERD_OK) {
		(void)filter_matches(filter, get, &text);
		filter_free(filter);
	} else {
		assert(message.len > 0);
	}
	buf_release(&message);
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
		check_cursors(param->value);
		check_where(param->value);
		if (param->value.len < 256 && target.len < 4096)
			(void)glob_matches(param->value, target);
		assert(glob_matches(span_from("*"), param->value));
		assert(glob_prefix(param->value).len <= param->value.len);
	}
	if (query_flag(&query, "count", &flag) == HERD_OK && flag)
		assert(query_find(&query, "count") != NULL);
	if (query_count(&query, "limit", 1, 1000, &count) == HERD_OK)
		assert(count >= 1 && count <= 1000);
	(void)query_unknown(&query, "prefix near km sort limit after count");
	query_release(&query);
	return 0;
}
