/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Places thread: it takes askers from any thread, asks the chain of
 * providers (lookup.c), and answers. Everything here but network_post() and
 * what is marked belongs to that thread.
 */
#ifndef HERD_PLACES_NETWORK_H
#define HERD_PLACES_NETWORK_H

#include "places/fetch.h"
#include "places/lookup.h"
#include "places/places_asker.h"
#include "places/provider.h"

/* Askers that wait for an answer. */
#define NETWORK_PENDING_MAX 65536u

#define NETWORK_BUCKETS 1024u /* a power of two */

struct event_base;

struct network {
	struct message stop; /* first: the last message */
	/* constant once open */
	struct places *places;
	uint64_t timeout_ms; /* of one request */
	struct event_base *base;
	struct fetcher *fetcher;
	struct places_reader *reader; /* for the gazetteer in the chain */
	pthread_t thread;
	/* any thread */
	struct mailbox mailbox;
	bool has_mailbox;
	_Atomic uint64_t pending;
	/* written by the Places thread, read by any */
	struct places_stats answers; /* as the askers saw them */
	/* the Places thread's */
	struct lookup_list lookups[NETWORK_BUCKETS];
	struct buf answer; /* of the lookup that is being worked on */
};

/*
 * Starts the thread for places->chain, whose providers are open. HERD_ENOMEM,
 * HERD_ESYSTEM.
 */
HERD_MUST_CHECK enum herd_error network_open(struct places *places,
    const struct fetch_options *options, uint64_t timeout_ms,
    struct network **out);

/* Answers what is pending, then ends the thread. */
void network_close(struct network *network);

/*
 * Hands an asker over; takes one of its two holds. Any thread. HERD_ELIMIT:
 * too many are pending, and nothing was taken.
 */
HERD_MUST_CHECK enum herd_error network_post(
    struct network *network, struct places_asker *asker);

/* Counts the answer, gives it to the asker, frees the thread's hold. */
void network_answer(
    struct places_asker *asker, struct span json, enum places_status status);

/*
 * Writes an answer without results into network->answer; "" without memory.
 * Valid until the next one.
 */
struct span network_write_failure(
    struct network *network, enum places_status status, struct span why);

#endif
