/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The listening sockets of the admin API, for admin.c only: a Unix socket,
 * whose file permissions decide, and one over TCP that needs a token;
 * http_limits.h has the limits of its connections.
 */
#ifndef HERD_HTTP_LISTENER_H
#define HERD_HTTP_LISTENER_H

#include "admin/admin_room.h"

/*
 * Listens at `address` and gives requests to admin_on_request(). Makes the
 * folder of a Unix socket if it is missing. HERD_ERANGE: TCP without a token.
 * HERD_ESYSTEM, HERD_ENOMEM. `message` says what is wrong and what to do.
 */
HERD_MUST_CHECK enum herd_error http_listener_open(struct admin *admin,
    struct http_listener *listener, const struct address *address,
    struct buf *message);

/*
 * Opens a Unix socket to that group, mode 0660; "" closes it to all but its
 * owner. Another listener has no group. HERD_ESYSTEM: `message` says why;
 * the socket is its owner's alone. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error http_listener_share(
    struct http_listener *listener, const char *group, struct buf *message);

/* Stops listening; its connections end. One that is not open is fine. */
void http_listener_close(struct http_listener *listener);

/* A request has come in; `arg` is the listener. In admin.c. */
void admin_on_request(struct evhttp_request *request, void *arg);

#endif
