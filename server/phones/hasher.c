/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/hasher.h"

#include <stdlib.h>
#include <string.h>

#include "base/thread.h"

struct hasher {
	struct mailbox *mailbox;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct hash_job *first; /* the queue */
	struct hash_job **last;
	unsigned queued;
	bool stopping;
	_Atomic unsigned waiting;
	pthread_t threads[HASHER_THREADS];
	unsigned thread_count;
};

/* The next job, NULL: it is over. */
static struct hash_job *
take(struct hasher *hasher)
{
	struct hash_job *job;

	pthread_mutex_lock(&hasher->lock);
	while (hasher->first == NULL && !hasher->stopping)
		pthread_cond_wait(&hasher->wake, &hasher->lock);
	job = hasher->stopping ? NULL : hasher->first;
	if (job != NULL) {
		hasher->first = job->next;
		if (hasher->first == NULL)
			hasher->last = &hasher->first;
		hasher->queued--;
	}
	pthread_mutex_unlock(&hasher->lock);
	return job;
}

static void
send_back(struct hasher *hasher, struct hash_job *job)
{
	explicit_bzero(job->password, sizeof(job->password));
	atomic_fetch_sub(&hasher->waiting, 1);
	mailbox_post(hasher->mailbox, &job->message);
}

static void *
run(void *arg)
{
	struct hasher *hasher = arg;
	struct hash_job *job;

	while ((job = take(hasher)) != NULL) {
		job->fits = users_hash_fits(span_of(job->hash, job->hash_len),
		    span_of(job->password, job->password_len));
		send_back(hasher, job);
	}
	return NULL;
}

enum herd_error
hasher_open(struct mailbox *mailbox, struct hasher **out)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher == NULL)
		return HERD_ENOMEM;
	hasher->mailbox = mailbox;
	hasher->last = &hasher->first;
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->wake, NULL);
	while (hasher->thread_count < HASHER_THREADS &&
	       thread_start(&hasher->threads[hasher->thread_count],
		   "phones-hash", THREAD_PATIENT, run, hasher) == 0)
		hasher->thread_count++;
	if (hasher->thread_count == 0) {
		hasher_close(hasher);
		return HERD_ESYSTEM;
	}
	*out = hasher;
	return HERD_OK;
}

void
hasher_close(struct hasher *hasher)
{
	if (hasher == NULL)
		return;
	pthread_mutex_lock(&hasher->lock);
	hasher->stopping = true;
	pthread_cond_broadcast(&hasher->wake);
	pthread_mutex_unlock(&hasher->lock);
	for (unsigned i = 0; i < hasher->thread_count; i++)
		pthread_join(hasher->threads[i], NULL);
	while (hasher->first != NULL) {
		struct hash_job *job = hasher->first;

		hasher->first = job->next;
		send_back(hasher, job);
	}
	pthread_cond_destroy(&hasher->wake);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}

bool
hasher_submit(struct hasher *hasher, struct hash_job *job)
{
	bool taken = false;

	job->next = NULL;
	pthread_mutex_lock(&hasher->lock);
	if (hasher->queued < HASHER_QUEUE_MAX && !hasher->stopping) {
		*hasher->last = job;
		hasher->last = &job->next;
		hasher->queued++;
		atomic_fetch_add(&hasher->waiting, 1);
		pthread_cond_signal(&hasher->wake);
		taken = true;
	}
	pthread_mutex_unlock(&hasher->lock);
	return taken;
}

unsigned
hasher_waiting(const struct hasher *hasher)
{
	return atomic_load(&hasher->waiting);
}
