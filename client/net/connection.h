/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection to a node's client listener: requests in order, answers in
 * order, any number under way. Driven by the event loop; the owner hears of
 * what happens by callbacks. No callback comes from within connection_free().
 */
#ifndef HERD_CONNECTION_H
#define HERD_CONNECTION_H

#include "base/exit_status.h"
#include "herd/address.h"
#include "net/reply.h"

struct event_base;
struct connection;
struct tls;

enum connection_state {
	SESSION_CLOSED,
	SESSION_RESOLVING,
	SESSION_CONNECTING,
	SESSION_SECURING, /* the TLS handshake */
	SESSION_OPEN,
};

struct connection_events {
	void (*on_open)(void *arg); /* may be NULL */
	/* `reply` with its last LF; `kind` is what the request asked for. */
	void (*on_reply)(void *arg, struct span reply, enum reply_kind kind);
	/*
	 * The connection is gone, or could not be made: STATUS_CONNECT, or
	 * STATUS_REPLY for rubbish and an end in the middle of an answer.
	 */
	void (*on_closed)(void *arg, enum status why, const char *message);
};

/* Gives a closed connection. Borrows `events` and `arg`. */
struct connection *connection_new(
    struct event_base *base, const struct connection_events *events, void *arg);
void connection_free(struct connection *connection);

/*
 * Starts connecting; on_open or on_closed follows, maybe before return. With
 * `tls` (NULL: plain; it is held) the node has to show a good certificate.
 */
void connection_open(struct connection *connection,
    const struct address *address, struct tls *tls);

/* Closes without a callback; what is under way is forgotten. */
void connection_close(struct connection *connection);

enum connection_state connection_state(const struct connection *connection);

/*
 * Sends one request line (without LF), at once or when the connection is
 * there. Not on a closed connection.
 */
void connection_send(struct connection *connection, struct span request);

/* Appends a request without writing yet; connection_push() writes. */
void connection_queue(struct connection *connection, struct span request);
void connection_push(struct connection *connection);

/* Answers that are still to come. */
size_t connection_pending(const struct connection *connection);

#endif
