/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of a store's SQLite file, as herdd writes it and herdctl checks it:
 * one per client, a removal's too.
 *
 * Each row has a seal, a checksum over all its fields, because disks and memory
 * lose bits: a report with one bit wrong may be a valid report of another time
 * or place, and the herd would believe it. Format 1 had only the kind instead.
 */
#ifndef HERD_STORE_ROW_H
#define HERD_STORE_ROW_H

#include "herd/report.h"

#define STORE_ROW_FORMAT 2 /* PRAGMA user_version */

/* The longest line of a report: a client's line, origin, skew, words. */
#define STORE_ROW_LINE_MAX (1u << 17)

/* In the order of enum store_row_column; `seal` is "kind" in format 1. */
#define STORE_ROW_SELECT(seal, table) \
	"SELECT client," seal ",origin,location,time,skew FROM " table

/*
 * How many views and triggers a file has: herdd makes none, and in place of the
 * table a view may have rows without end.
 */
#define STORE_ROW_PROGRAMS                    \
	"SELECT count(*) FROM sqlite_schema " \
	"WHERE type IN ('view','trigger')"
#define STORE_ROW_HAS_PROGRAMS "it has a view or a trigger"

enum store_row_column {
	STORE_ROW_CLIENT,
	STORE_ROW_SEAL,
	STORE_ROW_ORIGIN,
	STORE_ROW_LOCATION,
	STORE_ROW_TIME,
	STORE_ROW_SKEW,
	STORE_ROW_COLUMNS
};

/*
 * The kind in the lowest bit and 63 bits of checksum above. `line` is scratch.
 * HERD_ENOMEM, HERD_ELIMIT.
 */
HERD_MUST_CHECK enum herd_error store_row_seal(
    struct buf *line, const struct report *report, int64_t *seal);

/*
 * A row is trusted no more than a peer: one that is no report, or not the one
 * that was put, is refused. `report` has the row's texts; this sets its kind
 * and time. `is_sealed`: false in format 1. `line` is scratch. NULL, or why.
 */
HERD_MUST_CHECK const char *store_row_judge(
    struct buf *line, int64_t seal, bool is_sealed, struct report *report);

#endif
