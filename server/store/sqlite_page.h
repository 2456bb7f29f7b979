/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left over in a page of an SQLite file: bytes that belong to no row.
 * Secure deletion overwrites a row that goes, but not the copies that
 * SQLite leaves when it moves rows from one page to another. Bytes only, no
 * file. Source: https://www.sqlite.org/fileformat2.html, "B-tree Pages".
 */
#ifndef HERD_SQLITE_PAGE_H
#define HERD_SQLITE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herd/compiler.h"

#define SQLITE_PAGE_SIZE_MIN 512u
#define SQLITE_PAGE_HEAD 100u /* bytes of the file's header, in page 1 */

/*
 * Below this number of pages nothing but a page of a tree begins with the
 * byte of its type: in others it is the highest of a page's number.
 */
#define SQLITE_PAGE_COUNT_MAX (UINT32_C(2) << 24)

struct sqlite_page_head {
	uint32_t page_size;
	uint32_t usable;      /* of a page */
	uint32_t first_trunk; /* of the free pages; 0: none */
	uint32_t free_count;
};

/* Four bytes, the highest first. */
uint32_t sqlite_page_read_4(const uint8_t *at);

/* Overwrites bytes with zeros; returns how many were not zero. */
size_t sqlite_page_clear(uint8_t *page, size_t from, size_t to);

/* Reads the file's header. False: it is none. */
HERD_MUST_CHECK bool sqlite_page_read_head(
    const uint8_t head[SQLITE_PAGE_HEAD], struct sqlite_page_head *out);

/*
 * Overwrites with zeros what no row of a tree's page uses; `is_first`: page 1.
 * Returns how many bytes that were not zero; 0 also for a page that is no
 * tree's, or damaged: it is left as it is. Cut off at any byte the page stays
 * as good as before.
 */
size_t sqlite_page_clean(
    uint8_t *page, const struct sqlite_page_head *head, bool is_first);

#endif
