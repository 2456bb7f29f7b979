/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Edges and connections, for links.c, link_edge.c and link_conn.c only. An
 * edge is a configured neighbour; a connection serves it once its HELLO was
 * accepted. All in the links thread, except what `lock` guards.
 */
#ifndef HERD_LINK_H
#define HERD_LINK_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "core/backoff.h"
#include "net/half_open.h"
#include "net/link_history.h"
#include "net/links.h"
#include "net/listener.h"
#include "net/mailbox.h"
#include "net/strangers.h"
#include "net/socket.h"
#include "net/transport.h"

enum conn_state {
	CONN_CONNECTING,
	CONN_HANDSHAKE, /* TLS */
	CONN_SESSION,
};

struct edge;

struct conn {
	struct links *links;
	TAILQ_ENTRY(conn) all;
	struct edge *edge; /* inbound: NULL until HELLO was accepted */
	enum conn_state state;
	bool inbound;
	bool has_session;
	bool admitted; /* the edge's current one */
	bool up;       /* SYNCED was logged */
	struct mono opened;
	struct mono up_at; /* SYNCED for the first time */
	struct transport transport;
	struct session session;
	struct buf out;
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

struct edge {
	struct links *links;
	unsigned index;
	unsigned number; /* of its sessions; not that of an earlier edge */
	bool used;
	bool leaving; /* the herd file has it no more */
	bool enabled;
	bool dials;
	char peer[REPORT_ORIGIN_MAX + 1];
	struct address address;
	unsigned line;
	unsigned column;
	enum link_state state;
	struct mono since;
	struct backoff backoff;
	struct event *redial;
	struct lookup *lookup;  /* of the address's name, under way */
	bool awaits_lookup;     /* `redial` is the deadline of that */
	struct endpoints found; /* what is being dialled, ... */
	unsigned tried;         /* ... and how many of it were */
	struct conn *conn;      /* admitted */
	struct conn *dialling;  /* not yet admitted */
	uint64_t connects;
	struct session_stats past; /* of ended sessions */
	char error[SESSION_ERROR_MAX];
	char logged[SESSION_ERROR_MAX]; /* the error that was logged last */
	struct mono error_at;
	struct mono retry_at;
	struct link_history history; /* written under links->lock */
};

struct links {
	struct node *node;
	struct event_base *base;
	pthread_t thread;
	bool started;
	bool stopping;
	struct mailbox mailbox;
	struct resolver *resolver;
	struct event *tick;
	struct listener *listener;
	struct address address;
	struct transport_tls *tls; /* NULL: plaintext */
	uint64_t redial_max_ns;
	struct event *stop_poll; /* while links hand on what they owe */
	struct mono stop_at;
	struct conn_list conns;
	struct half_open half_open;
	struct strangers strangers;
	_Atomic uint64_t due; /* edges whose outbox was woken */
	struct edge edges[LINKS_MAX];
	unsigned next_number;       /* for an edge */
	pthread_mutex_t watch_lock; /* of `on_change` and its argument */
	links_on_change *on_change;
	void *on_change_arg;

	pthread_mutex_t lock; /* of `published` */
	struct link_status published[LINKS_MAX];
	unsigned published_count;
	unsigned published_half_open;
	unsigned published_number[LINKS_MAX]; /* edge's number of each */
	unsigned published_index[LINKS_MAX];  /* and its place in `edges` */
};

/* --- link_edge.c -------------------------------------------------------- */

/* The edge of that name, NULL if none. */
struct edge *edge_find(struct links *links, struct span peer);

/* Begins to serve a neighbour: dials or waits. */
void edge_start(struct edge *edge);

/* Ends it: BYE `reason` to whoever is connected; the slot is free then. */
void edge_end(struct edge *edge, enum session_reason reason);

/* The one place where a link's state changes. */
void edge_set_state(struct edge *edge, enum link_state state);

/* Forgets what it was about to do: lookup, addresses, redial. */
void edge_rest(struct edge *edge);

/* A connection of the edge has ended with that reason and text. */
void edge_on_lost(struct edge *edge, const struct conn *conn,
    enum session_reason reason, const char *error);

/* HELLO was accepted on `conn`: it replaces what the edge had. */
void edge_adopt(struct edge *edge, struct conn *conn);

void edge_command(struct edge *edge, enum link_verb verb);

/* Publishes the state of all edges for links_status(). */
void edges_publish(struct links *links);

/* --- link_conn.c --------------------------------------------------------- */

/*
 * Takes the socket; NULL (and the socket is closed) when out of memory. An
 * inbound one has edge NULL, and a place in links->half_open is free for it.
 */
struct conn *conn_open(struct links *links, struct edge *edge, int fd,
    const char *peer, uint64_t address);

/* Reads, works, fills, writes, arms; closes the connection at its end. */
void conn_settle(struct conn *conn);

/* Makes room for a connection from `address`: see half_open.h. */
void conn_make_room(struct links *links, uint64_t address);

/* Says BYE and closes. */
void conn_end(struct conn *conn, enum session_reason reason, const char *text);

/* Serves the edges whose outboxes were woken in this thread meanwhile. */
void links_serve_due(struct links *links);

uint64_t links_random(void);

#endif
