/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's state, as commands that change it show it: drain, undrain, stop.
 */
#ifndef HERD_NODE_STATE_H
#define HERD_NODE_STATE_H

#include "run/fields.h"

extern const struct view node_state_view;

#endif
