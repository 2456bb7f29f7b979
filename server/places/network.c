/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/network.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/thread.h"

void
network_answer(
    struct places_asker *asker, struct span json, enum places_status status)
{
	struct network *network = asker->network;

	places_stats_count(&network->answers, status,
	    mono_since(clock_mono(), asker->asked_at));
	if (asker->test != NULL)
		test_call_end(asker->test);
	else
		places_asker_answer(asker, json);
	places_asker_free(asker);
	atomic_fetch_sub(&network->pending, 1);
}

struct span
network_write_failure(
    struct network *network, enum places_status status, struct span why)
{
	buf_clear(&network->answer);
	if (answer_write_empty(&network->answer, status, why) != HERD_OK)
		buf_clear(&network->answer);
	return buf_span(&network->answer);
}

static void
on_asker(struct message *message)
{
	struct places_asker *asker = (struct places_asker *)message;

	/* Without memory for a lookup; the failure's text needs little. */
	if (lookup_ask(asker) != HERD_OK)
		network_answer(asker,
		    network_write_failure(asker->network, PLACES_UNKNOWN_ERROR,
			span_from(herd_strerror(HERD_ENOMEM))),
		    PLACES_UNKNOWN_ERROR);
}

static void
on_stop(struct message *message)
{
	struct network *network = (struct network *)message;

	lookup_end_all(network);
	(void)event_base_loopbreak(network->base);
}

static void *
run(void *arg)
{
	struct network *network = arg;

	(void)event_base_dispatch(network->base);
	return NULL;
}

static enum herd_error
start_thread(struct network *network)
{
	errno =
	    thread_start(&network->thread, "places", THREAD_LOOP, run, network);
	return errno == 0 ? HERD_OK : HERD_ESYSTEM;
}

static void
release(struct network *network)
{
	fetcher_close(network->fetcher);
	if (network->has_mailbox)
		mailbox_release(&network->mailbox);
	if (network->base != NULL)
		event_base_free(network->base);
	places_reader_close(network->reader);
	buf_release(&network->answer);
	free(network);
}

static enum herd_error
open_loop(struct network *network, const struct fetch_options *options)
{
	enum herd_error error;

	network->base = event_base_new();
	if (network->base == NULL)
		return HERD_ENOMEM;
	error = mailbox_init(&network->mailbox, network->base, NULL, NULL);
	if (error != HERD_OK)
		return error;
	network->has_mailbox = true;
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
	network->stop.run = on_stop;
	for (size_t i = 0; i < NETWORK_BUCKETS; i++)
		LIST_INIT(&network->lookups[i]);
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

void
network_close(struct network *network)
{
	if (network == NULL)
		return;
	mailbox_post(&network->mailbox, &network->stop);
	(void)pthread_join(network->thread, NULL);
	release(network);
}

enum herd_error
network_post(struct network *network, struct places_asker *asker)
{
	if (atomic_fetch_add(&network->pending, 1) >= NETWORK_PENDING_MAX) {
		atomic_fetch_sub(&network->pending, 1);
		return HERD_ELIMIT;
	}
	asker->network = network;
	asker->message.run = on_asker;
	mailbox_post(&network->mailbox, &asker->message);
	return HERD_OK;
}
