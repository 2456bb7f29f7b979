/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A batch of reports as PostgreSQL's arrays, one for each column, in binary:
 * each client once, with its newest report, in the order of keys. Two nodes
 * that wrote the same clients in different orders would lock each other out.
 *
 * `ord` is the order of reports as bytes: memcmp() of two is report_compare().
 */
#ifndef HERD_POSTGRES_ROWS_H
#define HERD_POSTGRES_ROWS_H

#include "store/postgres_conn.h"

#define POSTGRES_COLUMNS 8
/* All arrays together; a larger batch is written in parts. */
#define POSTGRES_ROWS_BYTES_MAX (32u << 20)
#define POSTGRES_NO_DAY INT32_MIN

struct postgres_row {
	uint8_t key[ENGINE_KEY_LEN];
	const struct report *report;
	int32_t day; /* of its receipt since 2000-01-01, or POSTGRES_NO_DAY */
};

struct postgres_rows {
	struct postgres_row *rows;
	unsigned room;
	unsigned count;
	struct buf arrays;
};

HERD_MUST_CHECK enum herd_error postgres_rows_init(
    struct postgres_rows *rows, unsigned room);
void postgres_rows_release(struct postgres_rows *rows);

/* Takes in reports, `room` at most; borrows their texts. */
void postgres_rows_set(
    struct postgres_rows *rows, const struct report *reports, unsigned count);

/*
 * `count` rows from `first` on as the values of `call`, with their days as the
 * ninth. Borrows `rows`. HERD_ELIMIT: they are too large together.
 */
HERD_MUST_CHECK enum herd_error postgres_rows_values(struct postgres_rows *rows,
    unsigned first, unsigned count, struct postgres_call *call);

/* The columns of a row that is read. */
#define POSTGRES_ROW_SELECT "SELECT client, kind, origin, location, skew, time"
enum postgres_row_column {
	POSTGRES_ROW_CLIENT,
	POSTGRES_ROW_KIND,
	POSTGRES_ROW_ORIGIN,
	POSTGRES_ROW_LOCATION,
	POSTGRES_ROW_SKEW,
	POSTGRES_ROW_TIME,
	POSTGRES_ROW_COLUMNS /* where columns that a statement adds begin */
};

/*
 * The first row of `result` as a report that borrows it. `line` is scratch.
 * NULL, or why it is refused.
 */
HERD_MUST_CHECK const char *postgres_rows_read(
    struct buf *line, const PGresult *result, struct report *out);

/* Appends the report's `ord`. */
HERD_MUST_CHECK enum herd_error postgres_rows_add_ord(
    struct buf *out, const struct report *report);

/* Days between 1970-01-01 and 2000-01-01, where PostgreSQL's begin. */
#define POSTGRES_EPOCH_DAYS 10957
int32_t postgres_rows_day(uint64_t ns);

/* Numbers as PostgreSQL sends them: 8 bytes, the highest first. */
void postgres_rows_write_u64(char out[8], uint64_t value);
uint64_t postgres_rows_read_u64(struct span value);

#endif
