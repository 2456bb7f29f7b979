/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP requests without waiting: libcurl's multi_socket interface on libevent.
 * One thread owns a fetcher and all its fetches; each ends with one on_done,
 * unless it is aborted. HTTPS is checked (peer and name), redirects are not
 * followed, the environment's proxies are not used, a response is bounded in
 * bytes and time.
 */
#ifndef HERD_PLACES_FETCH_H
#define HERD_PLACES_FETCH_H

#include <stdbool.h>

#include "places/upstream.h"

/* Connections kept open for the next request, and for how long. */
#define FETCH_CONNECTIONS_MAX 16
#define FETCH_CONNECTION_LIFE_S 600
/* A response slower than this for so long is given up. */
#define FETCH_SLOW_BYTES_PER_S 64
#define FETCH_SLOW_S 5

struct event_base;
struct fetcher;
struct fetch;

struct fetch_options {
	const char *user_agent;
	const char *ca_file;    /* "" = the system's certificates */
	const char *connect_to; /* "" = where the URL says; else "host:port" */
	uint64_t connect_timeout_ms;
};

enum fetch_outcome {
	FETCH_ANSWERED, /* an HTTP response, whole */
	FETCH_NAME,     /* the host's name is not known */
	FETCH_CONNECT,
	FETCH_TLS,
	FETCH_TIMEOUT,
	FETCH_TOO_LARGE,
	FETCH_BROKEN, /* not HTTP, cut off, reset */
	FETCH_MEMORY,
};

struct fetch_result {
	enum fetch_outcome outcome;
	unsigned http_status; /* FETCH_ANSWERED */
	struct span body;     /* valid during on_done */
	const char *text;     /* otherwise: what happened; valid likewise */
	bool silent;          /* not one byte of a response came */
	/* Since the start; -1 = it was not reached. */
	double dns_ms;
	double connect_ms;
	double tls_ms;
	double first_byte_ms;
	double total_ms;
};

typedef void fetch_on_done(void *arg, const struct fetch_result *result);

/*
 * Gives *out; runs in `base`, which is borrowed. curl_global_init() was
 * called. Copies the options. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error fetcher_open(struct event_base *base,
    const struct fetch_options *options, struct fetcher **out);

/* Aborts what is under way. Not from on_done. */
void fetcher_close(struct fetcher *fetcher);

enum fetch_way {
	FETCH_SHARES, /* uses an open connection, if there is one */
	FETCH_FRESH,  /* looks the name up and connects, to measure that */
};

/*
 * Starts a fetch that ends within timeout_ms; gives *out, which is valid until
 * on_done. That comes from the loop, never from here. Copies the request and
 * terminates its texts with NUL. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error fetch_start(struct fetcher *fetcher,
    struct upstream_request *request, enum fetch_way way, uint64_t timeout_ms,
    fetch_on_done *on_done, void *arg, struct fetch **out);

/* Aborts it: no on_done will come. Not from on_done. */
void fetch_free(struct fetch *fetch);

#endif
