/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the store what was put into it? Reads all rows in the order of their
 * keys, some a slice, and judges each by its seal. What is committed meanwhile
 * may be seen or not. A page that cannot be read fails the task.
 */
#ifndef HERD_SQLITE_CHECK_H
#define HERD_SQLITE_CHECK_H

#include "store/engine_sqlite.h"

enum herd_error sqlite_check_slice(
    struct engine *engine, struct engine_task *task);
void sqlite_check_drop(struct engine_task *task);

#endif
