/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A question on its way through the chain of providers, for all who ask the
 * same meanwhile. It ends when it has answered them, at the latest at its
 * deadline; then a provider that needs no network may still answer.
 */
#ifndef HERD_PLACES_LOOKUP_H
#define HERD_PLACES_LOOKUP_H

#include <sys/queue.h>

#include "places/places_asker.h"
#include "places/test_call.h"

/* Part of PLACES_DEADLINE_MS, for the way back to the client. */
#define LOOKUP_MARGIN_MS 500u
/* A request has at least that long, and ends before the deadline. */
#define LOOKUP_REQUEST_MIN_MS 200u
#define LOOKUP_REQUEST_MARGIN_MS 100u
/* A second attempt comes after a rest between these. */
#define LOOKUP_REST_MIN_MS 50u
#define LOOKUP_REST_MAX_MS 250u

struct network;
struct provider;
struct places_lookup;

LIST_HEAD(lookup_list, places_lookup);

/*
 * Takes a hold of `asker` and answers it, maybe before this returns: it joins
 * a lookup of the same question or begins one. HERD_ENOMEM: nothing was
 * taken.
 */
HERD_MUST_CHECK enum herd_error lookup_ask(struct places_asker *asker);

/* Ends all lookups, with an answer that says that the node stops. */
void lookup_end_all(struct network *network);

#endif
