/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where clients have been: table herd_history, with a partition for each day
 * of receipt, so that old days are dropped whole. A node appends what its own
 * clients told it, in the statement that writes the rows.
 */
#ifndef HERD_POSTGRES_HISTORY_H
#define HERD_POSTGRES_HISTORY_H

#include "herd/time.h"
#include "store/postgres_rows.h"

#define POSTGRES_DAYS_KNOWN 8u

struct postgres_history {
	int32_t days[POSTGRES_DAYS_KNOWN]; /* that have a partition */
	unsigned count;
};

/* Nothing is known of partitions any more. */
void postgres_history_forget_days(struct postgres_history *history);

/*
 * Sets the day of those rows that belong into the history, and makes the
 * partitions that they need. Days before the history's span, and days to come,
 * are left out: a client of which the clock is wrong makes no partitions.
 */
HERD_MUST_CHECK enum herd_error postgres_history_mark(
    struct postgres_history *history, struct postgres_conn *conn,
    struct postgres_rows *rows, struct wall now);

/*
 * Drops the days before the history's span, as `now` has it; a day that is
 * read right now is left for the next time.
 */
HERD_MUST_CHECK enum herd_error postgres_history_expire(
    struct postgres_conn *conn, struct wall now);

HERD_MUST_CHECK enum herd_error postgres_history_track(
    struct postgres_conn *conn, struct span client, uint64_t since_ns,
    unsigned max, engine_on_track *on_track, void *arg);

#endif
