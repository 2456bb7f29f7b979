/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes out of the store's files what was deleted or replaced: from the log,
 * which is copied into the file and cut to nothing, from free pages, and from
 * the rest of each page. Some pages a slice; each slice begins with the log,
 * so that no later copy of it brings back what an earlier slice took out.
 *
 * Free bytes are overwritten in the file itself, beside SQLite and while
 * nobody reads: it never looks at them, so that a crash in the middle harms
 * nothing.
 */
#ifndef HERD_SQLITE_ERASE_H
#define HERD_SQLITE_ERASE_H

#include "store/engine_sqlite.h"

/* It gives up when other programs read for so long. */
#define SQLITE_ERASE_WAIT_NS (20u * HERD_NS_PER_S)

enum herd_error sqlite_erase_slice(
    struct engine *engine, struct engine_task *task);
void sqlite_erase_drop(struct engine_task *task);

#endif
