/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `--where EXPR': which rows of an answer are wanted.
 *     state != synced and (rtt > 10ms or owed >= 1000) and not peer ~ 'J*'
 * Comparisons are COLUMN OP VALUE with = == != < <= > >= ~ !~ (~ is a glob);
 * a column alone asks whether it has a value other than 0, no and "".
 * Values take the column's units (10ms, 3d, 1.5km, 64K, 2%), `null' is
 * unknown. and or not, or && || !, and parentheses combine.
 */
#ifndef HERD_FILTER_H
#define HERD_FILTER_H

#include "out/values.h"

#define WHERE_DEPTH_MAX 100u
#define WHERE_NODES_MAX 1000u

struct filter;

/*
 * Gives *out, to be freed with filter_free(). HERD_ESYNTAX: `message' says
 * what is wrong, with did-you-mean for columns. The expression keeps no
 * pointer to `text', but one to `view'.
 */
HERD_MUST_CHECK enum herd_error filter_parse(const char *text,
    const struct view *view, struct filter **out, struct buf *message);
void filter_free(struct filter *where);

/* `row' has a value for each column of the view. */
bool filter_matches(const struct filter *where, const struct value *row);

/*
 * A value as people type it, in the unit that the column's values have.
 * HERD_ESYNTAX.
 */
HERD_MUST_CHECK enum herd_error filter_value(
    enum value_type type, struct span text, double *out);

#endif
