/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The links of this node to its neighbours: one thread that dials, accepts,
 * and drives a session per link. The node whose name sorts first dials. All
 * links live in one thread, so nothing of them is shared but the table.
 */
#ifndef HERD_PEERING_H
#define HERD_PEERING_H

#include "base/keyring.h"
#include "core/link.h"
#include "node/node.h"

/* A link at one moment. Sums of counters are over all its sessions. */
struct link_status {
	char peer[REPORT_ORIGIN_MAX + 1];
	struct address address;
	enum link_state state;
	struct mono since;
	bool dials;
	bool enabled;
	bool eager;   /* it never rests */
	bool resting; /* it is synced and owes nothing: see core/roster.h */
	bool tls;
	/* The fingerprint of its key; "" if it is down or plain. */
	char key[KEYRING_FINGERPRINT_LEN + 1];
	unsigned line; /* where the herd file has it */
	unsigned column;
	int64_t rtt_ns; /* -1 unknown */
	int64_t clock_ns;
	bool clock_known;
	uint64_t owed;
	uint64_t lag_ns;
	uint64_t connects; /* sessions that became live */
	uint64_t twins;    /* refused for having the peer's name */
	struct mono twin_at;
	struct session_stats stats;
	struct mono verified; /* 0: never */
	char error[SESSION_ERROR_MAX];
	struct mono error_at;
	struct mono retry_at; /* 0: no redial is due */
};

/* Does a session live on it? Only then lag_ns and tls mean something. */
static inline bool
link_is_up(const struct link_status *link)
{
	return link->state == LINK_SYNCED || link->state == LINK_COMPARING;
}

struct peering;

/*
 * Listens on this node's peers address, opens the key and starts the thread;
 * node->file has the links. `message` gets what went wrong.
 */
HERD_MUST_CHECK enum herd_error peering_open(
    struct node *node, struct buf *message, struct peering **out);

/* Sends BYE stop on all links, closes them, joins the thread. */
void peering_close(struct peering *peering);

const struct address *peering_address(const struct peering *peering);

/* The keys of the links, none if they are plain. Main thread. */
const struct keyring *peering_keys(const struct peering *peering);

/* Copies the state of up to LINKS_MAX links; returns how many. Any thread. */
unsigned peering_status(
    struct peering *peering, struct link_status out[LINKS_MAX]);

/* Copies the state of the link to that peer; false if there is none. */
bool peering_find(
    struct peering *peering, struct span peer, struct link_status *out);

/*
 * Copies the last changes of the link to that peer, the oldest first; returns
 * how many, 0 if there is no such link. Any thread.
 */
unsigned peering_changes(struct peering *peering, struct span peer,
    struct link_change out[LINK_CHANGES_MAX]);

/* How the node floods at one moment. */
struct peering_flood {
	bool sparse;       /* its herd file says so */
	bool rests;        /* links that are not eager rest */
	struct mono since; /* of `rests` */
	uint64_t wakes;    /* how often they had to stop resting */
	/* Else one node that keeps them from resting, and why. */
	enum roster_reason reason;
	roster_name node;
	roster_name peer; /* ROSTER_DOWN: of that node's link; or "" */
};

/* Any thread. */
void peering_flood(struct peering *peering, struct peering_flood *out);

/* The peers by the numbers that their links have in records. */
struct peering_givers {
	unsigned count;
	unsigned number[LINKS_MAX];
	char name[LINKS_MAX][REPORT_ORIGIN_MAX + 1];
};

/* Copies the present ones. Any thread. */
void peering_givers(struct peering *peering, struct peering_givers *out);

/* The peer's name of a record's `from`, "" if that is no link's. */
const char *peering_giver(const struct peering_givers *givers, uint32_t from);

/* Connections that did not become a link. */
struct peering_strangers {
	uint64_t refused[SESSION_REASON_COUNT]; /* so far, by reason */
	unsigned half_open; /* inbound ones, before their HELLO */
	unsigned half_open_max;
};

/* Any thread. */
void peering_strangers(struct peering *peering, struct peering_strangers *out);

/*
 * Any thread. HERD_ENOTFOUND: no such link. HERD_ENOMEM. The order is carried
 * out soon after; then `on_done`, if not NULL, is called in the links thread,
 * and peering_status() shows the result. peering_close() carries out the rest.
 */
typedef void peering_on_done(void *arg);
HERD_MUST_CHECK enum herd_error peering_command(struct peering *peering,
    struct span peer, enum link_verb verb, peering_on_done *on_done, void *arg);

/*
 * One watcher is called in the links thread at each change of a link's state,
 * for the event stream; it must not block or call back. NULL ends it: once
 * this returns the old one is not called any more. Any thread.
 */
typedef void peering_on_change(
    void *arg, const char *peer, enum link_state state, const char *error);
void peering_watch(
    struct peering *peering, peering_on_change *on_change, void *arg);

#endif
