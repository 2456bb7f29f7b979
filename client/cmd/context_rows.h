/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Contexts as rows: of `context ls' and `context show'.
 */
#ifndef HERD_CONTEXT_ROWS_H
#define HERD_CONTEXT_ROWS_H

#include "run/run.h"

extern const struct view context_rows_view;
extern const struct view context_rows_record;

/* Adds the row of a context. Says what is wrong with its file. */
enum status context_rows_add(struct run *run, const char *name);

/* STATUS_NEGATIVE when there is no context of that name: says so. */
enum status context_rows_find(struct run *run, const char *name);

#endif
