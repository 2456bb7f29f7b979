/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table from inside, for tests: what must hold between its parts. */
#ifndef HERD_TABLE_CHECK_H
#define HERD_TABLE_CHECK_H

#include "core/table.h"

/*
 * Looks at indices, free lists, counts, FIFOs (each slot once, exactly those
 * whose bit is set) and heaps. NULL, or what is wrong.
 */
const char *table_check(struct table *table);

/* Sets other limits; no other thread may use the table meanwhile. */
void table_set_limits(
    struct table *table, uint64_t max_clients, uint64_t expire_after_ns);

#endif
