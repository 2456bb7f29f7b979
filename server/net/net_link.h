/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One link of this node: its address, looked up and dialled when core/link.h
 * says so, and its state as others see it. In the links thread.
 */
#ifndef HERD_NET_LINK_H
#define HERD_NET_LINK_H

#include "core/link_conn.h"
#include "herd/resolver.h"
#include "net/peering.h"

/* Where a link's neighbour is, and how it is reached. */
struct net_link {
	struct link link; /* first: the driver's view of it */
	struct peering *peering;
	unsigned index;
	bool used;
	struct address address;
	unsigned line;
	unsigned column;
	struct event *timer;       /* of the driver */
	struct event *late;        /* the lookup has no answer */
	struct resolution *lookup; /* of the address's name, under way */
	struct event *looked_up;   /* it is over */
	struct endpoints found;    /* what is being dialled, ... */
	unsigned tried;            /* ... and how many of it were */
	struct endpoints known;    /* what the name's last lookup gave, ... */
	struct mono known_at;      /* ... and when; 0: look it up again */
	unsigned offer;            /* the key to offer, 0 the first */
	/* Why the peer was turned away last, since the link was up; or "". */
	char claim[SESSION_ERROR_MAX];
	struct link_history history; /* the link's, for other threads */
};

/* The driver's actions for a link. */
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

/* The fingerprint of the key that it is on, "" if down or plain. */
const char *net_link_key(const struct net_link *net_link);

/* Copies its state; the histories stay. */
void net_link_status(const struct net_link *net_link, struct link_status *out);

#endif
