/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's life: its rooms are opened in the order in which they need each
 * other and closed in the reverse one. Main thread only.
 */
#ifndef HERD_RUN_H
#define HERD_RUN_H

#include "node/node.h"

struct event_base;
struct admin;

/* What main owns beside the node. */
struct run {
	struct node node;
	struct event_base *base;
	struct admin *admin;
	struct watchdog *watchdog;
	struct event *sweep; /* expiry, in slices */
	struct table_cursor sweep_at;
	char *path; /* of the herd file, absolute */
	char *dir;
};

/*
 * Opens everything for node `self` of `file`, which is taken (also on
 * failure). `log` is borrowed. On failure `message` says why and what to do.
 * HERD_ECANCELED, without a message: signals_stop_wanted(), all is closed.
 */
HERD_MUST_CHECK enum herd_error run_open(struct run *run, const char *path,
    struct herdfile *file, size_t self, struct log *log, struct buf *message);

/* Finishes the replies in flight, hands on what links owe, closes. */
void run_close(struct run *run);

/*
 * Refuses new clients and says not ready, or takes it back; not while
 * node_has_lost_store().
 */
void node_drain(struct node *node, bool drain, const char *who);

/*
 * The store has failed and answers would wait for it: no client is served
 * until a restart. Any thread.
 */
bool node_has_lost_store(const struct node *node);

/* Ends the main loop; run_close() follows. */
void node_stop(struct node *node, const char *who);

/* "ready", "syncing", "draining" or "stopping", as the admin API says it. */
const char *node_state_word(struct node *node);

/*
 * It is not draining, and no link is enabled, or one was SYNCED since the
 * start, or it is isolated. Any thread.
 */
bool node_is_ready(struct node *node);

/* No session with any neighbour for ready_after: it serves alone. Any thread.
 */
bool node_is_isolated(struct node *node);

#endif
