/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The admin API: HTTP/1.1 and JSON on the node's admin address (a Unix
 * socket of mode 0600 in a folder of mode 0700) and, if configured, on TCP
 * with a bearer token; metrics and health on the same listeners. It runs in
 * the main thread's event loop and never blocks on another thread for long.
 */
#ifndef HERD_ADMIN_H
#define HERD_ADMIN_H

#include "node/node.h"

struct event_base;
struct admin;

/* HERD_ESYSTEM, HERD_ERANGE: `message` says why and what to do. */
HERD_MUST_CHECK enum herd_error admin_open(struct node *node,
    struct event_base *base, struct buf *message, struct admin **out);

/*
 * Returns where it listens, with the port that the system picked: the node's
 * own address (`second` false) or admin.listen. ADDRESS_NONE: not open.
 */
const struct address *admin_address(const struct admin *admin, bool second);

/*
 * Ends event streams, sends what is under way, takes no more requests. Call it
 * while the node's links and workers still exist. NULL is fine.
 */
void admin_close(struct admin *admin);

/* Call it after peering_close(): no other thread posts to it any more. */
void admin_release(struct admin *admin);

#endif
