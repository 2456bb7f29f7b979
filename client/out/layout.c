/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/layout.h"

static size_t
total_of(const struct layout_column *columns, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (columns[i].width > 0)
			total +=
			    columns[i].width + (total > 0 ? LAYOUT_GAP : 0);
	}
	return total;
}

/* The rightmost of those that matter least, or `count`. */
static size_t
next_to_drop(const struct layout_column *columns, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		if (columns[i].width == 0 || columns[i].drop == 0)
			continue;
		if (found == count || columns[i].drop >= columns[found].drop)
			found = i;
	}
	return found;
}

static size_t
widest_to_shorten(const struct layout_column *columns, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		if (!columns[i].shrinks || columns[i].width <= LAYOUT_SHORTEST)
			continue;
		if (found == count || columns[i].width > columns[found].width)
			found = i;
	}
	return found;
}

/* Nothing else helps: cut from the right, the first column stays. */
static void
cut_right(struct layout_column *columns, size_t count, size_t width)
{
	for (size_t i = count; i-- > 0;) {
		size_t total = total_of(columns, count);
		size_t excess = total > width ? total - width : 0;

		if (excess == 0)
			return;
		if (columns[i].width == 0)
			continue;
		if (columns[i].width > excess + 1 ||
		    total == columns[i].width) {
			columns[i].width = columns[i].width > excess
					       ? columns[i].width - excess
					       : 1;
			return;
		}
		columns[i].width = 0;
	}
}

void
layout_fit(struct layout_column *columns, size_t count, size_t width)
{
	size_t i;

	for (i = 0; i < count; i++)
		columns[i].width = columns[i].natural;
	if (width == 0)
		return;
	while (total_of(columns, count) > width &&
	       (i = next_to_drop(columns, count)) < count)
		columns[i].width = 0;
	while (total_of(columns, count) > width &&
	       (i = widest_to_shorten(columns, count)) < count)
		columns[i].width--;
	cut_right(columns, count, width);
}
