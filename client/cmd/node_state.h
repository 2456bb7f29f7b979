/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that change a node's state: drain, undrain, stop.
 */
#ifndef HERD_NODE_STATE_H
#define HERD_NODE_STATE_H

#include "run/run.h"

extern const struct view node_state_view;

/* Posts to `path` on the command's node; the state it then has is the row. */
enum status node_state_change(struct run *run, const char *path);

#endif
