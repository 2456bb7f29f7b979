/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes that judge by their neighbours' clocks because their own is wrong.
 */
#ifndef HERD_OVERRULED_H
#define HERD_OVERRULED_H

#include "run/ask.h"

/*
 * Appends those among answers to /v1/status ("Riley is 2.5 s ahead"); returns
 * how many they are.
 */
size_t overruled_list(const struct answers *answers, struct buf *list);

#endif
