/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The socket of one connection of a link: what core/link_conn.h decides is
 * carried out here. In the links thread.
 */
#ifndef HERD_LINK_SOCKET_H
#define HERD_LINK_SOCKET_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "core/link_conn.h"
#include "net/half_open.h"
#include "net/socket.h"
#include "net/transport.h"

struct net_link;
struct peering;

enum link_socket_state {
	CONN_CONNECTING,
	CONN_HANDSHAKE, /* TLS */
	CONN_SESSION,
};

/* The socket of a connection. */
struct link_socket {
	struct link_conn link; /* first: the driver's view of it */
	struct peering *peering;
	TAILQ_ENTRY(link_socket) all;
	enum link_socket_state state;
	struct transport transport;
	struct event readable;
	struct event writable;
	struct event timer; /* deadlines */
	struct event work;  /* passes over the table, a slice a turn */
	struct event again; /* more to read than a turn may */
	struct half_open_place place; /* inbound, until admitted */
	uint64_t address;             /* of the peer; see address_key() */
	char peer[SOCKET_PEER_MAX];
};

TAILQ_HEAD(link_socket_list, link_socket);

enum link_written link_socket_write(void *arg, struct link_conn *link,
    struct span data, size_t *len, const char **error);
void link_socket_arm(void *arg, struct link_conn *link, bool wants_room);
void link_socket_close(void *arg, struct link_conn *link,
    enum session_reason reason, const char *error);
/* Any thread, under a shard's lock. */
void link_socket_wake(void *arg);

/*
 * Takes the socket; NULL (and the socket is closed) when out of memory. An
 * inbound one has net_link NULL, and a place in peering->half_open is free for
 * it.
 */
struct link_socket *link_socket_open(struct peering *peering,
    struct net_link *net_link, int fd, const char *peer, uint64_t address);

/* Makes room for a connection from `address`: see half_open.h. */
void link_socket_make_room(struct peering *peering, uint64_t address);

#endif
