/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine for servers that speak PostgreSQL's protocol: one row per client,
 * a removal's too, in table herd_reports, which all nodes of the herd write.
 *
 * A batch is one statement that commits by itself: only newer rows win, so it
 * can be sent again whatever became of it. Two nodes write the same clients in
 * the same order, that of keys. The server's count of rows is never believed,
 * because some engines report it wrong; nor is a commit with a warning.
 */
#include "store/engine_postgres.h"

#include <stdlib.h>

#include "base/clock.h"
#include "core/timekeeper.h"
#include "herd/store_row.h"
#include "store/postgres_check.h"
#include "store/postgres_schema.h"
#include "store/store_key.h"

/* Rows of a page; they come one by one, so they need no memory together. */
#define PAGE 10000
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Up to so many rows are counted, more are estimated. */
#define COUNTED "100000"

#define COLUMNS "key, client, ord, kind, origin, location, skew, time"
#define ARRAYS                                                          \
	"unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::smallint[]," \
	" $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[]"
#define UPSERT(source)                                                      \
	"INSERT INTO herd_reports AS r (" COLUMNS ") SELECT * FROM " source \
	" ON CONFLICT (key) DO UPDATE SET ord = EXCLUDED.ord,"              \
	" kind = EXCLUDED.kind, origin = EXCLUDED.origin,"                  \
	" location = EXCLUDED.location, skew = EXCLUDED.skew,"              \
	" time = EXCLUDED.time WHERE EXCLUDED.ord > r.ord"
#define APPEND                                                           \
	"WITH h AS (INSERT INTO herd_history (" COLUMNS ", day)"         \
	" SELECT * FROM " ARRAYS ", $9::date[]) AS u (" COLUMNS ", day)" \
	" WHERE day IS NOT NULL ON CONFLICT DO NOTHING) "

static const char PUT[] = "herd_put";
static const char PUT_SQL[] = UPSERT(ARRAYS ")");
static const char APPEND_SQL[] = APPEND UPSERT(ARRAYS ")");

static const char PAGE_FROM[] = "herd_page";
static const char PAGE_TO[] = "herd_page_to";
#define PAGE_SQL(more)                                       \
	POSTGRES_ROW_SELECT                                  \
	", key FROM herd_reports WHERE key > $1::bytea" more \
	" ORDER BY key LIMIT " TEXT_OF(PAGE)

/* Rows that another node writes now are left to the next time. */
static const char EXPIRE_SQL[] =
    "WITH old AS (SELECT key FROM herd_reports WHERE ord < $1::bytea"
    " LIMIT $2::bigint FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM"
    " herd_reports AS r USING old WHERE r.key = old.key RETURNING 1)"
    " SELECT count(*) FROM gone";

/* The server's clock may be a little behind. */
static const char AHEAD_SQL[] =
    "SELECT $1::bigint > extract(epoch FROM now()) + 60";

static const char COUNT_SQL[] =
    "SELECT n, (SELECT greatest(reltuples::bigint, n) FROM pg_class WHERE"
    " oid = 'herd_reports'::regclass) FROM (SELECT count(*) AS n FROM"
    " (SELECT 1 FROM herd_reports LIMIT " COUNTED " + 1) AS s) AS t";

/* --- life ----------------------------------------------------------------- */

static void
postgres_close(struct engine *engine)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;

	postgres_conn_close(&self->conn);
	postgres_rows_release(&self->rows);
	buf_release(&self->line);
	free(self);
}

/* The address is read again for each contact; here it is only judged. */
static enum herd_error
judge_address(const struct engine_config *config, struct buf *message)
{
	struct postgres_url url;
	enum herd_error error =
	    postgres_url_read(config->url_file, &url, message);

	postgres_url_release(&url);
	return error;
}

static enum herd_error
postgres_open(const struct engine_config *config, struct buf *message,
    struct engine **out)
{
	enum herd_error error = judge_address(config, message);
	struct postgres_engine *self;

	if (error != HERD_OK)
		return error;
	self = calloc(1, sizeof(*self));
	if (self == NULL)
		return HERD_ENOMEM;
	self->engine.ops = &engine_postgres;
	self->config = config;
	self->conn.engine = &self->engine;
	self->conn.config = config;
	buf_init(&self->line, STORE_ROW_LINE_MAX);
	/* A lack of memory must never look like a damaged row. */
	error = buf_reserve(&self->line, STORE_ROW_LINE_MAX);
	if (error == HERD_OK)
		error = postgres_rows_init(&self->rows, config->batch);
	if (error == HERD_OK)
		*out = &self->engine;
	else
		postgres_close(&self->engine);
	return error;
}

static enum herd_error
prepare(struct postgres_engine *self)
{
	const struct {
		const char *name;
		const char *sql;
	} statements[] = {
		{ PUT, self->config->history_ns > 0 ? APPEND_SQL : PUT_SQL },
		{ PAGE_FROM, PAGE_SQL("") },
		{ PAGE_TO, PAGE_SQL(" AND key <= $2::bytea") },
	};
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < HERD_ARRAY_LEN(statements) && error == HERD_OK;
	     i++)
		error = postgres_conn_prepare(
		    &self->conn, statements[i].name, statements[i].sql);
	return error;
}

static enum herd_error
postgres_connect(struct engine *engine)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	enum herd_error error = postgres_conn_open(&self->conn);

	postgres_history_forget_days(&self->history);
	if (error == HERD_OK)
		error = postgres_schema_open(&self->conn);
	if (error == HERD_OK)
		error = prepare(self);
	if (error != HERD_OK)
		postgres_conn_close(&self->conn);
	return error;
}

static enum herd_error
postgres_look(struct engine *engine)
{
	return postgres_conn_look(&((struct postgres_engine *)engine)->conn);
}

static void
postgres_describe(struct engine *engine, struct engine_about *out)
{
	const struct postgres_engine *self = (struct postgres_engine *)engine;

	*out = (struct engine_about){
		.schema = self->conn.pg == NULL ? 0 : POSTGRES_SCHEMA_VERSION,
		.is_replica = self->conn.is_replica,
	};
	memcpy(out->server, self->conn.server, sizeof(out->server));
	memcpy(out->address, self->conn.address, sizeof(out->address));
	memcpy(out->lacks, self->conn.lacks, sizeof(out->lacks));
}

/* --- reading -------------------------------------------------------------- */

struct row_page {
	struct postgres_engine *self;
	const struct engine_loader *loader;
	struct engine_cursor *cursor;
	unsigned rows;
};

/* A key of another length is no row of ours; the cursor moves on all the same.
 */
static enum herd_error
on_row(void *arg, PGresult *result)
{
	struct row_page *page = arg;
	struct span key = postgres_conn_value(result, POSTGRES_ROW_COLUMNS);
	struct report report;
	const char *why =
	    postgres_rows_read(&page->self->line, result, &report);

	page->rows++;
	page->cursor->begun = true;
	memset(page->cursor->key, 0, ENGINE_KEY_LEN);
	memcpy(page->cursor->key, key.data,
	    key.len < ENGINE_KEY_LEN ? key.len : ENGINE_KEY_LEN);
	if (why == NULL)
		return page->loader->on_report(page->loader->arg, &report);
	page->loader->on_damaged(page->loader->arg,
	    postgres_conn_value(result, POSTGRES_ROW_CLIENT), why);
	return HERD_OK;
}

static enum herd_error
postgres_load(struct engine *engine, const struct engine_loader *loader,
    struct engine_cursor *cursor)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	struct engine_cursor from = *cursor;
	struct row_page page = { self, loader, cursor, 0 };
	const struct postgres_call call = {
		.name = from.has_end ? PAGE_TO : PAGE_FROM,
		.count = from.has_end ? 2 : 1,
		.values = { (const char *)from.key, (const char *)from.end },
		.lengths = { from.begun ? ENGINE_KEY_LEN : 0, ENGINE_KEY_LEN },
	};
	enum herd_error error =
	    postgres_conn_rows(&self->conn, &call, on_row, &page);

	return error == HERD_OK && page.rows == PAGE ? HERD_EAGAIN : error;
}

static enum herd_error
postgres_count(struct engine *engine, uint64_t *rows, bool *is_estimate)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	const struct postgres_call call = { .sql = COUNT_SQL };
	PGresult *result;
	uint64_t counted;
	enum herd_error error = postgres_conn_run(&self->conn, &call, &result);

	if (error != HERD_OK)
		return error;
	counted = postgres_rows_read_u64(postgres_conn_value(result, 0));
	*rows = postgres_rows_read_u64(postgres_conn_value(result, 1));
	*is_estimate = *rows > counted;
	PQclear(result);
	return HERD_OK;
}

static enum herd_error
postgres_track(struct engine *engine, struct span client, uint64_t since_ns,
    unsigned max, engine_on_track *on_track, void *arg)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;

	if (self->config->history_ns == 0)
		return HERD_ENOTFOUND;
	return postgres_history_track(
	    &self->conn, client, since_ns, max, on_track, arg);
}

/* --- writing -------------------------------------------------------------- */

/*
 * A warning of class 01 is what a server says whose standby did not confirm:
 * the rows may be on one disk only.
 */
static enum herd_error
send_rows(struct postgres_engine *self, const struct postgres_call *call)
{
	enum herd_error error = postgres_conn_run(&self->conn, call, NULL);

	if (error != HERD_OK && strcmp(self->conn.sqlstate, "23514") == 0) {
		/* Another node has dropped the partition of an old day. */
		self->engine.fault = ENGINE_AWAY;
		postgres_conn_close(&self->conn);
	}
	if (error != HERD_OK || !self->conn.warned)
		return error;
	postgres_conn_close(&self->conn);
	return postgres_conn_fail(&self->conn, ENGINE_AWAY,
	    "look at its log, standbys and triggers",
	    "the server warned of the commit");
}

/* In halves, if all together are larger than a message may be. */
static enum herd_error
put_rows(struct postgres_engine *self, unsigned first, unsigned count)
{
	struct postgres_call call = {
		.name = PUT,
		.count = POSTGRES_COLUMNS + (self->config->history_ns > 0),
	};
	enum herd_error error =
	    postgres_rows_values(&self->rows, first, count, &call);

	if (error == HERD_OK)
		return send_rows(self, &call);
	if (error != HERD_ELIMIT || count < 2)
		return error;
	error = put_rows(self, first, count / 2);
	return error == HERD_OK
		   ? put_rows(self, first + count / 2, count - count / 2)
		   : error;
}

static enum herd_error
postgres_put_many(
    struct engine *engine, const struct report *reports, unsigned count)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	enum herd_error error = HERD_OK;

	if (count == 0)
		return HERD_OK;
	postgres_rows_set(&self->rows, reports, count);
	if (self->config->history_ns > 0)
		error = postgres_history_mark(&self->history, &self->conn,
		    &self->rows,
		    timekeeper_wall(self->config->timekeeper, clock_mono()));
	return error == HERD_OK ? put_rows(self, 0, self->rows.count) : error;
}

static enum herd_error
delete_client(struct postgres_engine *self, struct span client, const char *sql)
{
	uint8_t key[ENGINE_KEY_LEN];
	const struct postgres_call call = {
		.sql = sql,
		.count = 1,
		.values = { (const char *)key },
		.lengths = { sizeof(key) },
	};

	store_key(client, key);
	return postgres_conn_run(&self->conn, &call, NULL);
}

/*
 * A position alone: the removal that took its place must stay, or a node that
 * was away would bring the position back.
 */
static enum herd_error
postgres_forget(struct engine *engine, struct span client)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	enum herd_error error = delete_client(self, client,
	    "DELETE FROM herd_reports WHERE key = $1::bytea AND kind = 0");

	if (error == HERD_OK && self->config->history_ns > 0)
		error = delete_client(self, client,
		    "DELETE FROM herd_history WHERE key = $1::bytea");
	return error;
}

/*
 * What is deleted is gone for the whole herd, so that a node whose clock alone
 * says so deletes nothing: the server's has to agree.
 */
static enum herd_error
is_ahead_of_server(
    struct postgres_engine *self, struct wall now, bool *is_ahead)
{
	char seconds[8];
	const struct postgres_call call = {
		.sql = AHEAD_SQL,
		.count = 1,
		.values = { seconds },
		.lengths = { sizeof(seconds) },
	};
	PGresult *result;
	enum herd_error error;

	postgres_rows_write_u64(seconds, now.ns / HERD_NS_PER_S);
	error = postgres_conn_run(&self->conn, &call, &result);
	if (error != HERD_OK)
		return error;
	*is_ahead =
	    span_equal(postgres_conn_value(result, 0), span_of("\1", 1));
	PQclear(result);
	return HERD_OK;
}

static enum herd_error
postgres_expire(struct engine *engine, struct wall now, uint64_t cut_ns,
    unsigned max, uint64_t *deleted)
{
	struct postgres_engine *self = (struct postgres_engine *)engine;
	char cut[8];
	char limit[8];
	const struct postgres_call call = {
		.sql = EXPIRE_SQL,
		.count = 2,
		.values = { cut, limit },
		.lengths = { sizeof(cut), sizeof(limit) },
	};
	PGresult *result;
	bool is_ahead = false;
	enum herd_error error;

	*deleted = 0;
	error = is_ahead_of_server(self, now, &is_ahead);
	if (error != HERD_OK || is_ahead)
		return error;
	if (self->config->history_ns > 0)
		error = postgres_history_expire(&self->conn, now);
	if (error != HERD_OK || cut_ns == 0)
		return error;
	postgres_rows_write_u64(cut, cut_ns);
	postgres_rows_write_u64(limit, max);
	error = postgres_conn_run(&self->conn, &call, &result);
	if (error != HERD_OK)
		return error;
	*deleted = postgres_rows_read_u64(postgres_conn_value(result, 0));
	PQclear(result);
	return HERD_OK;
}

/* --- work ----------------------------------------------------------------- */

/*
 * forget() has deleted the rows. What is left of them in the server's files,
 * its log, standbys and backups goes as the database's own rules have it.
 */
static enum herd_error
erase_slice(struct engine *engine HERD_UNUSED, struct engine_task *task)
{
	task->total = 1;
	task->done = 1;
	return HERD_OK;
}

static void
erase_drop(struct engine_task *task HERD_UNUSED)
{
}

const struct engine_ops engine_postgres = {
	.is_shared = true,
	.open = postgres_open,
	.connect = postgres_connect,
	.load = postgres_load,
	.put_many = postgres_put_many,
	.count = postgres_count,
	.forget = postgres_forget,
	.expire = postgres_expire,
	.look = postgres_look,
	.describe = postgres_describe,
	.track = postgres_track,
	.close = postgres_close,
	.work = { [ENGINE_CHECK] = postgres_check_slice,
	    [ENGINE_ERASE] = erase_slice },
	.drop = { [ENGINE_CHECK] = postgres_check_drop,
	    [ENGINE_ERASE] = erase_drop },
};
