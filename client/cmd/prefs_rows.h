/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tool's settings as rows, with where each comes from: of `set' and of
 * `config show --origin'.
 */
#ifndef HERD_PREFS_ROWS_H
#define HERD_PREFS_ROWS_H

#include "run/run.h"

extern const struct view prefs_rows_view;

/* The whole of such a command. */
enum status prefs_rows_run(struct run *run);

#endif
