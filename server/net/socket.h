/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets for clients and links: listening on a struct address, dialling what
 * resolver.h finds, and the text of a peer's address. All sockets are
 * non-blocking, close-on-exec and, for TCP, without Nagle's delay.
 */
#ifndef HERD_SOCKET_H
#define HERD_SOCKET_H

#include "herd/resolver.h"

#define SOCKET_BACKLOG 1024
/* "[v6]:port" or "unix". */
#define SOCKET_PEER_MAX 64u

/*
 * Listens; a stale Unix socket that nobody serves is replaced. Waits for the
 * resolver if the host is a name. HERD_ESYSTEM with errno; *message (not NULL)
 * gets what was tried and what to do.
 */
HERD_MUST_CHECK enum herd_error socket_listen(
    const struct address *address, struct buf *message, int *fd);

/* Begins to connect; done when the socket is writable. HERD_ESYSTEM, errno. */
HERD_MUST_CHECK enum herd_error socket_dial(
    const struct endpoint *endpoint, int *fd);

/* 0 or the errno of a connect that has ended. */
int socket_error(int fd);

/* What the listener is bound to, with the port that the system picked. */
HERD_MUST_CHECK enum herd_error socket_bound(
    int fd, const struct address *asked, struct address *out);

/* Text of the other side for logs. */
void socket_peer_text(
    const struct sockaddr_storage *peer, char out[SOCKET_PEER_MAX]);

/* Accepts one connection. HERD_EAGAIN, HERD_ESYSTEM with errno. */
HERD_MUST_CHECK enum herd_error socket_accept(
    int listener, int *fd, struct sockaddr_storage *peer);

#endif
