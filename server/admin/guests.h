/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connections to the admin API over TCP, where strangers may come. A
 * guest that has shown a valid token stays; of the others there are only so
 * many for each address (an IPv6 /64) and in all, and each of their requests
 * has to be whole within GUEST_REQUEST_S. At a limit the stranger that has
 * been there longest gives way to the new connection, so that nobody who is
 * silent keeps anybody out. Some places are for addresses that have shown a
 * token lately. Main thread only.
 */
#ifndef HERD_ADMIN_GUESTS_H
#define HERD_ADMIN_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "base/log.h"

#define GUESTS_MAX 256u
#define GUESTS_RESERVED 32u    /* of them, for addresses that are known */
#define GUESTS_OF_ADDRESS 128u /* without a token */
#define GUESTS_KNOWN_MAX 64u   /* addresses that are remembered */
#define GUEST_KNOWN_S 3600     /* for so long after a token was shown */
#define GUEST_REQUEST_S 5      /* for a request, from its first byte on */

struct bufferevent;
struct event_base;
struct evhttp_connection;
struct guest;
struct guests;

struct guests_counts {
	unsigned now;
	uint64_t refused;   /* closed at a limit */
	uint64_t timed_out; /* closed: no whole request in time */
};

HERD_MUST_CHECK enum herd_error guests_open(
    struct event_base *base, struct log *log, struct guests **out);
/* Once the connections are gone. NULL is fine. */
void guests_close(struct guests *guests);

/*
 * A connection is being accepted: gives what evhttp is to make it of, NULL
 * when out of memory (evhttp then does without).
 */
struct bufferevent *guests_accept(struct guests *guests);

/* A descriptor is needed: closes a stranger. False: there is none. */
bool guests_make_room(struct guests *guests);

/*
 * A request has come whole by this connection: its guest (borrowed until
 * guests_gone()), which is then not closed before guests_end(). NULL: it is
 * no guest's.
 */
struct guest *guests_begin(
    struct guests *guests, struct evhttp_connection *connection);
/* The answer has left; the next request may come. */
void guests_end(struct guest *guest);
/* It has shown a valid token. */
void guests_trust(struct guest *guest);
/* The connection is gone. */
void guests_gone(struct guest *guest);

struct guests_counts guests_count(const struct guests *guests);

#endif
