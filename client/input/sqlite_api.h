/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite, loaded when a store's file is looked at or a file of places is made,
 * because no other command needs it.
 */
#ifndef HERD_CLIENT_SQLITE_API_H
#define HERD_CLIENT_SQLITE_API_H

#include <sqlite3.h>

/* name here, symbol, result, arguments */
#define SQLITE_API_LIST(X)                                                     \
	X(open, sqlite3_open_v2, int,                                          \
	    (const char *, sqlite3 **, int, const char *))                     \
	X(close, sqlite3_close, int, (sqlite3 *))                              \
	X(errmsg, sqlite3_errmsg, const char *, (sqlite3 *))                   \
	X(busy_timeout, sqlite3_busy_timeout, int, (sqlite3 *, int))           \
	X(prepare, sqlite3_prepare_v2, int,                                    \
	    (sqlite3 *, const char *, int, sqlite3_stmt **, const char **))    \
	X(exec, sqlite3_exec, int,                                             \
	    (sqlite3 *, const char *, int (*)(void *, int, char **, char **),  \
		void *, char **))                                              \
	X(bind_int64, sqlite3_bind_int64, int,                                 \
	    (sqlite3_stmt *, int, sqlite3_int64))                              \
	X(bind_double, sqlite3_bind_double, int,                               \
	    (sqlite3_stmt *, int, double))                                     \
	X(bind_text, sqlite3_bind_text, int,                                   \
	    (sqlite3_stmt *, int, const char *, int, void (*)(void *)))        \
	X(bind_blob, sqlite3_bind_blob, int,                                   \
	    (sqlite3_stmt *, int, const void *, int, void (*)(void *)))        \
	X(reset, sqlite3_reset, int, (sqlite3_stmt *))                         \
	X(real, sqlite3_column_double, double, (sqlite3_stmt *, int))          \
	X(step, sqlite3_step, int, (sqlite3_stmt *))                           \
	X(finalize, sqlite3_finalize, int, (sqlite3_stmt *))                   \
	X(type, sqlite3_column_type, int, (sqlite3_stmt *, int))               \
	X(integer, sqlite3_column_int64, sqlite3_int64, (sqlite3_stmt *, int)) \
	X(blob, sqlite3_column_blob, const void *, (sqlite3_stmt *, int))      \
	X(bytes, sqlite3_column_bytes, int, (sqlite3_stmt *, int))

struct sqlite_api {
#define SQLITE_API_MEMBER(name, symbol, result, arguments) \
	result(*name) arguments;
	SQLITE_API_LIST(SQLITE_API_MEMBER)
#undef SQLITE_API_MEMBER
};

/* Loads SQLite. On failure -1 and a sentence in *error. */
int sqlite_api_load(struct sqlite_api *api, const char **error);

#endif
