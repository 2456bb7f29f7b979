/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's links as rows, for `peer ls' and the commands that change a link.
 */
#ifndef HERD_PEER_ROWS_H
#define HERD_PEER_ROWS_H

#include "run/fields.h"

extern const struct view peer_rows_view;

/* Sets what no answer has: the share of stale reports, the error in words. */
fields_row_hook peer_rows_derive;

/* Hints at `peer ls' if the status says that there is no such link. */
void peer_rows_hint(struct run *run, enum status status);

#endif
