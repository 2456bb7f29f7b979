/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An inquiry's state, for inquiry.c (its life, the chain) and inquiry_call.c
 * (its calls to a provider on the network).
 */
#ifndef HERD_PLACES_INQUIRY_INTERNAL_H
#define HERD_PLACES_INQUIRY_INTERNAL_H

#include "herd/time.h"
#include "places/inquiry.h"
#include "places/network.h"

struct event;

enum inquiry_state {
	INQUIRY_STEPPING, /* between providers; on the stack right now */
	INQUIRY_WAITING,  /* for a free call of its provider */
	INQUIRY_CALLING,
	INQUIRY_RESTING, /* before a second attempt; keeps its call's place */
};

struct inquiry {
	LIST_ENTRY(inquiry) same_hash;
	TAILQ_ENTRY(inquiry) in_line; /* of its provider */
	struct network *network;
	struct places_question question;
	struct call_list calls;
	struct trial *trial; /* NULL: an ordinary one */
	struct mono ends;
	struct event *deadline;
	struct event *rest;
	enum inquiry_state state;
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
	struct answer_facts stale_facts;
	/* what failed so far */
	enum places_status status; /* of the first */
	struct buf why;            /* of all; empty = none */
};

/* What became of a step. */
enum step {
	STEP_ENDED,   /* the inquiry is answered and gone */
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
 * inquiry.c. What ends an inquiry frees it; who gets STEP_ENDED must not touch
 * it any more.
 */

/* Answers all who asked, and ends. */
void inquiry_finish(struct inquiry *inquiry, struct span json,
    const struct answer_facts *facts);

/*
 * The provider did not answer, for that reason: STEP_FAILED, unless an older
 * answer of it serves.
 */
enum step inquiry_fail_step(
    struct inquiry *inquiry, enum places_status status, struct span why);

/* After a step that ended in a callback: STEP_FAILED asks the next. */
void inquiry_continue(struct inquiry *inquiry, enum step step);

/* inquiry_call.c. */

/* Asks inquiry->provider: its cache, then its upstream. */
enum step inquiry_ask_provider(struct inquiry *inquiry);

/* Makes a second attempt, after a rest. */
void inquiry_call_again(struct inquiry *inquiry);

/* Stops whatever it waits for. */
void inquiry_interrupt(struct inquiry *inquiry);

/* Calls for those who wait for the provider, as far as there are places. */
void inquiry_serve_waiting(struct provider *provider);

#endif
