/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders in which clients are listed, and where in one of them a page
 * ends: a key of the last row, as an opaque text.
 */
#ifndef HERD_ADMIN_CURSOR_H
#define HERD_ADMIN_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"
#include "herd/client_view.h"

/* Bytes of a decoded cursor, and of its text. */
#define PAGE_CURSOR_MAX (2u * 65536u + 128u)
#define PAGE_CURSOR_TEXT_MAX (2u * PAGE_CURSOR_MAX)

/* As the table has them: not sorted at all. */
#define PAGE_TABLE SIZE_MAX

/* Ties are broken by client id, ascending; unknown values come last. */
struct page_order {
	size_t column; /* of client_view, or PAGE_TABLE */
	bool descending;
};

/*
 * Reads COLUMN[:asc|:desc], or one of these words: id, time (newest first),
 * node (the origin), received (last first), distance (nearest first), table.
 * HERD_ENOTFOUND: none of them; PAGE_ORDER_WORDS says what there is.
 */
HERD_MUST_CHECK enum herd_error page_order_parse(
    struct span word, struct page_order *out);
extern const char PAGE_ORDER_WORDS[];

/* Where a row is in its order. `text` and `client` borrow. */
struct page_key {
	bool unknown;
	uint64_t number; /* of times, numbers, and the place in the table */
	struct span text;
	struct span client;
};

/* The key of a row's value in its column, without the client. */
struct page_key page_key_of(const struct value *value);

/* <0, 0, >0. */
int page_key_compare(const struct page_order *order, const struct page_key *a,
    const struct page_key *b);

/* Appends a text of unreserved characters (RFC 3986). */
HERD_MUST_CHECK enum herd_error page_cursor_format(struct buf *out,
    const struct page_order *order, const struct page_key *key);

/*
 * The key borrows `bytes`, which gets the decoded text. HERD_ESYNTAX: not a
 * cursor, or one of another order. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error page_cursor_parse(struct span text,
    const struct page_order *order, struct buf *bytes, struct page_key *key);

#endif
