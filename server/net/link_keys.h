/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of the links: read at the start and at each reload. A link that is
 * on a key which the file has no more is made again; the others stay as they
 * are.
 */
#ifndef HERD_LINK_KEYS_H
#define HERD_LINK_KEYS_H

#include "base/clock.h"
#include "base/keyring.h"

struct peering;
struct key_news;

struct link_keys {
	struct keyring used;   /* main thread */
	struct key_news *news; /* read, not used yet; main thread */

	/* The links thread only: which link is being made again, ... */
	unsigned renewing; /* its place among the links */
	struct mono until; /* ... and how long the next one waits; 0: none */
	struct mono changed;
};

/*
 * Reads key_file and opens TLS for peering->node, if the herd file wants it.
 * HERD_ESYSTEM, HERD_ENOMEM: `message` says what is wrong.
 */
HERD_MUST_CHECK enum herd_error link_keys_open(
    struct peering *peering, struct buf *message);

/* Reads the file again at each reload. */
void link_keys_watch(struct peering *peering);

/* After the links thread has ended, or before it begins. */
void link_keys_close(struct peering *peering);

/*
 * Makes one link again that is on a key which was removed, if there is one and
 * the one before is up again or had its time. Call it a few times a second;
 * links thread.
 */
void link_keys_renew(struct peering *peering);

#endif
