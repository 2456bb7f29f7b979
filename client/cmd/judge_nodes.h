/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with each node by itself: silence, state, store, bounds.
 */
#ifndef HERD_JUDGE_NODES_H
#define HERD_JUDGE_NODES_H

#include "cmd/findings.h"

/* Adds what is wrong. */
void judge_nodes(struct findings *findings);

#endif
