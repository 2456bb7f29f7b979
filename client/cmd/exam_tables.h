/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do nodes have the same table? Each round has one digest of each node: a list
 * of hashes, one for each part of the table. Reports that come all the time
 * make the digests of equal herds differ, so a part is judged over the rounds:
 * once equal is equal, and only what differs while nothing changes is wrong.
 */
#ifndef HERD_EXAM_TABLES_H
#define HERD_EXAM_TABLES_H

#include "run/ask.h"

enum table_verdict {
	TABLE_UNASKED,  /* no digest of that node */
	TABLE_EQUAL,    /* as that of most others */
	TABLE_OTHER,    /* it differs, and keeps so */
	TABLE_CHANGING, /* too fast to be compared */
};

struct table_parts;

struct exam_tables {
	struct table_parts *nodes; /* one per target of the run */
	size_t count;
};

/* Takes the digests of one round: those of `targets` that are in `answers`. */
void exam_tables_add(struct exam_tables *tables,
    const struct target *const *targets, size_t count,
    const struct answers *answers);

/* What the rounds so far say of the i-th target. */
enum table_verdict exam_tables_judge(
    const struct exam_tables *tables, size_t i);

void exam_tables_release(struct exam_tables *tables);

#endif
