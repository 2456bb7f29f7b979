/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How columns fit a width: first long texts are shortened, then the columns
 * that matter least are dropped. A number is never cut, so a table of numbers
 * that are all wanted may stay wider than the screen. Pure arithmetic.
 */
#ifndef HERD_CLIENT_LAYOUT_H
#define HERD_CLIENT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_GAP 2u      /* columns between two columns */
#define LAYOUT_SHORT 12u   /* what a text keeps before a column is dropped */
#define LAYOUT_SHORTEST 8u /* and when nothing is left to drop */
#define LAYOUT_LEAST 4u    /* what any text keeps, a word too */

struct layout_column {
	size_t natural; /* widest value or title */
	size_t least;   /* widest value that may not be cut, else 0 */
	unsigned drop;  /* higher is dropped earlier, 0 = at last */
	bool shrinks;   /* a text that may be long */
	bool asked;     /* somebody named it: never dropped */
	size_t width;   /* result; 0 = dropped */
};

/* Fills the widths so that all fit in `width` columns; 0 = no limit. */
void layout_fit(struct layout_column *columns, size_t count, size_t width);

/* Columns of a line with these widths, gaps included. */
size_t layout_total(const struct layout_column *columns, size_t count);

#endif
