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

/* Did somebody disable this link, a row of a node's answer? */
bool peer_rows_is_disabled(const struct cJSON *link);

/* Hints at `peer enable' for a link of that node. */
void peer_rows_hint_enable(
    struct run *run, const struct target *target, const struct cJSON *link);

/* Hints at `peer ls' if the status says that there is no such link. */
void peer_rows_hint(struct run *run, enum status status);

#endif
