/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The orders in which clients are listed, and where in one of them a page
 * ends: a key of the last row, as an opaque text.
 */
#ifndef HERD_ADMIN_CURSOR_H
#define HERD_ADMIN_CURSOR_H

#include <stdint.h>

#include "herd/buf.h"

/* Bytes of a decoded cursor, and of its text. */
#define PAGE_CURSOR_MAX (65536u + 128u)
#define PAGE_CURSOR_TEXT_MAX (2u * PAGE_CURSOR_MAX)

/* Ties are broken by client id. */
#define PAGE_ORDERS(X)                                              \
	X(PAGE_ID, "id", 'i')             /* bytes, ascending */    \
	X(PAGE_TIME, "time", 't')         /* newest first */        \
	X(PAGE_NODE, "node", 'n')         /* origin, ascending */   \
	X(PAGE_RECEIVED, "received", 'r') /* last received first */ \
	X(PAGE_DISTANCE, "distance", 'd') /* nearest first */       \
	X(PAGE_TABLE, "table", 's')       /* as the table has them */

enum page_order {
#define HERD_PAGE_ORDER(id, word, letter) id,
	PAGE_ORDERS(HERD_PAGE_ORDER)
#undef HERD_PAGE_ORDER
};

/* "id, time, node ...", for hints. */
extern const char PAGE_ORDER_WORDS[];

/* HERD_ENOTFOUND: no such word. */
HERD_MUST_CHECK enum herd_error page_order_parse(
    struct span word, enum page_order *out);

/* Where a row is in its order. `node` and `client` borrow. */
struct page_key {
	uint64_t number; /* of time, received, distance (mm), table */
	struct span node;
	struct span client;
};

/* <0, 0, >0. */
int page_key_compare(
    enum page_order order, const struct page_key *a, const struct page_key *b);

/* Appends a text of unreserved characters (RFC 3986). */
HERD_MUST_CHECK enum herd_error page_cursor_format(
    struct buf *out, enum page_order order, const struct page_key *key);

/*
 * The key borrows `bytes`, which gets the decoded text. HERD_ESYNTAX: not a
 * cursor, or one of another order. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error page_cursor_parse(struct span text,
    enum page_order order, struct buf *bytes, struct page_key *key);

#endif
