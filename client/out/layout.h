/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How columns fit a width: first the ones that matter least are dropped, then
 * names are shortened, at last the rightmost is cut. Pure arithmetic.
 */
#ifndef HERD_CLIENT_LAYOUT_H
#define HERD_CLIENT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYOUT_GAP 2u      /* columns between two columns */
#define LAYOUT_SHORTEST 8u /* what a shortened name keeps */

struct layout_column {
	size_t natural; /* widest value or title */
	unsigned drop;  /* higher is dropped earlier, 0 = never */
	bool shrinks;
	size_t width; /* result; 0 = dropped */
};

/* Fills the widths so that all fit in `width` columns; 0 = no limit. */
void layout_fit(struct layout_column *columns, size_t count, size_t width);

#endif
