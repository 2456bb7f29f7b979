/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One asker's pending question. Two parties hold it, the asker and the
 * Places thread; it is freed when both have let go. Its lock makes sure that
 * an answer does not come once the asker has cancelled.
 */
#ifndef HERD_PLACES_CALL_H
#define HERD_PLACES_CALL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/mailbox.h"
#include "herd/time.h"
#include "places/places.h"

struct network;
struct trial;

struct places_call {
	struct message message; /* first: to the Places thread */
	struct network *network;
	TAILQ_ENTRY(places_call) link; /* of an inquiry */
	struct places_question question;
	struct mono asked_at;
	struct trial *trial; /* a test call; NULL: an ordinary one */
	unsigned first;      /* where in the chain to begin */
	places_on_answer *on_answer;
	void *arg;
	_Atomic unsigned holders;
	pthread_mutex_t lock; /* of `cancelled`, and held during on_answer */
	bool cancelled;
};

TAILQ_HEAD(call_list, places_call);

/* Held by two: the caller lets go with places_call_release() for each. */
HERD_MUST_CHECK enum herd_error places_call_new(
    const struct places_question *question, struct mono asked_at,
    struct places_call **out);

/* Answers, unless it was cancelled. */
void places_call_answer(struct places_call *call, struct span json);

void places_call_release(struct places_call *call);

#endif
