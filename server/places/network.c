/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/network.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/thread.h"

/* Without memory for an inquiry: the failure's text needs little. */
static void
answer_without_memory(struct network *network, struct places_call *call)
{
	struct buf *answer = &network->answer;

	buf_clear(answer);
	if (places_answer_empty(answer, PLACES_UNKNOWN_ERROR,
		span_from(herd_strerror(HERD_ENOMEM))) != HERD_OK)
		buf_clear(answer);
	places_stats_count(&network->answers, PLACES_UNKNOWN_ERROR,
	    mono_since(clock_mono(), call->asked_at));
	if (call->trial != NULL)
		trial_end(call->trial);
	else
		places_call_answer(call, buf_span(answer));
	places_call_release(call);
	atomic_fetch_sub(&network->pending, 1);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct network *network = arg;
	struct call_list posted = TAILQ_HEAD_INITIALIZER(posted);
	struct places_call *call;
	eventfd_t count;
	bool stop;

	(void)what;
	(void)eventfd_read(fd, &count);
	pthread_mutex_lock(&network->lock);
	TAILQ_CONCAT(&posted, &network->posted, link);
	stop = network->stop;
	pthread_mutex_unlock(&network->lock);
	while ((call = TAILQ_FIRST(&posted)) != NULL) {
		TAILQ_REMOVE(&posted, call, link);
		if (inquiry_ask(network, call) != HERD_OK)
			answer_without_memory(network, call);
	}
	if (stop) {
		inquiry_end_all(network);
		(void)event_base_loopbreak(network->base);
	}
}

static void *
run(void *arg)
{
	struct network *network = arg;

	pulse_register("places");
	(void)event_base_dispatch(network->base);
	return NULL;
}

static enum herd_error
start_thread(struct network *network)
{
	errno = thread_start(&network->thread, NULL, run, network);
	return errno == 0 ? HERD_OK : HERD_ESYSTEM;
}

static void
release(struct network *network)
{
	fetcher_close(network->fetcher);
	if (network->wake != NULL)
		event_free(network->wake);
	if (network->base != NULL)
		event_base_free(network->base);
	if (network->wake_fd >= 0)
		(void)close(network->wake_fd);
	places_reader_close(network->reader);
	buf_release(&network->answer);
	pthread_mutex_destroy(&network->lock);
	free(network);
}

static enum herd_error
open_loop(struct network *network, const struct fetch_options *options)
{
	network->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (network->wake_fd < 0)
		return HERD_ESYSTEM;
	network->base = event_base_new();
	if (network->base == NULL)
		return HERD_ENOMEM;
	network->wake = event_new(network->base, network->wake_fd,
	    EV_READ | EV_PERSIST, on_wake, network);
	if (network->wake == NULL || event_add(network->wake, NULL) != 0)
		return HERD_ENOMEM;
	return fetcher_open(network->base, options, &network->fetcher);
}

enum herd_error
network_open(struct places *places, const struct fetch_options *options,
    uint64_t timeout_ms, struct network **out)
{
	struct network *network = calloc(1, sizeof(*network));
	enum herd_error error;

	if (network == NULL)
		return HERD_ENOMEM;
	network->places = places;
	network->timeout_ms = timeout_ms;
	network->wake_fd = -1;
	pthread_mutex_init(&network->lock, NULL);
	TAILQ_INIT(&network->posted);
	for (size_t i = 0; i < NETWORK_BUCKETS; i++)
		LIST_INIT(&network->inquiries[i]);
	places_stats_init(&network->answers);
	buf_init(&network->answer, PLACES_ANSWER_MAX);
	error = places_reader_open(places, &network->reader);
	if (error == HERD_OK)
		error = open_loop(network, options);
	if (error == HERD_OK)
		error = start_thread(network);
	if (error != HERD_OK) {
		release(network);
		return error;
	}
	*out = network;
	return HERD_OK;
}

static void
wake_up(struct network *network)
{
	/* Fails only when 2^64-2 wakes are unread. */
	(void)eventfd_write(network->wake_fd, 1);
}

void
network_close(struct network *network)
{
	if (network == NULL)
		return;
	pthread_mutex_lock(&network->lock);
	network->stop = true;
	pthread_mutex_unlock(&network->lock);
	wake_up(network);
	(void)pthread_join(network->thread, NULL);
	release(network);
}

enum herd_error
network_post(struct network *network, struct places_call *call)
{
	bool was_empty;

	if (atomic_fetch_add(&network->pending, 1) >= NETWORK_PENDING_MAX) {
		atomic_fetch_sub(&network->pending, 1);
		return HERD_ELIMIT;
	}
	pthread_mutex_lock(&network->lock);
	was_empty = TAILQ_EMPTY(&network->posted);
	TAILQ_INSERT_TAIL(&network->posted, call, link);
	pthread_mutex_unlock(&network->lock);
	if (was_empty)
		wake_up(network);
	return HERD_OK;
}
