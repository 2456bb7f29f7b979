/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What peering.c, net_link.c and link_socket.c share: the sockets and timers of
 * the links that core/link.h drives. All in the links thread, except what
 * `lock` guards.
 */
#ifndef HERD_PEERING_INTERNAL_H
#define HERD_PEERING_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "core/link_conn.h"
#include "net/half_open.h"
#include "net/peering.h"
#include "net/listener.h"
#include "base/mailbox.h"
#include "net/socket.h"
#include "net/strangers.h"
#include "net/transport.h"

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

/* Where a link's neighbour is, and how it is reached. */
struct net_link {
	struct link link; /* first: the driver's view of it */
	struct peering *peering;
	unsigned index;
	bool used;
	struct address address;
	unsigned line;
	unsigned column;
	struct event *timer;         /* of the driver */
	struct event *late;          /* the lookup has no answer */
	struct resolution *lookup;   /* of the address's name, under way */
	struct event *looked_up;     /* it is over */
	struct endpoints found;      /* what is being dialled, ... */
	unsigned tried;              /* ... and how many of it were */
	bool is_found;               /* `found` has just come */
	struct link_history history; /* the link's, for other threads */
};

struct peering {
	struct node *node;
	struct event_base *base;
	pthread_t thread;
	struct mailbox mailbox;
	bool has_mailbox;
	struct event *tick;
	struct listener *listener;
	struct address address;
	struct transport_tls *tls; /* NULL: plaintext */
	struct event *stop_poll;   /* while links send what they owe */
	struct mono stop_at;
	struct link_socket_list conns;
	struct half_open half_open;
	struct strangers strangers;
	_Atomic uint64_t due; /* links whose outbox was woken */
	struct link_driver driver;
	uint64_t steps_told;   /* of the clock */
	struct mono step_told; /* when; 0: never */
	struct net_link net_links[LINKS_MAX];
	unsigned next_number;       /* for a link */
	pthread_mutex_t watch_lock; /* of `on_change` and its argument */
	peering_on_change *on_change;
	void *on_change_arg;

	pthread_mutex_t lock; /* of `published` and the links' histories */
	struct link_status published[LINKS_MAX];
	unsigned published_count;
	unsigned published_half_open;
	unsigned published_number[LINKS_MAX]; /* link's number of each */
	unsigned published_index[LINKS_MAX];  /* and its place in `net_links` */
};

/* --- net_link.c -------------------------------------------------------- */

/* The driver's actions for a link; those for a connection are below. */
void net_link_dial(void *arg, struct link *link);
void net_link_cancel(void *arg, struct link *link);
bool net_link_dial_next(void *arg, struct link *link,
    const struct link_conn *conn, const char *error);
void net_link_arm(void *arg, struct link *link);
void net_link_changed(void *arg, struct link *link);
void net_link_tell(void *arg, struct link *link, enum link_notice news,
    enum session_reason reason, const char *error, const char *next);

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error net_link_open(struct net_link *net_link);
void net_link_close(struct net_link *net_link);

/* Publishes the state of all links for peering_status(). */
void peering_publish(struct peering *peering);

/* --- link_clock.c -------------------------------------------------------- */

/* Judges the clock, logs what is new. */
void peering_judge_clock(struct peering *peering);

/* --- link_socket.c ---------------------------------------------------------
 */

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

/* Serves the links whose outboxes were woken in this thread meanwhile. */
void peering_serve_due(struct peering *peering);

uint64_t peering_random(void *arg);

#endif
