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

struct where;

/*
 * Gives *out, to be freed with where_free(). HERD_ESYNTAX: `message' says
 * what is wrong, with did-you-mean for columns. The expression keeps no
 * pointer to `text', but one to `view'.
 */
HERD_MUST_CHECK enum herd_error where_parse(const char *text,
    const struct view *view, struct where **out, struct buf *message);
void where_free(struct where *where);

/* `row' has a leaf for each column of the view. */
bool where_matches(const struct where *where, const struct leaf *row);

/*
 * A value as people type it, in the unit that the column's leaves have.
 * HERD_ESYNTAX.
 */
HERD_MUST_CHECK enum herd_error where_value(
    enum leaf_type type, struct span text, double *out);

#endif
