/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The limits of connections over HTTP where strangers may come: the admin API
 * over TCP, and phones. A connection that has shown who it is, is trusted and
 * stays. Of the others there are only so many for each address (an IPv6 /64)
 * and in all, each request must be whole in time, and what has come of
 * requests is bounded for all together. At a limit the stranger that has been
 * connected longest is closed for the new connection, and the one that has sent
 * most for more bytes, so that silent or endless senders keep nobody out. Some
 * places are for addresses that have been trusted lately. One thread only.
 */
#ifndef HERD_HTTP_LIMITS_H
#define HERD_HTTP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "herd/error.h"

#define HTTP_CONNECTIONS_KNOWN_MAX 64u /* addresses that are remembered */
#define HTTP_KNOWN_S 3600              /* for so long after they were trusted */
#define HTTP_REQUEST_S 5  /* for a request, from its first byte on */
#define HTTP_SLOWEST_S 60 /* in all, for a body that keeps coming */

struct bufferevent;
struct event_base;
struct evhttp_connection;
struct http_connection;
struct http_limits;
struct ssl_st;

struct http_limits_config {
	const char *event; /* of the log, when a limit is reached */
	const char *error;
	unsigned max;
	unsigned reserved;   /* of them, for addresses that are known */
	unsigned of_address; /* of one address without trust */
	size_t bytes_max;    /* of all requests that are not answered yet */
	unsigned trusted_of_address; /* with trust; 0: any number */
	/* Read ahead of one connection: more than its longest request. */
	size_t bytes_of_connection;
	/* A request that comes as fast gets more time. 0: none does. */
	size_t bytes_per_s;
};

struct http_limits_counts {
	unsigned now;
	uint64_t refused;   /* closed at a limit */
	uint64_t timed_out; /* closed: no whole request in time */
};

HERD_MUST_CHECK enum herd_error http_limits_open(struct event_base *base,
    struct log *log, const struct http_limits_config *config,
    struct http_limits **out);
/* Call it after the connections are closed. NULL is fine. */
void http_limits_close(struct http_limits *limits);

/*
 * Called when a connection is accepted: gives the bufferevent that evhttp
 * uses for it. With `has_tls` it speaks by `ssl`, which it takes; a connection
 * that lacks one for want of memory is closed before it is read. NULL when out
 * of memory; evhttp then makes its own.
 */
struct bufferevent *http_limits_accept(
    struct http_limits *limits, bool has_tls, struct ssl_st *ssl);

/* Closes a stranger because a descriptor is needed. False: there is none. */
bool http_limits_make_room(struct http_limits *limits);

/*
 * A request has come whole: its connection (borrowed until
 * http_limits_gone()), which is not closed before http_limits_end(). NULL:
 * the connection has no limits.
 */
struct http_connection *http_limits_begin(
    struct http_limits *limits, struct evhttp_connection *http);
/* The answer has left; the next request may come. */
void http_limits_end(struct http_connection *conn);
/* The connection has shown who it is. */
void http_limits_trust(struct http_connection *conn);
/* The connection is gone. */
void http_limits_gone(struct http_connection *conn);

/* The other end, as the connection was accepted. */
const struct sockaddr_storage *http_limits_peer(
    const struct http_connection *conn);

struct http_limits_counts http_limits_count(const struct http_limits *limits);

#endif
