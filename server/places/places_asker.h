/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One who waits for the answer to a question. The asker and the Places thread
 * both hold it; it is freed when both have let go. Its lock makes sure that
 * no answer comes after places_asker_cancel().
 */
#ifndef HERD_PLACES_ASKER_H
#define HERD_PLACES_ASKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/mailbox.h"
#include "herd/time.h"
#include "places/places.h"

struct network;
struct test_call;

struct places_asker {
	struct message message; /* first: to the Places thread */
	struct network *network;
	TAILQ_ENTRY(places_asker) link; /* of a lookup */
	struct places_question question;
	struct mono asked_at;
	struct test_call *test; /* NULL: a client's question */
	unsigned first;         /* where in the chain to begin */
	places_on_answer *on_answer;
	void *arg;
	_Atomic unsigned holders;
	pthread_mutex_t lock; /* of `cancelled`, and held during on_answer */
	bool cancelled;
};

TAILQ_HEAD(asker_list, places_asker);

/* Has two holders; each lets go with places_asker_free(). */
HERD_MUST_CHECK enum herd_error places_asker_new(
    const struct places_question *question, struct places_asker **out);

/* Calls on_answer, unless the asker has cancelled. */
void places_asker_answer(struct places_asker *asker, struct span json);

#endif
