/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The REPL's standing connection to the current node's client listener.
 * When it is lost it is made again in the background, after 0.2 s to 5 s.
 * A command borrows it for its requests.
 */
#ifndef HERD_STANDING_H
#define HERD_STANDING_H

#include "net/connection.h"

struct event_base;
struct link;

struct link_events {
	/* It was lost (with the reason) or is there (again). */
	void (*on_change)(void *arg, bool up, const char *reason);
};

/* Gives a link that starts to connect at once. Borrows `events`. */
struct link *link_new(struct event_base *base, const struct address *address,
    const struct link_events *events, void *arg);
void link_free(struct link *link);

bool link_is_up(const struct link *link);

/* Is it still at its first attempt? Then a command may wait for it. */
bool link_is_new(const struct link *link);
/* Why it is down; "" while nothing has failed. */
const char *link_reason(const struct link *link);
bool link_leads_to(const struct link *link, const struct address *address);

/*
 * The session for a command's requests; its events go to the command until
 * link_return(). NULL while the link is down.
 */
struct session *link_borrow(
    struct link *link, const struct session_events *events, void *arg);

/* `clean`: no answer is outstanding; else the connection is made anew. */
void link_return(struct link *link, bool clean);

#endif
