/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Columns of a terminal that a text takes, and texts cut to columns. Texts
 * are UTF-8 as put_clean() leaves them: no control characters.
 */
#ifndef HERD_CLIENT_WIDTH_H
#define HERD_CLIENT_WIDTH_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

/* Does the terminal read UTF-8 (by LC_CTYPE)? */
bool width_is_utf8(void);

/* Columns of `text`; a byte that is not UTF-8 takes one. */
size_t width_of(struct span text);

/*
 * Appends `text` cut to at most `columns` columns, the last one a mark that
 * something is missing (an ellipsis, or `~' when not `utf8`).
 */
void width_cut(struct buf *out, struct span text, size_t columns, bool utf8);

/*
 * As width_cut(), but what is missing is missing in the middle: the beginning
 * and the end of an id, a path, an error tell it from others.
 */
void width_shorten(
    struct buf *out, struct span text, size_t columns, bool utf8);

/*
 * Takes the next line of `text` that fits: broken at a space where there is
 * one. Width 0: at line feeds only.
 */
struct span width_take_line(struct span *text, size_t width);

#endif
