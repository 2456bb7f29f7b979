/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What links.c, link_edge.c and link_socket.c share: the sockets and timers of
 * the links that core/link.h drives. All in the links thread, except what
 * `lock` guards.
 */
#ifndef HERD_LINK_ROOM_H
#define HERD_LINK_ROOM_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "core/link_conn.h"
#include "net/half_open.h"
#include "net/links.h"
#include "net/listener.h"
#include "base/mailbox.h"
#include "net/resolver.h"
#include "net/socket.h"
#include "net/strangers.h"
#include "net/transport.h"

enum conn_state {
	CONN_CONNECTING,
	CONN_HANDSHAKE, /* TLS */
	CONN_SESSION,
};

/* The socket of a connection. */
struct conn {
	struct link_conn link; /* first: the driver's view of it */
	struct links *links;
	TAILQ_ENTRY(conn) all;
	enum conn_state state;
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

TAILQ_HEAD(conn_list, conn);

/* Where a link's neighbour is, and how it is reached. */
struct edge {
	struct link link; /* first: the driver's view of it */
	struct links *links;
	unsigned index;
	bool used;
	struct address address;
	unsigned line;
	unsigned column;
	struct event *timer;         /* of the driver */
	struct event *late;          /* the lookup has no answer */
	struct lookup *lookup;       /* of the address's name, under way */
	struct endpoints found;      /* what is being dialled, ... */
	unsigned tried;              /* ... and how many of it were */
	bool is_found;               /* `found` has just come */
	struct link_history history; /* the link's, for other threads */
};

struct links {
	struct node *node;
	struct event_base *base;
	pthread_t thread;
	bool started;
	struct mailbox mailbox;
	struct resolver *resolver;
	struct event *tick;
	struct listener *listener;
	struct address address;
	struct transport_tls *tls; /* NULL: plaintext */
	struct event *stop_poll;   /* while links hand on what they owe */
	struct mono stop_at;
	struct conn_list conns;
	struct half_open half_open;
	struct strangers strangers;
	_Atomic uint64_t due; /* edges whose outbox was woken */
	struct link_driver driver;
	uint64_t steps_told;   /* of the clock */
	struct mono step_told; /* when; 0: never */
	struct edge edges[LINKS_MAX];
	unsigned next_number;       /* for a link */
	pthread_mutex_t watch_lock; /* of `on_change` and its argument */
	links_on_change *on_change;
	void *on_change_arg;

	pthread_mutex_t lock; /* of `published` and the edges' histories */
	struct link_status published[LINKS_MAX];
	unsigned published_count;
	unsigned published_half_open;
	unsigned published_number[LINKS_MAX]; /* link's number of each */
	unsigned published_index[LINKS_MAX];  /* and its place in `edges` */
};

/* --- link_edge.c -------------------------------------------------------- */

/* What the driver's actions do for a link; those of a connection follow. */
void edge_dial(void *arg, struct link *link);
void edge_cancel(void *arg, struct link *link);
bool edge_dial_next(void *arg, struct link *link, const struct link_conn *conn,
    const char *error);
void edge_arm(void *arg, struct link *link);
void edge_changed(void *arg, struct link *link);
void edge_tell(void *arg, struct link *link, enum link_notice news,
    enum session_reason reason, const char *error, const char *next);

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error edge_open(struct edge *edge);
void edge_close(struct edge *edge);

/* Publishes the state of all links for links_status(). */
void edges_publish(struct links *links);

/* --- link_clock.c -------------------------------------------------------- */

/* Judges the clock, tells what is new of it. */
void links_judge_clock(struct links *links);

/* --- link_socket.c ---------------------------------------------------------
 */

enum link_written conn_write(void *arg, struct link_conn *link,
    struct span data, size_t *len, const char **error);
void conn_arm(void *arg, struct link_conn *link, bool wants_room);
void conn_close(void *arg, struct link_conn *link, enum session_reason reason,
    const char *error);
/* Any thread, under a shard's lock. */
void conn_wake(void *arg);

/*
 * Takes the socket; NULL (and the socket is closed) when out of memory. An
 * inbound one has edge NULL, and a place in links->half_open is free for it.
 */
struct conn *conn_open(struct links *links, struct edge *edge, int fd,
    const char *peer, uint64_t address);

/* Makes room for a connection from `address`: see half_open.h. */
void conn_make_room(struct links *links, uint64_t address);

/* Serves the links whose outboxes were woken in this thread meanwhile. */
void links_serve_due(struct links *links);

uint64_t links_random(void *arg);

#endif
