/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small charts in a line of text: how a number went, and how much of a whole
 * it is. Blocks of a character, or ASCII.
 */
#ifndef HERD_CLIENT_SPARK_H
#define HERD_CLIENT_SPARK_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/buf.h"

/*
 * Appends one character for each value, the highest for the largest; 0 and less
 * is the lowest, a value that is not finite a blank.
 */
void spark_line(struct buf *out, const double *values, size_t count, bool utf8);

/*
 * Appends a bar of `part` (0 to 1) of `columns', in eighths of a character
 * with `utf8'; anything above 0 can be seen.
 */
void spark_bar(struct buf *out, double part, size_t columns, bool utf8);

#endif
