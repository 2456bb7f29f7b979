/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question on its way through the chain of providers, for all who asked
 * the same meanwhile. It lives until it has answered them, at the latest when
 * its deadline comes; then a provider that needs no network may still answer.
 */
#ifndef HERD_PLACES_LOOKUP_H
#define HERD_PLACES_LOOKUP_H

#include <sys/queue.h>

#include "places/places_asker.h"
#include "places/test_call.h"

/* Of PLACES_DEADLINE_MS, what is kept for the way back to the client. */
#define LOOKUP_MARGIN_MS 500u
/* A call is started only if it has that long; it ends before the deadline. */
#define LOOKUP_REQUEST_MIN_MS 200u
#define LOOKUP_REQUEST_MARGIN_MS 100u
/* A second attempt comes after so long: anything between. */
#define LOOKUP_REST_MIN_MS 50u
#define LOOKUP_REST_MAX_MS 250u

struct network;
struct provider;
struct lookup;

LIST_HEAD(lookup_list, lookup);

/*
 * Takes a hold of `call` and answers it, maybe before this returns: it joins
 * a lookup of the same question or begins one. HERD_ENOMEM: nothing was
 * taken.
 */
HERD_MUST_CHECK enum herd_error lookup_ask(
    struct network *network, struct places_asker *call);

/* Ends all lookups, with an answer that says that the node stops. */
void lookup_end_all(struct network *network);

#endif
