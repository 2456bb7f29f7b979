/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A copy of the running store by SQLite's backup API, some pages a slice. What
 * is committed between two slices goes into the copy as well, so that it is the
 * store of the moment in which it is done. It is made beside the store in
 * PATH-backup, whose name goes when it is done, and is a file of its own: no
 * log belongs to it.
 */
#ifndef HERD_SQLITE_BACKUP_H
#define HERD_SQLITE_BACKUP_H

#include "store/engine_sqlite.h"

/* Stays free beside the copy: a full disk would end the store itself. */
#define SQLITE_BACKUP_RESERVE (16u << 20)

enum herd_error sqlite_backup_slice(
    struct engine *engine, struct engine_task *task);
void sqlite_backup_drop(struct engine_task *task);

/* Removes what a process that was killed left of a copy. */
void sqlite_backup_remove(const struct sqlite_engine *self);

#endif
