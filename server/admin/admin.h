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
 * Where it listens, with the ports that the system picked: the node's own
 * addresses that have a listener, and admin.listen (ADDRESS_NONE: not open).
 */
struct address_list admin_addresses(const struct admin *admin);
const struct address *admin_listen_address(const struct admin *admin);

/*
 * Ends event streams, sends what is under way, takes no more requests. Call it
 * while the node's links and workers still exist. NULL is fine.
 */
void admin_close(struct admin *admin);

/* Call it after peering_close(): no other thread posts to it any more. */
void admin_release(struct admin *admin);

#endif
