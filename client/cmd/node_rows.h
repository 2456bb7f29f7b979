/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes as `node ls' and `node show' show them.
 */
#ifndef HERD_NODE_ROWS_H
#define HERD_NODE_ROWS_H

#include "run/fields.h"

extern const struct view node_rows_view;
extern const struct view node_rows_record;

/* Asks the run's targets and shows a row for each; `counts' as fields_run()'s.
 */
enum status node_rows_run(struct run *run, const char *counts);

#endif
