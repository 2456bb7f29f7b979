/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/postgres_schema.h"

#include <stdio.h>

#include "herd/text.h"
#include "store/postgres_fault.h"
#include "store/postgres_rows.h"

#define LOOKS 3u

/* Only newer rows win, so that a row is updated in its page for long. */
#define REPORTS                                                               \
	"CREATE TABLE IF NOT EXISTS herd_reports (key bytea PRIMARY KEY,"     \
	" client bytea NOT NULL, ord bytea NOT NULL, kind smallint NOT NULL," \
	" origin bytea NOT NULL, location bytea NOT NULL,"                    \
	" skew bytea NOT NULL, time bytea NOT NULL) WITH (fillfactor = 70)"
#define HISTORY                                                               \
	"CREATE TABLE IF NOT EXISTS herd_history (key bytea NOT NULL,"        \
	" client bytea NOT NULL, ord bytea NOT NULL, kind smallint NOT NULL," \
	" origin bytea NOT NULL, location bytea NOT NULL,"                    \
	" skew bytea NOT NULL, time bytea NOT NULL, day date NOT NULL,"       \
	" PRIMARY KEY (key, ord, day)) PARTITION BY LIST (day)"
#define META                                                             \
	"CREATE TABLE IF NOT EXISTS herd_meta (id smallint PRIMARY KEY," \
	" version integer NOT NULL, herd text NOT NULL,"                 \
	" params text NOT NULL)"
#define META_ROW                                            \
	"INSERT INTO herd_meta (id, version, herd, params)" \
	" VALUES (1, $1::integer, $2::text, $3::text)"      \
	" ON CONFLICT DO NOTHING"

/*
 * One number of a location, without the zeros and digits that no degree needs:
 * a client may send thousands, and one client must not break every SELECT.
 */
#define NUMBER(sign, digits)                            \
	"round((substring(place, '" sign "') || '0' ||" \
	" substring(place, '" digits "'))::numeric, 9)::float8"
#define LAT NUMBER("^([+-])", "^[+-]0*([0-9]{0,3}[.]?[0-9]{0,12})")
#define LON \
	NUMBER("^.[0-9.]*([+-])", "^.[0-9.]*[+-]0*([0-9]{0,3}[.]?[0-9]{0,12})")

/* Valid UTF-8 in hexadecimal digits. Source: RFC 3629, "Syntax". */
#define UTF8                                                          \
	"'^([0-7].|(c[2-9a-f]|d.)[89ab].|(e0[ab].|e[1-9abcef][89ab]." \
	"|ed[89].)[89ab].|(f0[9ab].|f[1-3][89ab].|f48.)"              \
	"([89ab].){2})*$'"

/* `place` and `seconds` come from the bytes of one row each. */
#define POSITIONS                                                 \
	"SELECT client, CASE WHEN getdatabaseencoding() = 'UTF8'" \
	" AND encode(client, 'hex') ~ " UTF8                      \
	" THEN convert_from(client, 'UTF8') END AS client_text,"  \
	" " LAT " AS lat, " LON " AS lon,"                        \
	" to_timestamp(floor(seconds)::float8)"                   \
	" + floor((seconds - floor(seconds)) * 1000000)::float8"  \
	" * interval '1 microsecond' AS time,"                    \
	" encode(origin, 'escape') AS origin"
#define FROM_REPORTS                                                         \
	" FROM (SELECT client, origin, encode(location, 'escape') AS place," \
	" encode(time, 'escape')::numeric AS seconds"                        \
	" FROM herd_reports WHERE kind = 0) AS r"
#define VIEW "CREATE OR REPLACE VIEW herd_positions AS " POSITIONS
#define GEOG                                                            \
	", ST_SetSRID(ST_MakePoint(" LON ", " LAT "), 4326)::geography" \
	" AS geog"

/* A view is wanted when there is none, or PostGIS came later. */
#define VIEW_IS_WANTED                                                    \
	"SELECT to_regclass('herd_positions') IS NULL,"                   \
	" EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis')," \
	" EXISTS (SELECT 1 FROM pg_attribute"                             \
	" WHERE attrelid = to_regclass('herd_positions')"                 \
	" AND attname = 'geog')"

static enum herd_error
run(struct postgres_conn *conn, const char *sql)
{
	const struct postgres_call call = { .sql = sql };

	return postgres_conn_run(conn, &call, NULL);
}

/* Weaker commits would be lost by a crash of the server. */
static enum herd_error
set_commit(struct postgres_conn *conn)
{
	return run(conn, "SELECT set_config('synchronous_commit', 'on', false)"
			 " WHERE current_setting('synchronous_commit')"
			 " NOT IN ('on', 'remote_apply')");
}

static enum herd_error
add_meta(struct postgres_conn *conn)
{
	char version[4] = { 0, 0, 0, POSTGRES_SCHEMA_VERSION };
	struct postgres_call call = {
		.sql = META_ROW,
		.count = 3,
		.values = { version, conn->config->herd, conn->config->params },
		.lengths = { sizeof(version), (int)strlen(conn->config->herd),
		    (int)strlen(conn->config->params) },
	};

	return postgres_conn_run(conn, &call, NULL);
}

/*
 * Other nodes do the same now. What went wrong is forgotten, unless looking
 * again finds nothing; only contact that is lost ends it.
 */
static enum herd_error
create(struct postgres_conn *conn)
{
	static const char *const steps[] = { REPORTS, META };
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < HERD_ARRAY_LEN(steps) && error == HERD_OK; i++)
		error = run(conn, steps[i]);
	if (error == HERD_OK)
		error = add_meta(conn);
	if (error == HERD_OK || postgres_fault_is_forbidden(conn->sqlstate))
		return error;
	return conn->pg == NULL ? error : HERD_OK;
}

static enum herd_error
refuse(struct postgres_conn *conn, const char *what, struct span found,
    const char *hint)
{
	char text[ENGINE_ERROR_MAX];

	conn->sqlstate[0] = '\0';
	snprintf(text, sizeof(text), "%s " SPAN_FMT, what,
	    (int)(found.len > 64 ? 64 : found.len), found.data);
	return postgres_conn_fail(conn, ENGINE_REFUSED, hint, text);
}

/* The row of herd_meta: version, herd, params. */
static enum herd_error
judge_meta(struct postgres_conn *conn, const PGresult *meta)
{
	char version[24];
	uint64_t number = postgres_rows_read_u64(postgres_conn_value(meta, 0));

	snprintf(version, sizeof(version), "%llu", (unsigned long long)number);
	if (number != POSTGRES_SCHEMA_VERSION)
		return refuse(conn, "the tables have format",
		    span_from(version),
		    number > POSTGRES_SCHEMA_VERSION
			? "a newer herdd made them: install it here"
			: "name another database or schema in store.url_file");
	if (!span_is(postgres_conn_value(meta, 1), conn->config->herd))
		return refuse(conn, "the tables are those of herd",
		    postgres_conn_value(meta, 1),
		    "name another database or schema in store.url_file");
	if (!span_is(postgres_conn_value(meta, 2), conn->config->params))
		return refuse(conn, "the tables are of a herd with parameters",
		    postgres_conn_value(meta, 2),
		    "give all nodes the same herd file, or name another "
		    "database");
	return HERD_OK;
}

/* HERD_ENOTFOUND: there are no tables, or they are being made. */
static enum herd_error
look(struct postgres_conn *conn)
{
	const struct postgres_call call = {
		.sql = "SELECT version, herd, params FROM herd_meta"
		       " WHERE id = 1",
	};
	PGresult *meta;
	enum herd_error error = postgres_conn_run(conn, &call, &meta);

	if (error != HERD_OK)
		return postgres_fault_is_missing(conn->sqlstate)
			   ? HERD_ENOTFOUND
			   : error;
	error = PQntuples(meta) == 0 ? HERD_ENOTFOUND : judge_meta(conn, meta);
	PQclear(meta);
	return error;
}

static bool
is_true(const PGresult *result, int column)
{
	return span_equal(
	    postgres_conn_value(result, column), span_of("\1", 1));
}

/*
 * For people who read with SQL. It is no part of what a node needs: a database
 * that refuses it goes on without, and the log says so.
 */
static enum herd_error
go_without_view(struct postgres_conn *conn, enum herd_error error)
{
	if (conn->pg == NULL)
		return error;
	snprintf(conn->lacks, sizeof(conn->lacks), "herd_positions: %.200s",
	    conn->engine->error);
	conn->engine->error[0] = '\0';
	conn->engine->fault = ENGINE_FINE;
	return HERD_OK;
}

static enum herd_error
make_view(struct postgres_conn *conn)
{
	const struct postgres_call call = { .sql = VIEW_IS_WANTED };
	PGresult *wanted;
	enum herd_error error = postgres_conn_run(conn, &call, &wanted);
	bool has_postgis;
	bool is_needed;

	conn->lacks[0] = '\0';
	if (error != HERD_OK)
		return go_without_view(conn, error);
	has_postgis = is_true(wanted, 1);
	is_needed = is_true(wanted, 0) || (has_postgis && !is_true(wanted, 2));
	PQclear(wanted);
	if (is_needed)
		error = run(conn,
		    has_postgis ? VIEW GEOG FROM_REPORTS : VIEW FROM_REPORTS);
	return error == HERD_OK ? HERD_OK : go_without_view(conn, error);
}

static enum herd_error
open_tables(struct postgres_conn *conn)
{
	enum herd_error error = look(conn);

	for (unsigned i = 0; i < LOOKS && error == HERD_ENOTFOUND; i++) {
		error = create(conn);
		if (error == HERD_OK)
			error = look(conn);
	}
	if (error == HERD_ENOTFOUND) {
		error = postgres_conn_fail(conn, ENGINE_AWAY,
		    "other nodes make them now", "the tables are not there");
	}
	return error;
}

enum herd_error
postgres_schema_open(struct postgres_conn *conn)
{
	enum herd_error error = set_commit(conn);

	if (error == HERD_OK)
		error = open_tables(conn);
	if (error == HERD_OK && conn->config->history_ns > 0 &&
	    run(conn, HISTORY) != HERD_OK)
		error = run(conn, "SELECT 1 FROM herd_history LIMIT 0");
	if (error == HERD_OK)
		error = make_view(conn);
	return error;
}
