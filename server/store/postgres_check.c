/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "herd/store_row.h"
#include "store/engine_postgres.h"
#include "store/store_key.h"

/* A slice: about ENGINE_SLICE_NS for a server on the same network. */
#define PAGE "500"

struct row_check {
	bool begun;
	uint8_t key[ENGINE_KEY_LEN]; /* of the last row */
	uint64_t page_rows;
	struct buf line;
	struct engine_task *task;
};

void
postgres_check_drop(struct engine_task *task)
{
	struct row_check *check = task->state;

	if (check == NULL)
		return;
	buf_release(&check->line);
	free(check);
	task->state = NULL;
}

static enum herd_error
begin(struct postgres_engine *self, struct engine_task *task)
{
	struct row_check *check = calloc(1, sizeof(*check));
	bool is_estimate = false;

	if (check == NULL)
		return HERD_ENOMEM;
	task->state = check;
	check->task = task;
	buf_init(&check->line, STORE_ROW_LINE_MAX);
	return engine_postgres.count(&self->engine, &task->total, &is_estimate);
}

/* Do key and order fit the report? */
static bool
fits(struct row_check *check, struct span key, struct span ord,
    const struct report *report)
{
	uint8_t wanted[ENGINE_KEY_LEN];

	store_key(report->client, wanted);
	buf_clear(&check->line);
	return span_equal(key, span_of((const char *)wanted, sizeof(wanted))) &&
	       postgres_rows_add_ord(&check->line, report) == HERD_OK &&
	       span_equal(ord, buf_span(&check->line));
}

static enum herd_error
on_row(void *arg, PGresult *result)
{
	struct row_check *check = arg;
	struct engine_task *task = check->task;
	struct span key = postgres_conn_value(result, POSTGRES_ROW_COLUMNS);
	struct span ord = postgres_conn_value(result, POSTGRES_ROW_COLUMNS + 1);
	struct report report;
	bool is_good =
	    postgres_rows_read(&check->line, result, &report) == NULL &&
	    fits(check, key, ord, &report);

	task->rows++;
	task->done = task->rows;
	task->damaged += !is_good;
	task->removals += is_good && report.kind == REPORT_REMOVAL;
	check->page_rows++;
	memset(check->key, 0, sizeof(check->key));
	memcpy(check->key, key.data,
	    key.len < sizeof(check->key) ? key.len : sizeof(check->key));
	check->begun = true;
	return HERD_OK;
}

static enum herd_error
look_at_page(struct postgres_engine *self, struct row_check *check)
{
	const struct postgres_call call = {
		.sql = POSTGRES_ROW_SELECT
		", key, ord FROM herd_reports WHERE key > $1::bytea"
		" ORDER BY key LIMIT " PAGE,
		.count = 1,
		.values = { (const char *)check->key },
		.lengths = { check->begun ? sizeof(check->key) : 0 },
	};
	enum herd_error error;

	check->page_rows = 0;
	error = postgres_conn_rows(&self->conn, &call, on_row, check);
	return error == HERD_OK && check->page_rows > 0 ? HERD_EAGAIN : error;
}

/* The engine's error is the task's: the next batch makes contact again. */
enum herd_error
postgres_check_slice(struct engine *engine, struct engine_task *task)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	enum herd_error error =
	    task->state == NULL ? begin(self, task) : HERD_OK;

	if (error == HERD_OK)
		error = look_at_page(self, task->state);
	if (error == HERD_OK || error == HERD_EAGAIN)
		return error;
	memcpy(task->error, engine->error, sizeof(task->error));
	task->hint = engine->hint;
	return error;
}
