/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Rows that one statement has, so that none is open between two slices. */
#define ORDER " ORDER BY client LIMIT 256"

struct check {
	sqlite3_stmt *rows;
	sqlite3_value *after; /* the last key seen; NULL: none yet */
};

void
sqlite_check_drop(struct engine_task *task)
{
	struct check *check = task->state;

	if (check == NULL)
		return;
	sqlite3_finalize(check->rows);
	sqlite3_value_free(check->after);
	free(check);
	task->state = NULL;
}

/* The first rows, or those after ?1. */
static enum herd_error
prepare(struct sqlite_engine *self, struct check *check, bool first)
{
	sqlite3_finalize(check->rows);
	check->rows = NULL;
	return engine_sqlite_prepare(self,
	    first
		? STORE_ROW_SELECT("seal", "reports") ORDER
		: STORE_ROW_SELECT("seal", "reports") " WHERE client>?1" ORDER,
	    &check->rows);
}

static enum herd_error
begin(struct sqlite_engine *self, struct engine_task *task)
{
	struct check *check = calloc(1, sizeof(*check));
	enum herd_error error;

	if (check == NULL)
		return HERD_ENOMEM;
	task->state = check;
	task->total = self->rows;
	error = prepare(self, check, true);
	return error == HERD_OK ? HERD_EAGAIN : error;
}

/* Text comes before bytes; herdd writes bytes alone. */
static bool
is_after(sqlite3_value *key, sqlite3_value *before)
{
	int len = sqlite3_value_bytes(key);
	int len_before = sqlite3_value_bytes(before);
	int shorter = len < len_before ? len : len_before;
	int order = 0;

	if (sqlite3_value_type(key) != sqlite3_value_type(before))
		return true;
	if (shorter > 0)
		order = memcmp(sqlite3_value_blob(key),
		    sqlite3_value_blob(before), (size_t)shorter);
	return order > 0 || (order == 0 && len > len_before);
}

/* A row out of order might be met again and again. */
static enum herd_error
look_at_row(struct sqlite_engine *self, struct engine_task *task)
{
	struct check *check = task->state;
	struct report report;
	const char *why = engine_sqlite_read(self, check->rows, true, &report);
	sqlite3_value *key = sqlite3_value_dup(
	    sqlite3_column_value(check->rows, STORE_ROW_CLIENT));
	bool ordered;

	if (key == NULL)
		return HERD_ENOMEM;
	ordered = check->after == NULL || is_after(key, check->after);
	sqlite3_value_free(check->after);
	check->after = key;
	task->rows++;
	task->done = task->rows;
	task->damaged += why != NULL || !ordered;
	task->removals += why == NULL && report.kind == REPORT_REMOVAL;
	if (ordered)
		return HERD_OK;
	snprintf(task->error, sizeof(task->error), "rows are out of order");
	task->hint = "restart the node: it leaves out what is damaged";
	return HERD_ESYSTEM;
}

/* HERD_OK: there are no more. */
static enum herd_error
look_at_some(struct sqlite_engine *self, struct engine_task *task)
{
	struct check *check = task->state;
	uint64_t before = task->rows;
	enum herd_error error = HERD_OK;
	int code = SQLITE_DONE;

	if (check->after != NULL &&
	    sqlite3_bind_value(check->rows, 1, check->after) != SQLITE_OK)
		error = engine_sqlite_fail(self, "bind");
	while (error == HERD_OK &&
	       (code = sqlite3_step(check->rows)) == SQLITE_ROW)
		error = look_at_row(self, task);
	if (error == HERD_OK && code != SQLITE_DONE)
		error = engine_sqlite_fail(self, "check");
	(void)sqlite3_reset(check->rows);
	if (error != HERD_OK || task->rows == before)
		return error;
	if (before == 0)
		error = prepare(self, check, false);
	return error == HERD_OK ? HERD_EAGAIN : error;
}

enum herd_error
sqlite_check_slice(struct engine *engine, struct engine_task *task)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;
	struct mono until = mono_add(clock_mono(), ENGINE_SLICE_NS);
	enum herd_error error;

	if (task->state == NULL)
		return engine_sqlite_blame(self, task, begin(self, task));
	do
		error = look_at_some(self, task);
	while (error == HERD_EAGAIN && clock_mono().ns < until.ns);
	return engine_sqlite_blame(self, task, error);
}
