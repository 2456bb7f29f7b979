/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong between nodes: tables, clocks, settings, and the herd's shape.
 */
#ifndef HERD_JUDGE_HERD_H
#define HERD_JUDGE_HERD_H

#include "cmd/findings.h"

/* Adds what is wrong. */
void judge_herd(struct findings *findings);

#endif
