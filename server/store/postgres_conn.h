/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection to a PostgreSQL server, through libpq without blocking: every
 * wait ends at a deadline or when the node stops. A call that is late closes
 * the connection. It is never cancelled instead, because a commit that waits
 * for a standby and is cancelled answers as if it were done.
 */
#ifndef HERD_POSTGRES_CONN_H
#define HERD_POSTGRES_CONN_H

#include "store/postgres_url.h"

#include "store/engine.h"

#define POSTGRES_VALUES_MAX 9

struct postgres_conn {
	struct engine *engine; /* gets error, hint and fault */
	const struct engine_config *config;
	PGconn *pg; /* NULL: no contact */
	struct mono until;
	unsigned host;    /* which one to try first */
	bool warned;      /* the last call brought a warning */
	char sqlstate[8]; /* of the last failure; "": the server gave none */
	char server[64];
	char address[POSTGRES_SHOWN_MAX];
	bool is_replica;
	char lacks[ENGINE_ERROR_MAX]; /* of engine_about */
};

/* A statement with its values, all of them and all results in binary. */
struct postgres_call {
	const char *name; /* of a prepared one; NULL: `sql` */
	const char *sql;
	int count;
	const char *values[POSTGRES_VALUES_MAX]; /* NULL: NULL */
	int lengths[POSTGRES_VALUES_MAX];
};

/*
 * Reads the address again, because an operator may have changed it, and tries
 * its hosts in turn, each for its part of the time. Closes what was open.
 */
HERD_MUST_CHECK enum herd_error postgres_conn_open(struct postgres_conn *conn);

/* Without contact: nothing. */
void postgres_conn_close(struct postgres_conn *conn);

/* Has the server closed it? Does not wait. */
HERD_MUST_CHECK enum herd_error postgres_conn_look(struct postgres_conn *conn);

/* Gives *out (NULL: not wanted): PQclear() it. */
HERD_MUST_CHECK enum herd_error postgres_conn_run(struct postgres_conn *conn,
    const struct postgres_call *call, PGresult **out);

HERD_MUST_CHECK enum herd_error postgres_conn_prepare(
    struct postgres_conn *conn, const char *name, const char *sql);

/* Receives a row, the first of `result`. An error ends the call. */
typedef enum herd_error postgres_on_row(void *arg, PGresult *result);

/* As postgres_conn_run(), row by row: the rows need no memory together. */
HERD_MUST_CHECK enum herd_error postgres_conn_rows(struct postgres_conn *conn,
    const struct postgres_call *call, postgres_on_row *on_row, void *arg);

/* Sets the engine's error. Returns HERD_ESYSTEM. */
enum herd_error postgres_conn_fail(struct postgres_conn *conn,
    enum engine_fault fault, const char *hint, const char *what);

/* A column of the first row; empty where it is not there or NULL. */
struct span postgres_conn_value(const PGresult *result, int column);

#endif
