/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Do nodes have the same table? Each look has one digest of each node: hashes
 * of the parts of its table. Reports that come all the time make the digests
 * of equal herds differ, so a part is judged over the looks: once equal is
 * equal, and only what differs while nothing changes is wrong.
 */
#ifndef HERD_EXAM_TABLES_H
#define HERD_EXAM_TABLES_H

#include "run/ask.h"

#define TABLE_FAN 64u /* hashes in an answer */

enum table_verdict {
	TABLE_UNASKED,  /* no digest of that node */
	TABLE_EQUAL,    /* as that of most others */
	TABLE_OTHER,    /* it differs, and keeps so */
	TABLE_CHANGING, /* too fast to be compared */
};

struct table_node;

struct exam_tables {
	struct table_node *nodes; /* one per target of the run */
	size_t count;
	size_t parts;
	size_t restless;
};

/* The digit in a digest's path for a hash of its answer. */
char exam_tables_digit(size_t hash);

/* Up to `restless` parts may change all the time in equal tables. */
void exam_tables_begin(
    struct exam_tables *tables, size_t count, size_t parts, size_t restless);
void exam_tables_release(struct exam_tables *tables);

/* Another look begins. */
void exam_tables_look(struct exam_tables *tables);

/*
 * The hashes of the parts from `first` on: those of `targets` that are in
 * `answers`. What is not there makes the look void for that target.
 */
void exam_tables_add(struct exam_tables *tables, size_t first,
    const struct target *const *targets, const struct answers *answers);

/* The parts from `first` on are those of all nodes that answer. */
void exam_tables_add_equal(struct exam_tables *tables, size_t first);

/* Do the answers differ in that hash? */
bool exam_tables_differ(const struct answers *answers, size_t hash);

/* What the looks so far say of the i-th target. */
enum table_verdict exam_tables_judge(
    const struct exam_tables *tables, size_t i);

/* Is one of the targets judged so? */
bool exam_tables_have(
    const struct exam_tables *tables, enum table_verdict verdict);

#endif
