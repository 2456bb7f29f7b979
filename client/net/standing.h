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
struct standing;
struct tls;

struct standing_events {
	/* It was lost (with the reason) or is there (again). */
	void (*on_change)(void *arg, bool up, const char *reason);
};

/* Gives a standing that starts to connect at once. Borrows `events`, holds
 * `tls` (NULL: plain). */
struct standing *standing_new(struct event_base *base,
    const struct address *address, struct tls *tls,
    const struct standing_events *events, void *arg);
void standing_free(struct standing *standing);

bool standing_is_up(const struct standing *standing);

/* Is it still at its first attempt? Then a command may wait for it. */
bool standing_is_new(const struct standing *standing);
/* Why it is down; "" while nothing has failed. */
const char *standing_reason(const struct standing *standing);
bool standing_leads_to(const struct standing *standing,
    const struct address *address, const struct tls *tls);

/*
 * The connection for a command's requests; its events go to the command until
 * standing_return(). NULL while the standing is down.
 */
struct connection *standing_borrow(struct standing *standing,
    const struct connection_events *events, void *arg);

/* `clean`: no answer is outstanding; else the connection is made again. */
void standing_return(struct standing *standing, bool clean);

#endif
