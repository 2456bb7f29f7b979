/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/places_search.h"

#include <pthread.h>

#include "places/places_internal.h"

struct search {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool is_answered;
	struct buf *out;
	enum herd_error error;
};

static void
on_answer(void *arg, struct span json)
{
	struct search *search = arg;

	pthread_mutex_lock(&search->lock);
	search->error = buf_add_span(search->out, json);
	search->is_answered = true;
	pthread_cond_signal(&search->answered);
	pthread_mutex_unlock(&search->lock);
}

/* One reader for all of them: its lock is not held while one waits. */
static enum places_result
ask(struct places *places, const struct places_question *question,
    struct search *search, struct places_asker **asker)
{
	enum places_result result;

	pthread_mutex_lock(&places->search_lock);
	result = places_ask(places->search_reader, question, search->out,
	    on_answer, search, asker);
	pthread_mutex_unlock(&places->search_lock);
	return result;
}

enum herd_error
places_search(struct places *places, const struct places_question *question,
    struct buf *out)
{
	struct search search = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.answered = PTHREAD_COND_INITIALIZER,
		.out = out,
		.error = HERD_OK };
	struct places_asker *asker = NULL;

	if (ask(places, question, &search, &asker) == PLACES_PENDING) {
		pthread_mutex_lock(&search.lock);
		while (!search.is_answered)
			pthread_cond_wait(&search.answered, &search.lock);
		pthread_mutex_unlock(&search.lock);
		places_asker_free(asker);
	}
	pthread_cond_destroy(&search.answered);
	pthread_mutex_destroy(&search.lock);
	return search.error;
}
