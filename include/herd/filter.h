/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `--where EXPR`: which rows of an answer are wanted.
 *     state != synced and (rtt > 10ms or owed >= 1000) and not peer ~ 'J*'
 * Comparisons are COLUMN OP VALUE with = == != < <= > >= ~ !~ (~ is a glob, see
 * herd/glob.h); a column alone asks whether it has a value other than 0, no and
 * "". Values take the column's units (10ms, 3d, 1.5km, 64K, 2%), times are
 * seconds since 1970 or ISO 8601, `null' is unknown. `lat' and `lon' are parts
 * of the view's place. and or not, or && || !, and parentheses combine.
 */
#ifndef HERD_FILTER_H
#define HERD_FILTER_H

#include "herd/view.h"

#define FILTER_DEPTH_MAX 100u
#define FILTER_NODES_MAX 1000u
/* Of all globs of an expression, each with FILTER_GLOB_COST more. */
#define FILTER_GLOBS_MAX 4096u
#define FILTER_GLOB_COST 32u

struct filter;

/*
 * Gives *out, to be freed with filter_free(). HERD_ESYNTAX, HERD_ELIMIT:
 * `message' says what is wrong, with did-you-mean for columns; HERD_ENOMEM. The
 * filter keeps no pointer to `text', but one to `view'.
 */
HERD_MUST_CHECK enum herd_error filter_parse(struct span text,
    const struct view *view, struct filter **out, struct buf *message);
void filter_free(struct filter *filter); /* NULL is fine */

/* Sets the value of a row's column, with its type; all else of it is zero. */
typedef void filter_get(void *row, size_t column, struct value *out);

/* Asks for the columns only that decide. */
bool filter_matches(const struct filter *filter, filter_get *get, void *row);

/* A filter_get for rows that are an array of values, one per column. */
void filter_get_value(void *row, size_t column, struct value *out);

/*
 * What a row costs at most, in steps of some nanoseconds, if its texts have so
 * many bytes.
 */
size_t filter_cost(const struct filter *filter, size_t text_bytes);

/* Does the expression name that column? */
bool filter_uses(const struct filter *filter, size_t column);

#endif
