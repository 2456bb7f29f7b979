/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/page.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "admin/cursor.h"
#include "admin/rows.h"
#include "herd/glob.h"

/*
 * What a slice looks at before it lets others have the shard: bytes of texts,
 * and steps of the comparisons with them.
 */
#define SLICE_COST (1u << 20)

struct page {
	struct page_filter filter;
	struct span glob_prefix;
	struct buf cursor; /* bytes that `after` borrows */
	bool has_after;
	struct page_key after;
	struct table_cursor at;
	bool done;              /* the walk has reached the table's end */
	bool full;              /* order "table": stopped at a limit */
	bool failed;            /* out of memory */
	bool sorted;            /* the heap has become the rows in order */
	struct page_row *bound; /* the least row that was dropped */
	struct page_row **rows; /* a heap, the last in order on top */
	unsigned room;          /* for rows; the filter's limit at first */
	unsigned count;
	size_t bytes;
	size_t cost; /* of this slice, see SLICE_COST */
	uint64_t total;
	uint64_t removals;
};

/* --- rows ------------------------------------------------------------- */

static struct page_row *
row_copy(const struct report *report, uint32_t from, const struct page_key *key)
{
	size_t bytes = report_texts_len(report);
	struct page_row *row = malloc(sizeof(*row) + bytes + key->text.len);

	if (row == NULL)
		return NULL;
	row->report = *report;
	report_take_texts(&row->report, row->text);
	row->from = from;
	row->bytes = bytes + key->text.len;
	row->key = *key;
	row->key.client = row->report.client;
	if (key->text.len > 0)
		memcpy(row->text + bytes, key->text.data, key->text.len);
	row->key.text = span_of(row->text + bytes, key->text.len);
	return row;
}

/* --- heap ------------------------------------------------------------- */

static bool
row_is_before(
    const struct page *page, const struct page_row *a, const struct page_row *b)
{
	return page_key_compare(&page->filter.order, &a->key, &b->key) < 0;
}

static void
heap_swap(struct page *page, unsigned i, unsigned j)
{
	struct page_row *row = page->rows[i];

	page->rows[i] = page->rows[j];
	page->rows[j] = row;
}

static void
heap_push(struct page *page, struct page_row *row)
{
	unsigned i = page->count++;

	page->rows[i] = row;
	page->bytes += row->bytes;
	while (i > 0 &&
	       row_is_before(page, page->rows[(i - 1) / 2], page->rows[i])) {
		heap_swap(page, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

static void
heap_sift_down(struct page *page, unsigned size)
{
	unsigned i = 0;

	for (;;) {
		unsigned child = 2 * i + 1;

		if (child >= size)
			return;
		if (child + 1 < size && row_is_before(page, page->rows[child],
					    page->rows[child + 1]))
			child++;
		if (!row_is_before(page, page->rows[i], page->rows[child]))
			return;
		heap_swap(page, i, child);
		i = child;
	}
}

static struct page_row *
heap_pop(struct page *page)
{
	struct page_row *top = page->rows[0];

	assert(page->count > 0);
	page->count--;
	page->bytes -= top->bytes;
	page->rows[0] = page->rows[page->count];
	heap_sift_down(page, page->count);
	return top;
}

/* Sorts the heap, which has the last row on top, into rows in order. */
static void
heap_sort(struct page *page)
{
	for (unsigned size = page->count; size > 1; size--) {
		heap_swap(page, 0, size - 1);
		heap_sift_down(page, size - 1);
	}
}

/* --- visiting --------------------------------------------------------- */

static bool
is_by_table(const struct page *page)
{
	return page->filter.order.column == PAGE_TABLE;
}

static bool
is_full(const struct page *page)
{
	return page->count >= page->filter.limit ||
	       (page->bytes >= PAGE_TABLE_BYTES_MAX && page->count > 0);
}

/* Returns whether it is near enough; sets *metres if there is a point. */
static bool
is_near(const struct page_filter *filter, const struct report *report,
    double *metres)
{
	struct location at;

	*metres = 0;
	if (!filter->near)
		return true;
	if (location_parse(report->location, &at) != HERD_OK)
		return false;
	*metres = location_distance_m(filter->at, at);
	return filter->within_m <= 0 || *metres <= filter->within_m;
}

/* Returns whether the row is after the cursor and belongs to the page. */
static bool
is_in_range(const struct page *page, const struct page_key *key)
{
	const struct page_order *order = &page->filter.order;

	if (page->has_after && page_key_compare(order, key, &page->after) <= 0)
		return false;
	return page->bound == NULL ||
	       page_key_compare(order, key, &page->bound->key) < 0;
}

static void
keep(struct page *page, const struct client_row *at, const struct page_key *key)
{
	struct page_row *row = row_copy(at->report, at->from, key);

	if (row == NULL) {
		page->failed = true;
		return;
	}
	row->distance_m = at->distance_m;
	if (is_by_table(page)) {
		page->rows[page->count++] = row;
		page->bytes += row->bytes;
		page->full = is_full(page);
		return;
	}
	heap_push(page, row);
	while (page->count > page->filter.limit ||
	       (page->bytes > PAGE_BYTES_MAX && page->count > 1)) {
		free(page->bound);
		page->bound = heap_pop(page);
	}
}

static void
keep_in_order(struct page *page, struct client_row *row)
{
	struct page_key key = { .unknown = false };
	struct value value;

	if (is_by_table(page)) {
		keep(page, row, &key);
		return;
	}
	client_row_get(row, page->filter.order.column, &value);
	key = page_key_of(&value);
	key.client = row->report->client;
	if (is_in_range(page, &key))
		keep(page, row, &key);
}

/* By the id alone, so that most records need not be unpacked. */
static bool
is_candidate(void *arg, struct span client)
{
	const struct page *page = arg;
	const struct page_filter *filter = &page->filter;

	return span_begins(client, filter->prefix) &&
	       span_begins(client, page->glob_prefix) &&
	       (filter->wanted == NULL ||
		   filter->wanted(filter->wanted_arg, client));
}

static bool
matches(const struct page_filter *filter, struct client_row *row)
{
	return (filter->glob.len == 0 ||
		   glob_matches(filter->glob, row->report->client)) &&
	       is_near(filter, row->report, &row->distance_m) &&
	       (filter->where == NULL ||
		   filter_matches(filter->where, client_row_get, row));
}

static size_t
cost_of(const struct page_filter *filter, size_t text_bytes)
{
	size_t cost = text_bytes + filter->glob.len * text_bytes;

	return filter->where == NULL
		   ? cost
		   : cost + filter_cost(filter->where, text_bytes);
}

static bool
on_record(void *arg, const struct report *report, uint32_t from)
{
	struct page *page = arg;
	const struct page_filter *filter = &page->filter;
	struct client_row row = {
		.scene = filter->scene,
		.report = report,
		.from = client_row_giver(filter->scene->node, report, from),
		.near = filter->near,
	};

	page->cost += cost_of(filter, report_texts_len(report));
	if (!matches(filter, &row))
		return page->cost < SLICE_COST;
	if (report->kind == REPORT_REMOVAL && !filter->removals) {
		page->removals++;
		return true;
	}
	page->total++;
	if (filter->limit > 0)
		keep_in_order(page, &row);
	return !page->failed && !page->full && page->cost < SLICE_COST;
}

/* --- the walk --------------------------------------------------------- */

enum herd_error
page_walk(struct page *page, struct table *table, unsigned slices, bool *more)
{
	for (unsigned i = 0; i < slices && !page->done && !page->full; i++) {
		page->cost = 0;
		(void)table_walk_some(table, &page->at, PAGE_SLICE_SLOTS,
		    is_candidate, on_record, page);
		if (page->failed || page->at.skipped)
			return HERD_ENOMEM;
		page->done = page->at.shard >= TABLE_SHARDS;
	}
	*more = !page->done && !page->full;
	if (!*more && !page->sorted) {
		page->sorted = true;
		if (!is_by_table(page))
			heap_sort(page);
	}
	return HERD_OK;
}

unsigned
page_count(const struct page *page)
{
	return page->count;
}

const struct page_row *
page_row(const struct page *page, unsigned index)
{
	assert(index < page->count);
	return page->rows[index];
}

struct client_row
page_client(const struct page *page, unsigned index)
{
	const struct page_row *row = page_row(page, index);

	return (struct client_row){
		.scene = page->filter.scene,
		.report = &row->report,
		.from = row->from,
		.near = page->filter.near,
		.distance_m = row->distance_m,
	};
}

uint64_t
page_total(const struct page *page)
{
	return page->total;
}

uint64_t
page_removals(const struct page *page)
{
	return page->removals;
}

enum herd_error
page_next_cursor(const struct page *page, struct buf *out)
{
	struct page_key key;

	if (is_by_table(page)) {
		if (page->done)
			return HERD_ENOTFOUND;
		key = (struct page_key){
			.number = (uint64_t)page->at.shard << 32 | page->at.slot
		};
	} else {
		if (page->bound == NULL || page->count == 0)
			return HERD_ENOTFOUND;
		key = page->rows[page->count - 1]->key;
	}
	return page_cursor_format(out, &page->filter.order, &key);
}

void
page_add_next(struct json *json, const struct page *page)
{
	struct buf cursor;

	buf_init(&cursor, PAGE_CURSOR_TEXT_MAX);
	row_text(json, "next", &cursor, page_next_cursor(page, &cursor));
}

/* --- life ------------------------------------------------------------- */

static enum herd_error
set_after(struct page *page, struct span after)
{
	enum herd_error error;

	if (after.len == 0)
		return HERD_OK;
	error = page_cursor_parse(
	    after, &page->filter.order, &page->cursor, &page->after);
	if (error != HERD_OK)
		return error;
	page->has_after = true;
	if (is_by_table(page)) {
		page->at.shard = (uint32_t)(page->after.number >> 32);
		page->at.slot = (uint32_t)page->after.number;
		page->done = page->at.shard >= TABLE_SHARDS;
	}
	return HERD_OK;
}

enum herd_error
page_new(const struct page_filter *filter, struct span after, struct page **out)
{
	struct page *page = calloc(1, sizeof(*page));
	enum herd_error error;

	if (page == NULL)
		return HERD_ENOMEM;
	page->filter = *filter;
	page->glob_prefix = glob_prefix(filter->glob);
	buf_init(&page->cursor, PAGE_CURSOR_MAX);
	/* One more, because a row joins the heap before another leaves it. */
	page->room = filter->limit;
	page->rows = calloc(filter->limit + 1u, sizeof(*page->rows));
	error = page->rows == NULL ? HERD_ENOMEM : set_after(page, after);
	if (error != HERD_OK) {
		page_free(page);
		return error;
	}
	*out = page;
	return HERD_OK;
}

static void
drop_rows(struct page *page)
{
	for (unsigned i = 0; i < page->count; i++)
		free(page->rows[i]);
	page->count = 0;
	page->bytes = 0;
}

bool
page_again(struct page *page, unsigned limit)
{
	assert(is_by_table(page) && limit <= page->room);
	drop_rows(page);
	page->filter.limit = limit;
	page->full = false;
	return !page->done;
}

void
page_free(struct page *page)
{
	if (page == NULL)
		return;
	drop_rows(page);
	free(page->rows);
	free(page->bound);
	buf_release(&page->cursor);
	free(page);
}
