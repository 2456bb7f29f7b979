/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/layout.h"

size_t
layout_total(const struct layout_column *columns, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++) {
		if (columns[i].width > 0)
			total +=
			    columns[i].width + (total > 0 ? LAYOUT_GAP : 0);
	}
	return total;
}

/* The columns that a column keeps when texts are shortened to `floor`. */
static size_t
shortened(const struct layout_column *c, size_t floor)
{
	size_t least = c->least > floor ? c->least : floor;

	return c->natural < least ? c->natural : least;
}

/*
 * Takes columns off the widest text until all fit or each has `floor`; of
 * texts that may be long only, or of any (`words`).
 */
static bool
shorten(struct layout_column *columns, size_t count, size_t width, size_t floor,
    bool words)
{
	while (layout_total(columns, count) > width) {
		size_t found = count;

		for (size_t i = 0; i < count; i++) {
			const struct layout_column *c = &columns[i];

			if ((!c->shrinks && !words) ||
			    c->width <= shortened(c, floor))
				continue;
			if (found == count || c->width > columns[found].width)
				found = i;
		}
		if (found == count)
			return false;
		columns[found].width--;
	}
	return true;
}

/* The rightmost of those that matter least, or `count`. */
static size_t
next_to_drop(const struct layout_column *columns, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		const struct layout_column *c = &columns[i];

		if (c->width == 0 || c->drop == 0 || c->asked)
			continue;
		if (found == count || c->drop >= columns[found].drop)
			found = i;
	}
	return found;
}

/* What is kept has its natural width again. */
static void
widen(struct layout_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (columns[i].width > 0)
			columns[i].width = columns[i].natural;
	}
}

/* Nothing else helps: from the right, but not the first; `long_ones` alone. */
static void
drop_right(
    struct layout_column *columns, size_t count, size_t width, bool long_ones)
{
	for (size_t i = count; i-- > 1;) {
		if (layout_total(columns, count) <= width)
			break;
		if (!columns[i].asked && (columns[i].shrinks || !long_ones))
			columns[i].width = 0;
	}
	widen(columns, count);
}

void
layout_fit(struct layout_column *columns, size_t count, size_t width)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t most =
		    columns[i].least > width ? columns[i].least : width;

		/* No column has more than the screen: the rest costs time. */
		if (width > 0 && columns[i].natural > most)
			columns[i].natural = most;
		columns[i].width = columns[i].natural;
	}
	if (width == 0)
		return;
	while (!shorten(columns, count, width, LAYOUT_SHORT, false) &&
	       (i = next_to_drop(columns, count)) < count) {
		columns[i].width = 0;
		widen(columns, count);
	}
	if (shorten(columns, count, width, LAYOUT_SHORTEST, false))
		return;
	/* A name or a state in full says more than a piece of an error. */
	drop_right(columns, count, width, true);
	if (shorten(columns, count, width, LAYOUT_SHORTEST, false) ||
	    shorten(columns, count, width, LAYOUT_LEAST, true))
		return;
	drop_right(columns, count, width, false);
	if (!shorten(columns, count, width, LAYOUT_SHORTEST, false) &&
	    !shorten(columns, count, width, LAYOUT_LEAST, true))
		(void)shorten(columns, count, width, 1, true);
}
