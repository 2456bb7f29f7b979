/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's life: the node's modules are opened in the order in which they
 * need each other and closed in the reverse one. Main thread only.
 */
#ifndef HERD_HERDD_H
#define HERD_HERDD_H

#include "base/tick.h"
#include "node/config.h"
#include "node/node.h"

struct event_base;
struct admin;

/* What main owns beside the node. */
struct herdd {
	struct node node;
	struct event_base *base;
	struct admin *admin;
	struct watchdog *watchdog;
	struct tick sweep; /* expiry, in slices */
	struct table_cursor sweep_at;
	char *path; /* of the herd file, absolute */
	char *dir;
};

/*
 * Opens everything for node `self` of `file`, which is taken (also on
 * failure). `log` is borrowed. On failure `message` says why and what to do.
 * HERD_ECANCELED, without a message: signals_stop_wanted(), all is closed.
 */
HERD_MUST_CHECK enum herd_error herdd_open(struct herdd *herdd,
    const char *path, struct herdfile *file, size_t self, struct log *log,
    struct buf *message);

/* Finishes the replies in flight, hands on what links owe, closes. */
void herdd_close(struct herdd *herdd);

#endif
