/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record of the table, copied out. */
#ifndef HERD_RECORD_H
#define HERD_RECORD_H

#include "herd/report.h"

#define RECORD_INLINE 256u

struct slot;
struct table;

/* Set up with record_init(). The report's texts are in the record itself. */
struct record {
	struct report report;
	uint32_t from;
	char *heap; /* for what is too long for `text` */
	size_t heap_size;
	char text[RECORD_INLINE];
};

void record_init(struct record *record);
void record_release(struct record *record);

/*
 * Copies the slot's record, under its shard's lock; for table.c. HERD_ENOMEM:
 * the record is as before.
 */
HERD_MUST_CHECK enum herd_error record_fill(
    struct record *record, const struct table *table, const struct slot *slot);

#endif
