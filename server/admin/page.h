/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One page of clients: of those that a filter wants, the first rows after a
 * cursor, in some order. The table is walked in slices and the best rows are
 * kept in a heap, so a page costs memory for its own rows only. A page ends at
 * a limit of rows and of bytes; the rest is on the next pages.
 *
 * Order "table" is for exports and keeps no heap: each page goes on where the
 * last one stopped, and all pages together visit the table once.
 */
#ifndef HERD_ADMIN_PAGE_H
#define HERD_ADMIN_PAGE_H

#include "admin/client_row.h"
#include "admin/cursor.h"
#include "core/table_walk.h"
#include "herd/filter.h"
#include "herd/json.h"
#include "herd/location.h"

#define PAGE_LIMIT_DEFAULT 100u
#define PAGE_LIMIT_MAX 1000u
/*
 * Of rows' texts; one row always fits. JSON may take six bytes for one, and
 * many slow readers may each have a page that they do not take.
 */
#define PAGE_BYTES_MAX (512u << 10)
#define PAGE_TABLE_BYTES_MAX (64u << 10) /* in the table's order */
#define PAGE_SLICE_SLOTS 2048u           /* per lock of a shard */

/* Borrows everything that it points to. */
struct page_filter {
	const struct client_scene *scene;
	struct page_order order;
	struct span prefix;         /* of the client id */
	struct span glob;           /* of the client id; empty: any */
	const struct filter *where; /* or NULL */
	bool near;
	struct location at;
	double within_m; /* 0: anywhere */
	unsigned limit;  /* 0: count only */
	bool removals;   /* they are rows too */
	/* Another condition, or NULL. Called under a shard's lock. */
	bool (*wanted)(void *arg, struct span client);
	void *wanted_arg;
};

/* A copy of a record; the texts of `key` are in `text`. */
struct page_row {
	struct report report;
	uint32_t from;
	struct page_key key;
	double distance_m;
	size_t bytes; /* of `text` */
	char text[];  /* what the report borrows */
};

struct page;

/*
 * Begins. Copies the filter; what it borrows must outlive the page. `after` is
 * a cursor that page_next_cursor() made for the same order, or empty.
 * HERD_ESYNTAX: it is none. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error page_new(
    const struct page_filter *filter, struct span after, struct page **out);

/*
 * Order "table": drops the rows and goes on after them, with at most `limit`
 * rows. False: the table is at its end.
 */
bool page_again(struct page *page, unsigned limit);
void page_free(struct page *page); /* NULL is fine */

/*
 * Walks up to `slices` slices. *more: there is more to walk. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error page_walk(
    struct page *page, struct table *table, unsigned slices, bool *more);

/* After the walk: the rows in order; borrowed. */
unsigned page_count(const struct page *page);
const struct page_row *page_row(const struct page *page, unsigned index);
struct client_row page_client(const struct page *page, unsigned index);

/* Clients that the filter wants, with limit 0. */
uint64_t page_total(const struct page *page);
uint64_t page_removals(const struct page *page);

/* Adds "next": the cursor of the next page, null if this was the last. */
void page_add_next(struct json *json, const struct page *page);

/* Appends the cursor of the next page. HERD_ENOTFOUND: this was the last. */
HERD_MUST_CHECK enum herd_error page_next_cursor(
    const struct page *page, struct buf *out);

#endif
