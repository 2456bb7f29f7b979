/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A listening socket in an event loop: accepts until there is no more, backs
 * off for a second when the process is out of file descriptors.
 */
#ifndef HERD_LISTENER_H
#define HERD_LISTENER_H

#include "base/log.h"
#include "net/socket.h"

#define LISTENER_PAUSE_MS 1000 /* after EMFILE */
#define LISTENER_HOLD_MS 1     /* of listener_hold() */
#define LISTENER_BATCH 64u     /* accepted per turn */

struct event_base;
struct listener;

/* The connection is the callee's. */
typedef void listener_on_accept(
    void *arg, int fd, const struct sockaddr_storage *peer);

/* `what` names it in logs. HERD_ESYSTEM: `message` says why and what next. */
HERD_MUST_CHECK enum herd_error listener_open(struct event_base *base,
    const struct address *address, const char *what, struct log *log,
    listener_on_accept *on_accept, void *arg, struct buf *message,
    struct listener **out);

/* Stops listening, removes a Unix socket. NULL is fine. */
void listener_close(struct listener *listener);

/*
 * Accepts nobody for LISTENER_HOLD_MS: those who come wait in the backlog. For
 * on_accept.
 */
void listener_hold(struct listener *listener);

/* With the port that the system picked. */
const struct address *listener_address(const struct listener *listener);

#endif
