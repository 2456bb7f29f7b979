/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question on its way through the chain of providers, for all who asked
 * the same meanwhile. It lives until it has answered them, at the latest when
 * its deadline comes; then a provider that needs no network may still answer.
 */
#ifndef HERD_PLACES_INQUIRY_H
#define HERD_PLACES_INQUIRY_H

#include <sys/queue.h>

#include "places/call.h"
#include "places/trial.h"

/* Of PLACES_DEADLINE_MS, what is kept for the way back to the client. */
#define INQUIRY_MARGIN_MS 500u
/* A call is started only if it has that long; it ends before the deadline. */
#define INQUIRY_CALL_MIN_MS 200u
#define INQUIRY_CALL_MARGIN_MS 100u
/* A second attempt comes after so long: anything between. */
#define INQUIRY_REST_MIN_MS 50u
#define INQUIRY_REST_MAX_MS 250u

struct network;
struct provider;
struct inquiry;

LIST_HEAD(inquiry_list, inquiry);

/*
 * Takes a hold of `call` and answers it, maybe before this returns: it joins
 * an inquiry of the same question or begins one. HERD_ENOMEM: nothing was
 * taken.
 */
HERD_MUST_CHECK enum herd_error inquiry_ask(
    struct network *network, struct places_call *call);

/* Ends all inquiries, with an answer that says that the node stops. */
void inquiry_end_all(struct network *network);

#endif
