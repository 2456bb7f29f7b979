/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_history.h"

#include <stdio.h>
#include <time.h>

#include "herd/store_row.h"
#include "herd/text.h"
#include "store/postgres_fault.h"
#include "store/store_key.h"

#define DAY_S 86400
#define PREFIX "herd_history_"
#define NAME_LEN (sizeof(PREFIX "20261129") - 1)
/* How long DROP may hold up others while it waits for a reader. */
#define LOCK_TIMEOUT "SET lock_timeout = '200ms'"

void
postgres_history_forget_days(struct postgres_history *history)
{
	history->count = 0;
}

/* --- partitions ------------------------------------------------------------
 */

static bool
knows(const struct postgres_history *history, int32_t day)
{
	for (unsigned i = 0; i < history->count; i++) {
		if (history->days[i] == day)
			return true;
	}
	return false;
}

static void
note(struct postgres_history *history, int32_t day)
{
	if (history->count == POSTGRES_DAYS_KNOWN)
		history->count = 0;
	history->days[history->count++] = day;
}

static void
split_day(int32_t day, struct tm *out)
{
	time_t seconds = ((time_t)day + POSTGRES_EPOCH_DAYS) * DAY_S;

	(void)gmtime_r(&seconds, out);
}

static enum herd_error
run(struct postgres_conn *conn, const char *sql)
{
	const struct postgres_call call = { .sql = sql };

	return postgres_conn_run(conn, &call, NULL);
}

/* What another node has done already is an error that is none. */
static enum herd_error
run_once(struct postgres_conn *conn, const char *sql)
{
	enum herd_error error = run(conn, sql);

	if (error == HERD_OK || conn->pg == NULL ||
	    postgres_fault_is_forbidden(conn->sqlstate))
		return error;
	return HERD_OK;
}

/*
 * A partition that is attached waits for no reader of the history, as one that
 * is created in its place would.
 */
static enum herd_error
make_day(struct postgres_conn *conn, int32_t day)
{
	struct tm at;
	char sql[200];
	enum herd_error error;

	split_day(day, &at);
	(void)strftime(sql, sizeof(sql),
	    "CREATE TABLE IF NOT EXISTS " PREFIX
	    "%Y%m%d (LIKE herd_history INCLUDING ALL)",
	    &at);
	error = run_once(conn, sql);
	(void)strftime(sql, sizeof(sql),
	    "ALTER TABLE herd_history ATTACH PARTITION " PREFIX
	    "%Y%m%d FOR VALUES IN ('%Y-%m-%d')",
	    &at);
	return error == HERD_OK ? run_once(conn, sql) : error;
}

/* The first and the last day that the history has. */
static int32_t
first_day(const struct postgres_conn *conn, struct wall now)
{
	uint64_t span = conn->config->history_ns;

	return postgres_rows_day(now.ns > span ? now.ns - span : 0);
}

static int32_t
day_of(const struct postgres_conn *conn, const struct report *report,
    struct wall now)
{
	int32_t day = postgres_rows_day(report_received_ns(report));

	if (!span_is(report->origin, conn->config->node) ||
	    day < first_day(conn, now) || day > postgres_rows_day(now.ns) + 1)
		return POSTGRES_NO_DAY;
	return day;
}

enum herd_error
postgres_history_mark(struct postgres_history *history,
    struct postgres_conn *conn, struct postgres_rows *rows, struct wall now)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < rows->count && error == HERD_OK; i++) {
		struct postgres_row *row = &rows->rows[i];

		row->day = day_of(conn, row->report, now);
		if (row->day == POSTGRES_NO_DAY || knows(history, row->day))
			continue;
		error = make_day(conn, row->day);
		if (error == HERD_OK)
			note(history, row->day);
	}
	return error;
}

/* --- expiry --------------------------------------------------------------- */

/* Names that this herdd makes, of days before `first`. */
static bool
is_old(struct span name, const struct tm *first)
{
	char limit[NAME_LEN + 1];

	if (strftime(limit, sizeof(limit), PREFIX "%Y%m%d", first) != NAME_LEN)
		return false;
	if (name.len != NAME_LEN || !span_begins(name, span_from(PREFIX)))
		return false;
	for (size_t i = sizeof(PREFIX) - 1; i < name.len; i++) {
		if (!text_is_digit(name.data[i]))
			return false;
	}
	return memcmp(name.data, limit, NAME_LEN) < 0;
}

static enum herd_error
drop_day(struct postgres_conn *conn, struct span name)
{
	char sql[100];
	enum herd_error error;

	snprintf(
	    sql, sizeof(sql), "DROP TABLE IF EXISTS " SPAN_FMT, SPAN_ARG(name));
	error = run(conn, sql);
	return conn->pg == NULL ? error : HERD_OK;
}

enum herd_error
postgres_history_expire(struct postgres_conn *conn, struct wall now)
{
	const struct postgres_call call = {
		.sql =
		    "SELECT relname::text FROM pg_class WHERE relname LIKE '" PREFIX
		    "%' AND pg_table_is_visible(oid) ORDER BY 1",
	};
	struct tm first;
	PGresult *names;
	enum herd_error error = run(conn, LOCK_TIMEOUT);

	split_day(first_day(conn, now), &first);
	if (error == HERD_OK)
		error = postgres_conn_run(conn, &call, &names);
	if (error != HERD_OK)
		return error;
	for (int i = 0; i < PQntuples(names) && error == HERD_OK; i++) {
		struct span name = span_of(
		    PQgetvalue(names, i, 0), (size_t)PQgetlength(names, i, 0));

		if (is_old(name, &first))
			error = drop_day(conn, name);
	}
	PQclear(names);
	return error == HERD_OK ? run(conn, "RESET lock_timeout") : error;
}

/* --- one client ------------------------------------------------------------
 */

struct track {
	engine_on_track *on_track;
	void *arg;
	bool is_enough;
	struct buf line;
};

static enum herd_error
on_row(void *arg, PGresult *result)
{
	struct track *track = arg;
	struct report report;

	if (!track->is_enough &&
	    postgres_rows_read(&track->line, result, &report) == NULL)
		track->is_enough = !track->on_track(track->arg, &report);
	return HERD_OK;
}

enum herd_error
postgres_history_track(struct postgres_conn *conn, struct span client,
    uint64_t since_ns, unsigned max, engine_on_track *on_track, void *arg)
{
	struct track track = { .on_track = on_track, .arg = arg };
	uint8_t key[ENGINE_KEY_LEN];
	char since[8];
	char limit[8];
	const struct postgres_call call = {
		.sql = POSTGRES_ROW_SELECT
		" FROM herd_history WHERE key = $1::bytea AND ord >= "
		"$2::bytea ORDER BY ord LIMIT $3::bigint",
		.count = 3,
		.values = { (const char *)key, since, limit },
		.lengths = { sizeof(key), sizeof(since), sizeof(limit) },
	};
	enum herd_error error;

	store_key(client, key);
	postgres_rows_write_u64(since, since_ns);
	postgres_rows_write_u64(limit, max);
	buf_init(&track.line, STORE_ROW_LINE_MAX);
	error = postgres_conn_rows(conn, &call, on_row, &track);
	buf_release(&track.line);
	return error;
}
