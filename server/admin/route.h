/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The endpoints of the admin API. Each is a handler and one row of
 * route_rows.def: dispatch, Allow headers, the index at /v1 and herdd(8) come
 * from it.
 */
#ifndef HERD_ADMIN_ROUTE_H
#define HERD_ADMIN_ROUTE_H

#include <stddef.h>

#include "admin/query.h"

#define ROUTE_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(DELETE)

enum route_method {
#define HERD_ROUTE_METHOD(word) ROUTE_##word,
	ROUTE_METHODS(HERD_ROUTE_METHOD)
#undef HERD_ROUTE_METHOD
};

enum route_access {
	ROUTE_WRITE, /* changes something; is logged */
	ROUTE_READ,
	ROUTE_OPEN, /* without a token: says nothing of the herd */
};

struct http_call;

struct route {
	enum route_method method;
	const char *path; /* a segment "*" matches any */
	enum route_access access;
	const char *verb;   /* ROUTE_WRITE: its word in the log, else "" */
	const char *params; /* with spaces between them */
	void (*serve)(struct http_call *call);
	const char *help;
};

/* The handlers. */
#define OPEN(method, path, serve, help) void serve(struct http_call *call);
#define READ(method, path, serve, ...) OPEN(method, path, serve, )
#define WRITE(method, path, serve, ...) OPEN(method, path, serve, )
#include "admin/route_rows.def"
#undef OPEN
#undef READ
#undef WRITE

/* All rows, in their order. */
const struct route *route_all(size_t *count);

const char *route_method_word(enum route_method method);

/* The route of that method; *path_known: another method has one. */
const struct route *route_find(
    const struct query *query, enum route_method method, bool *path_known);

#define ROUTE_ALLOW_MAX 64u
/* "GET, DELETE": what the path of `query` allows. */
void route_allow(const struct query *query, char out[ROUTE_ALLOW_MAX]);

#endif
