/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The set of links, for peering.c, net_link.c, link_socket.c and link_clock.c.
 * All in the links thread, except what `lock` guards.
 */
#ifndef HERD_PEERING_INTERNAL_H
#define HERD_PEERING_INTERNAL_H

#include <event2/event.h>

#include "base/clock_set.h"
#include "base/mailbox.h"
#include "base/tick.h"
#include "net/link_socket.h"
#include "net/link_keys.h"
#include "net/listener.h"
#include "net/net_link.h"
#include "net/strangers.h"

struct peering {
	struct node *node;
	struct event_base *base;
	pthread_t thread;
	struct mailbox mailbox;
	bool has_mailbox;
	struct tick tick;
	struct clock_set clock_set;
	bool resting;   /* nothing moves: it ticks rarely */
	uint64_t moves; /* records over all links, at the last tick */
	struct listener *listener;
	struct address address;
	struct transport_tls *tls; /* NULL: plaintext */
	struct link_keys keys;
	struct event *stop_poll; /* while links send what they owe */
	struct mono stop_at;
	struct link_socket_list conns;
	struct half_open half_open;
	struct strangers strangers;
	_Atomic uint64_t due; /* links whose outbox was woken */
	struct link_driver driver;
	struct roster roster;
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
	struct peering_flood published_flood;
	unsigned published_number[LINKS_MAX]; /* link's number of each */
	unsigned published_index[LINKS_MAX];  /* and its place in `net_links` */
};

/* Publishes the state of all links for peering_status(). */
void peering_publish(struct peering *peering);

/* Something moves: what is published of it must be fresh. */
void peering_rouse(struct peering *peering);

/* Serves the links whose outboxes were woken in this thread meanwhile. */
void peering_serve_due(struct peering *peering);

#endif
