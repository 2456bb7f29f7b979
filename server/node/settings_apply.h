/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Applies settings to the running node: its limits, the timings of its links,
 * its log. Each row of herd/settings_rows.def with ON_RELOAD names one function
 * of settings_apply.c. Main thread only.
 */
#ifndef HERD_NODE_SETTINGS_APPLY_H
#define HERD_NODE_SETTINGS_APPLY_H

#include "node/node.h"

/* Applies all settings of node->file that need no restart. */
void settings_apply(struct node *node);

#endif
