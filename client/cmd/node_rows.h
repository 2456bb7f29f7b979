/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes as `node ls' and `node show' show them.
 */
#ifndef HERD_NODE_ROWS_H
#define HERD_NODE_ROWS_H

#include "run/fields.h"

extern const struct view node_rows_view;
extern const struct view node_rows_record;

/* How far a node's clock is from this one; half the round trip is the error. */
fields_row_hook node_rows_set_clock;

#endif
