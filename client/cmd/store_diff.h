/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd diff --store: each node compares its table with the store that nodes
 * share.
 */
#ifndef HERD_STORE_DIFF_H
#define HERD_STORE_DIFF_H

#include "run/run.h"

/* STATUS_NEGATIVE: something differs. */
enum status store_diff(struct run *run);

#endif
