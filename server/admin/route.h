/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The endpoints of the admin API. Each is one constant after its handler and
 * one name in ROUTES: dispatch, Allow headers, the index at /v1 and herdd(8)
 * come from it.
 */
#ifndef HERD_ADMIN_ROUTE_H
#define HERD_ADMIN_ROUTE_H

#include <stddef.h>

#include "admin/query.h"

#define ROUTE_METHODS(X)      \
	X(ROUTE_GET, "GET")   \
	X(ROUTE_HEAD, "HEAD") \
	X(ROUTE_POST, "POST") \
	X(ROUTE_PUT, "PUT")   \
	X(ROUTE_DELETE, "DELETE")

enum route_method {
#define HERD_ROUTE_METHOD(id, word) id,
	ROUTE_METHODS(HERD_ROUTE_METHOD)
#undef HERD_ROUTE_METHOD
};

/* The strictest first: it is what a route has that does not say. */
enum route_access {
	ROUTE_WRITE, /* changes something; is logged */
	ROUTE_READ,
	ROUTE_OPEN, /* without a token: says nothing of the herd */
};

/* route_NAME of each, in the order of the index and of the man page. */
#define ROUTES(X)         \
	X(index)          \
	X(status)         \
	X(node)           \
	X(peers)          \
	X(peer)           \
	X(peer_enable)    \
	X(peer_disable)   \
	X(peer_reconnect) \
	X(clients)        \
	X(client)         \
	X(client_forget)  \
	X(refused)        \
	X(digest)         \
	X(digest_part)    \
	X(config)         \
	X(config_reload)  \
	X(places)         \
	X(places_test)    \
	X(places_flush)   \
	X(events)         \
	X(log)            \
	X(log_level)      \
	X(log_level_set)  \
	X(drain)          \
	X(undrain)        \
	X(stop)           \
	X(metrics)        \
	X(metrics_head)   \
	X(healthz)        \
	X(healthz_head)   \
	X(readyz)         \
	X(readyz_head)

struct http_call;

struct route {
	enum route_method method;
	const char *path; /* a segment "*" matches any */
	enum route_access access;
	const char *verb;   /* ROUTE_WRITE: its word in the log */
	const char *params; /* with spaces between them; NULL: it takes none */
	void (*serve)(struct http_call *call);
	const char *help;
};

#define HERD_ROUTE_DECLARED(name) extern const struct route route_##name;
ROUTES(HERD_ROUTE_DECLARED)
#undef HERD_ROUTE_DECLARED

/* All of ROUTES, in its order; *count entries. */
const struct route *const *route_all(size_t *count);

const char *route_method_word(enum route_method method);

/* The route of that method; *path_known: another method has one. */
const struct route *route_find(
    const struct query *query, enum route_method method, bool *path_known);

#define ROUTE_ALLOW_MAX 64u
/* "GET, DELETE": what the path of `query` allows. */
void route_allow(const struct query *query, char out[ROUTE_ALLOW_MAX]);

#endif
