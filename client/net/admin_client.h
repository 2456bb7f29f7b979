/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests to nodes' admin API: HTTP over their Unix sockets or TCP with a
 * bearer token, any number at once on the event loop. Connections are kept
 * for the next request.
 */
#ifndef HERD_ADMIN_CLIENT_H
#define HERD_ADMIN_CLIENT_H

#include <stdbool.h>

#include "base/exit_status.h"
#include "base/loop.h"
#include "net/admin_ways.h"

/* An answer that is no stream is at most this. */
#define ADMIN_ANSWER_MAX ((size_t)64 << 20)

struct admin_client;
struct admin_call;

struct admin_request {
	struct admin_ways ways; /* borrows its texts */
	const char *method;     /* "GET" */
	const char *path;       /* "/v1/status", already percent-encoded */
	const char *body;       /* or NULL */
	const char *type;       /* its header; NULL: JSON's */
	uint64_t timeout_ns;    /* of all ways together; 0 = none */
};

struct admin_answer {
	enum status status;  /* OK; CONNECT, TIMEOUT, REFUSED, NEGATIVE ... */
	long http;           /* 0 without an answer */
	const char *message; /* a reason for people when not OK */
	const char *hint;    /* or NULL */
	struct span body;    /* as received */
	bool connected;      /* somebody accepted the connection */
};

struct admin_events {
	/* Part of a stream's body; NULL collects it for on_done. */
	void (*on_data)(void *arg, struct span data);
	/* The end; the answer is valid during the call, the call is freed. */
	void (*on_done)(void *arg, const struct admin_answer *answer);
};

/* STATUS_LOCAL: `message` says why libcurl cannot be used. */
enum status admin_client_new(
    struct loop *loop, struct admin_client **out, struct buf *message);
void admin_client_free(struct admin_client *admin);

/*
 * Starts a request; on_done follows from the loop, never before return.
 * Copies the request. Gives the call until on_done or admin_client_cancel().
 */
struct admin_call *admin_client_start(struct admin_client *admin,
    const struct admin_request *request, const struct admin_events *events,
    void *arg);

/* No callback will come. */
void admin_client_cancel(struct admin_call *call);

#endif
