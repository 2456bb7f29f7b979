/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection to a node's client listener: requests in order, answers in
 * order, any number under way. Driven by the event loop; the owner hears of
 * what happens by callbacks. No callback comes from within session_free().
 */
#ifndef HERD_CONNECTION_H
#define HERD_CONNECTION_H

#include "herd/address.h"
#include "net/reply.h"
#include "base/exit_status.h"

struct event_base;
struct session;

enum session_state {
	SESSION_CLOSED,
	SESSION_RESOLVING,
	SESSION_CONNECTING,
	SESSION_OPEN,
};

struct session_events {
	void (*on_open)(void *arg); /* may be NULL */
	/* `reply` with its last LF; `kind` is what the request asked for. */
	void (*on_reply)(void *arg, struct span reply, enum reply_kind kind);
	/*
	 * The connection is gone, or could not be made: STATUS_CONNECT, or
	 * STATUS_REPLY for rubbish and an end in the middle of an answer.
	 */
	void (*on_closed)(void *arg, enum status why, const char *message);
};

/* Gives a closed session. Borrows `events` and `arg`. */
struct session *session_new(
    struct event_base *base, const struct session_events *events, void *arg);
void session_free(struct session *session);

/* Starts connecting; on_open or on_closed follows, maybe before return. */
void session_open(struct session *session, const struct address *address);

/* Closes without a callback; what is under way is forgotten. */
void session_close(struct session *session);

enum session_state session_state(const struct session *session);

/*
 * Sends one request line (without LF), at once or when the connection is
 * there. Not on a closed session.
 */
void session_send(struct session *session, struct span request);

/* Appends a request without writing yet; session_push() writes. */
void session_queue(struct session *session, struct span request);
void session_push(struct session *session);

/* Answers that are still to come. */
size_t session_pending(const struct session *session);

#endif
