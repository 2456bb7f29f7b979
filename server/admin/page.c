/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/page.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "admin/cursor.h"
#include "admin/rows.h"

struct page {
	struct page_filter filter;
	struct buf prefix; /* own copy */
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
	unsigned count;
	size_t bytes;
	uint64_t total;
	uint64_t removals;
};

/* --- rows ------------------------------------------------------------- */

static struct page_key
row_key(const struct page_row *row)
{
	return (struct page_key){ row->number, row->report.origin,
		row->report.client };
}

static struct page_row *
row_copy(const struct report *report, uint32_t from)
{
	size_t bytes = report_texts_len(report);
	struct page_row *row = malloc(sizeof(*row) + bytes);

	if (row == NULL)
		return NULL;
	row->report = *report;
	report_take_texts(&row->report, row->text);
	row->from = from;
	row->bytes = bytes;
	return row;
}

/* --- heap ------------------------------------------------------------- */

static bool
row_is_before(
    const struct page *page, const struct page_row *a, const struct page_row *b)
{
	struct page_key x = row_key(a);
	struct page_key y = row_key(b);

	return page_key_compare(page->filter.order, &x, &y) < 0;
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
is_full(const struct page *page)
{
	return page->count >= page->filter.limit ||
	       (page->bytes >= PAGE_BYTES_MAX && page->count > 0);
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

static uint64_t
number_of(enum page_order order, const struct report *report, double distance_m)
{
	switch (order) {
	case PAGE_TIME: return report->time_ns;
	case PAGE_RECEIVED: return report_received_ns(report);
	case PAGE_DISTANCE: return (uint64_t)llround(distance_m * 1000);
	case PAGE_ID:
	case PAGE_NODE:
	case PAGE_TABLE: break;
	}
	return 0;
}

/* Returns whether the row is after the cursor and belongs to the page. */
static bool
is_in_range(struct page *page, const struct page_key *key)
{
	enum page_order order = page->filter.order;
	struct page_key bound;

	if (order == PAGE_TABLE)
		return true;
	if (page->has_after && page_key_compare(order, key, &page->after) <= 0)
		return false;
	if (page->bound == NULL)
		return true;
	bound = row_key(page->bound);
	return page_key_compare(order, key, &bound) < 0;
}

static void
keep(struct page *page, const struct report *report, uint32_t from,
    uint64_t number, double distance_m)
{
	struct page_row *row = row_copy(report, from);

	if (row == NULL) {
		page->failed = true;
		return;
	}
	row->number = number;
	row->distance_m = distance_m;
	if (page->filter.order == PAGE_TABLE) {
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

static bool
on_record(void *arg, const struct report *report, uint32_t from)
{
	struct page *page = arg;
	const struct page_filter *filter = &page->filter;
	struct span prefix = buf_span(&page->prefix);
	struct page_key key;
	double metres;

	if (prefix.len > report->client.len ||
	    memcmp(prefix.data, report->client.data, prefix.len) != 0)
		return true;
	if (filter->wanted != NULL &&
	    !filter->wanted(filter->wanted_arg, report->client))
		return true;
	if (report->kind == REPORT_REMOVAL && !filter->removals) {
		page->removals++;
		return true;
	}
	if (!is_near(filter, report, &metres))
		return true;
	page->total++;
	if (filter->limit == 0)
		return true;
	key = (struct page_key){ number_of(filter->order, report, metres),
		report->origin, report->client };
	if (is_in_range(page, &key))
		keep(page, report, from, key.number, metres);
	return !page->failed && !page->full;
}

/* --- the walk --------------------------------------------------------- */

enum herd_error
page_walk(struct page *page, struct table *table, unsigned slices, bool *more)
{
	for (unsigned i = 0; i < slices && !page->done && !page->full; i++) {
		(void)table_walk(
		    table, &page->at, PAGE_SLICE_SLOTS, on_record, page);
		if (page->failed || page->at.skipped)
			return HERD_ENOMEM;
		page->done = page->at.shard >= TABLE_SHARDS;
	}
	*more = !page->done && !page->full;
	if (!*more && !page->sorted) {
		page->sorted = true;
		if (page->filter.order != PAGE_TABLE)
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

	if (page->filter.order == PAGE_TABLE) {
		if (page->done)
			return HERD_ENOTFOUND;
		key = (struct page_key){
			.number = (uint64_t)page->at.shard << 32 | page->at.slot
		};
	} else {
		if (page->bound == NULL || page->count == 0)
			return HERD_ENOTFOUND;
		key = row_key(page->rows[page->count - 1]);
	}
	return page_cursor_format(out, page->filter.order, &key);
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
	enum page_order order = page->filter.order;
	enum herd_error error;

	if (after.len == 0)
		return HERD_OK;
	error = page_cursor_parse(after, order, &page->cursor, &page->after);
	if (error != HERD_OK)
		return error;
	page->has_after = true;
	if (order == PAGE_TABLE) {
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
	enum herd_error error = HERD_ENOMEM;

	if (page == NULL)
		return HERD_ENOMEM;
	page->filter = *filter;
	buf_init(&page->prefix, REPORT_CLIENT_MAX + 1u);
	buf_init(&page->cursor, PAGE_CURSOR_MAX);
	/* One more, because a row joins the heap before another leaves it. */
	page->rows = calloc(filter->limit + 1u, sizeof(*page->rows));
	if (page->rows != NULL)
		error = buf_add_span(&page->prefix, filter->prefix);
	if (error == HERD_OK)
		error = set_after(page, after);
	if (error != HERD_OK) {
		page_free(page);
		return error;
	}
	*out = page;
	return HERD_OK;
}

void
page_free(struct page *page)
{
	if (page == NULL)
		return;
	for (unsigned i = 0; page->rows != NULL && i < page->count; i++)
		free(page->rows[i]);
	free(page->rows);
	free(page->bound);
	buf_release(&page->prefix);
	buf_release(&page->cursor);
	free(page);
}
