/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP request that is being answered. A handler answers at once with
 * http_call_json(), http_call_text() or http_call_fail(). Or it keeps the call
 * and answers later from the main loop; then http_call_keep() says what is
 * called if the client leaves. A stream is an answer that goes on.
 *
 * The errors of the API are one table: code, HTTP status.
 */
#ifndef HERD_HTTP_CALL_H
#define HERD_HTTP_CALL_H

#include <sys/queue.h>

#include <event2/util.h>

#include "admin/query.h"
#include "herd/json.h"
#include "node/node.h"

#define HTTP_CALL_WHO_MAX 320u
/* Bytes of a stream that may wait for a slow reader in user space. */
#define HTTP_CALL_UNSENT_MAX 65536u
#define HTTP_CALL_TURN_MS 10u

#define ADMIN_ERRORS(X)                                \
	X(ADMIN_BAD_REQUEST, 400, "bad-request")       \
	X(ADMIN_UNAUTHORIZED, 401, "unauthorized")     \
	X(ADMIN_FORBIDDEN, 403, "forbidden")           \
	X(ADMIN_NOT_FOUND, 404, "not-found")           \
	X(ADMIN_METHOD, 405, "method")                 \
	X(ADMIN_CONFLICT, 409, "conflict")             \
	X(ADMIN_INVALID_CONFIG, 422, "invalid-config") \
	X(ADMIN_INTERNAL, 500, "internal")             \
	X(ADMIN_UNAVAILABLE, 503, "unavailable")

enum admin_error {
#define HERD_ADMIN_ERROR(id, status, word) id,
	ADMIN_ERRORS(HERD_ADMIN_ERROR)
#undef HERD_ADMIN_ERROR
};

struct admin;
struct event;
struct evhttp_request;
struct route;

struct http_connection;

/* The client has left: drop the job; its call must not be used. */
typedef void http_call_on_gone(void *job);

struct http_call {
	struct admin *admin;
	struct node *node;
	struct evhttp_request *request;
	TAILQ_ENTRY(http_call) all;
	const struct route *route;
	struct query query;
	struct json json; /* the answer while it is written */
	int status;       /* and its HTTP status */
	struct buf body;
	char who[HTTP_CALL_WHO_MAX]; /* "uid=0 pid=1", "token 10.0.0.1:4711"; a
				      * certificate's name, not "token" */
	struct mono began;
	bool has_query;
	bool head;     /* HEAD: no body */
	bool answered; /* only bytes are left to be sent */
	bool stream;
	bool bounded; /* the stream has an end of its own: http_call_end() */
	bool is_file; /* bytes whose length was sent first:
			 http_call_send_file() */
	void *job;    /* of http_call_keep() */
	http_call_on_gone *on_gone;
	/* A stream's reader has taken what was queued. */
	void (*on_room)(struct http_call *call);
	struct event *turn; /* of http_call_walk(), with `every_ms` */
	TAILQ_ENTRY(http_call) turns;
	bool queued;                  /* in admin->turns */
	bool dropped;                 /* http_call_drop() */
	size_t unsent;                /* when http_call_stalled() looked */
	struct mono unsent_since;     /* it is so */
	struct http_connection *conn; /* NULL: a local one */
	bool (*step)(struct http_call *call);
	unsigned every_ms;
};

/*
 * Begins the answer's document, an object; a second call begins it again. Its
 * members are written next, then http_call_json() ends it.
 */
struct json *http_call_answer(struct http_call *call);

/* As http_call_answer(), of an error: "error" is written already. */
struct json *http_call_error(struct http_call *call, enum admin_error error,
    const char *hint, struct span message);

/* Answers with the document. */
void http_call_json(struct http_call *call);

/* Answers with text of that content type. */
void http_call_text(
    struct http_call *call, int status, const char *type, struct span text);

/* Answers with an error; `hint` says what to do, "" if there is nothing. */
void http_call_fail(struct http_call *call, enum admin_error error,
    const char *hint, const char *fmt, ...) HERD_PRINTF(4, 5);
void http_call_out_of_memory(struct http_call *call);

/* Adds a header to the answer. */
void http_call_header(
    struct http_call *call, const char *name, const char *value);

/* Begins an answer that goes on: JSON lines or text, in chunks. */
void http_call_stream(struct http_call *call, const char *type);

/*
 * As http_call_stream() for what has an end, http_call_end(). Until then a
 * failure is a last line with "error", as in an answer that failed. Steps of
 * http_call_walk() wait while the reader has not taken what they sent.
 */
void http_call_download(struct http_call *call, const char *type);
void http_call_end(struct http_call *call);

/*
 * As http_call_download() for exactly `bytes` bytes, of which there is at least
 * one. An answer that ends before is short for its reader: it closes the
 * connection.
 */
void http_call_send_file(
    struct http_call *call, const char *type, uint64_t bytes);

/* Bytes that wait for the reader, and those that may be sent without a wait. */
size_t http_call_unsent(const struct http_call *call);
size_t http_call_room(const struct http_call *call);
void http_call_send(struct http_call *call, struct span text);

/* The call is answered later. NULL, NULL: that is now, and the job is over. */
void http_call_keep(
    struct http_call *call, void *job, http_call_on_gone *on_gone);

/*
 * Calls `step` from the event loop until it returns false: for about
 * HTTP_CALL_TURN_MS at a time, in turn with other calls, of which one has its
 * turn between two looks at the sockets; or, with `every_ms` above 0, once in
 * so long.
 * When it returns false, it has answered, and the call must not be used any
 * more. Takes the job, which `job_free` frees then, or when the client leaves.
 */
typedef bool http_call_step(struct http_call *call);
void http_call_walk(struct http_call *call, void *job,
    http_call_on_gone *job_free, http_call_step *step, unsigned every_ms);

/* Logs a change that was made, and tells the event streams. */
void http_call_log(struct http_call *call, const char *target);

/* --- for admin.c ------------------------------------------------------ */

/*
 * Takes the request. Returns NULL when out of memory; it is answered then. The
 * caller sets `who`.
 */
struct http_call *http_call_new(
    struct admin *admin, struct evhttp_request *request);

/* Gives the first of admin->turns, `arg` being admin, its turn. */
void http_call_on_turn(evutil_socket_t fd, short what, void *arg);

/*
 * For how long the reader has taken nothing of what waits for it; 0: nothing
 * waits, or it was not looked at before.
 */
uint64_t http_call_stalled(struct http_call *call, struct mono now);

/* Closes its connection in the next turn of the loop. */
void http_call_drop(struct http_call *call);

/* Ends the handler's job, and answers 503 or ends the stream. */
void http_call_abort(struct http_call *call);

#endif
