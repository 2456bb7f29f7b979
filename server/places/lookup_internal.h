/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lookup's state, for lookup.c (its life, the chain) and lookup_request.c
 * (its requests to a provider on the network).
 */
#ifndef HERD_PLACES_LOOKUP_INTERNAL_H
#define HERD_PLACES_LOOKUP_INTERNAL_H

#include "herd/time.h"
#include "places/lookup.h"
#include "places/network.h"

struct event;

enum lookup_state {
	LOOKUP_STEPPING, /* between providers; on the stack right now */
	LOOKUP_WAITING,  /* until its provider may take a request */
	LOOKUP_REQUESTING,
	LOOKUP_RESTING, /* before a second attempt; counts as active */
};

struct places_lookup {
	LIST_ENTRY(places_lookup) same_hash;
	TAILQ_ENTRY(places_lookup) waiting; /* for its provider */
	struct network *network;
	struct places_question question;
	struct asker_list askers;
	struct test_call *test; /* NULL: a client's question */
	struct mono ends;
	struct event *deadline;
	struct event *rest;
	enum lookup_state state;
	unsigned first; /* where in the chain it began */
	unsigned step;  /* where it is */
	bool is_late;   /* no more requests */
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
 * lookup.c. A lookup that ends is freed: after STEP_ENDED it must not be
 * touched any more.
 */

/* Answers all askers, and ends. */
void lookup_finish(
    struct places_lookup *lookup, struct span json, enum places_status status);

/*
 * The provider did not answer, for that reason: STEP_FAILED, unless an older
 * answer of it serves.
 */
enum step lookup_fail_step(
    struct places_lookup *lookup, enum places_status status, struct span why);

/* After a step that ended in a callback: STEP_FAILED asks the next. */
void lookup_continue(struct places_lookup *lookup, enum step step);

#endif
