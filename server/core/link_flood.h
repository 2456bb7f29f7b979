/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sparse flooding, for all links of a node: what the node says of its eager
 * links, and which of the others rest. Without a roster nothing rests.
 */
#ifndef HERD_LINK_FLOOD_H
#define HERD_LINK_FLOOD_H

#include "core/link.h"

/*
 * The herd file changes: these are the nodes of its part of the herd, and the
 * hash of its eager links. Until link_flood_begin() the node floods on all
 * links. HERD_ENOMEM: then it goes on to.
 */
HERD_MUST_CHECK enum herd_error link_flood_set(struct link_driver *driver,
    const roster_name *names, unsigned count, uint64_t hash);

/* All links are as the herd file has them. Links may rest if it is `sparse`. */
void link_flood_begin(struct link_driver *driver, bool sparse, struct mono now);

/* A link, or what the herd file says of it, has changed. */
void link_flood_note(struct link_driver *driver, struct mono now);

/*
 * If the roster has changed since the last call, tells the peers and lets links
 * rest or wakes them.
 */
void link_flood_follow(struct link_driver *driver, struct mono now);

/* The link is SYNCED on a new connection: from now on it must stay up. */
void link_flood_up(struct link *link, struct mono now);

/* Looks whether the link has been up, or awake, for long enough. */
void link_flood_on_time(struct link *link, struct mono now);

#endif
