/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole of a command that shows what one path of the admin API gives.
 */
#ifndef HERD_CLIENT_SHOW_ROWS_H
#define HERD_CLIENT_SHOW_ROWS_H

#include "run/run.h"

/*
 * Asks the run's targets for `path`; each element of the answers' list `list`
 * is a row, or each answer when it is NULL.
 */
enum status show_rows(struct run *run, const struct view *view,
    const char *path, const char *list);

#endif
