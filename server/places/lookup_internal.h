/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lookup's state, for lookup.c (its life, the chain) and lookup_request.c
 * (its calls to a provider on the network).
 */
#ifndef HERD_PLACES_LOOKUP_INTERNAL_H
#define HERD_PLACES_LOOKUP_INTERNAL_H

#include "herd/time.h"
#include "places/lookup.h"
#include "places/network.h"

struct event;

enum lookup_state {
	LOOKUP_STEPPING, /* between providers; on the stack right now */
	LOOKUP_WAITING,  /* for a free call of its provider */
	LOOKUP_REQUESTING,
	LOOKUP_RESTING, /* before a second attempt; keeps its call's place */
};

struct lookup {
	LIST_ENTRY(lookup) same_hash;
	TAILQ_ENTRY(lookup) in_line; /* of its provider */
	struct network *network;
	struct places_question question;
	struct asker_list askers;
	struct test_call *test; /* NULL: an ordinary one */
	struct mono ends;
	struct event *deadline;
	struct event *rest;
	enum lookup_state state;
	unsigned first; /* where in the chain it began */
	unsigned step;  /* where it is */
	bool is_late;   /* no more calls to a network */
	/* this step */
	struct provider *provider; /* NULL: needs no network */
	struct mono step_began;
	struct fetch *fetch;
	uint64_t granted_ms;
	bool is_retry;
	bool has_stale;
	struct buf stale; /* an answer for when the upstream fails */
	enum places_status stale_status;
	/* what failed so far */
	enum places_status status; /* of the first */
	struct buf why;            /* of all; empty = none */
};

/* What became of a step. */
enum step {
	STEP_ENDED,   /* the lookup is answered and gone */
	STEP_PENDING, /* an event will go on with it */
	STEP_FAILED,  /* the next provider is to be asked */
};

/* The word that places.provider has for it; static. */
static inline const char *
provider_name(const struct provider *provider)
{
	return places_kind_name(provider->kind);
}

/*
 * lookup.c. What ends a lookup frees it; who gets STEP_ENDED must not touch
 * it any more.
 */

/* Answers all who asked, and ends. */
void lookup_finish(
    struct lookup *lookup, struct span json, enum places_status status);

/*
 * The provider did not answer, for that reason: STEP_FAILED, unless an older
 * answer of it serves.
 */
enum step lookup_fail_step(
    struct lookup *lookup, enum places_status status, struct span why);

/* After a step that ended in a callback: STEP_FAILED asks the next. */
void lookup_continue(struct lookup *lookup, enum step step);

/* lookup_request.c. */

/* Asks lookup->provider: its cache, then its upstream. */
enum step lookup_request_start(struct lookup *lookup);

/* Makes a second attempt, after a rest. */
void lookup_request_again(struct lookup *lookup);

/* Stops whatever it waits for. */
void lookup_request_interrupt(struct lookup *lookup);

/* Calls for those who wait for the provider, as far as there are places. */
void lookup_request_serve(struct provider *provider);

#endif
