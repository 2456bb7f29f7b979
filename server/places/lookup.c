/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/lookup.h"

#include <assert.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "places/lookup_request.h"
#include "places/question.h"

static void go_on(struct places_lookup *lookup);

/* --- its life ------------------------------------------------------------ */

static struct lookup_list *
bucket_of(struct network *network, const struct places_question *question)
{
	uint64_t hash = question_hash(question);

	return &network->lookups[hash & (NETWORK_BUCKETS - 1)];
}

/* The one place where a lookup dies; its askers are answered. */
static void
lookup_free(struct places_lookup *lookup)
{
	assert(TAILQ_EMPTY(&lookup->askers));
	assert(lookup->state == LOOKUP_STEPPING);
	LIST_REMOVE(lookup, same_hash);
	event_free(lookup->deadline);
	event_free(lookup->rest);
	buf_release(&lookup->stale);
	buf_release(&lookup->why);
	free(lookup);
}

/* Answers all askers, and ends. */
void
lookup_finish(
    struct places_lookup *lookup, struct span json, enum places_status status)
{
	struct places_asker *asker;

	while ((asker = TAILQ_FIRST(&lookup->askers)) != NULL) {
		TAILQ_REMOVE(&lookup->askers, asker, link);
		network_answer(asker, json, status);
	}
	lookup_free(lookup);
}

/* No provider could answer: the answer says so. */
static void
finish_failed(struct places_lookup *lookup)
{
	struct span why = buf_span(&lookup->why);

	if (why.len == 0)
		why = span_from("There is no places provider.");
	lookup_finish(lookup,
	    network_write_failure(lookup->network, lookup->status, why),
	    lookup->status);
}

/* --- failures ------------------------------------------------------------ */

static void
note_why(struct places_lookup *lookup, enum places_status status,
    const char *who, struct span why)
{
	size_t before = lookup->why.len;

	if (before == 0)
		lookup->status = status;
	/* A reason that does not fit is left out. */
	if (buf_addf(&lookup->why, "%s%s: " SPAN_FMT, before > 0 ? "; " : "",
		who, SPAN_ARG(why)) != HERD_OK)
		buf_truncate(&lookup->why, before);
	if (lookup->test != NULL && lookup->test->count > 0) {
		struct test_call_step *step =
		    &lookup->test->steps[lookup->test->count - 1];

		step->facts.status = status;
		places_keep_error(step->text, why);
	}
}

enum step
lookup_fail_step(
    struct places_lookup *lookup, enum places_status status, struct span why)
{
	struct provider *provider = lookup->provider;

	lookup->state = LOOKUP_STEPPING;
	note_why(lookup, status, provider_name(provider), why);
	if (!lookup->has_stale)
		return STEP_FAILED;
	provider_bump(provider, PROVIDER_STALE);
	lookup_finish(lookup, buf_span(&lookup->stale), lookup->stale_status);
	return STEP_ENDED;
}

void
lookup_continue(struct places_lookup *lookup, enum step step)
{
	if (step == STEP_FAILED) {
		lookup->step++;
		go_on(lookup);
	}
}

/* --- the chain ----------------------------------------------------------- */

static enum step
ask_local(struct places_lookup *lookup, enum places_kind kind)
{
	struct network *network = lookup->network;
	struct buf *answer = &network->answer;
	struct test_call_step *step = NULL;
	struct answer_facts facts;
	bool good;

	if (kind != PLACES_GAZETTEER)
		return STEP_FAILED;
	if (lookup->test != NULL)
		step = test_call_step(lookup->test, kind);
	buf_clear(answer);
	good = places_ask_gazetteer(
	    network->reader, &lookup->question, answer, &facts);
	if (step != NULL) {
		step->facts = facts;
		step->total_ms =
		    (double)mono_since(clock_mono(), lookup->step_began) / 1e6;
	}
	if (!good) {
		note_why(lookup, facts.status, places_kind_name(kind),
		    span_from("its data could not be read"));
		return STEP_FAILED;
	}
	lookup_finish(lookup, buf_span(answer), facts.status);
	return STEP_ENDED;
}

/* Asks providers from lookup->step on, until one answers or will later. */
static void
go_on(struct places_lookup *lookup)
{
	const struct places *places = lookup->network->places;
	enum step step = STEP_FAILED;

	while (lookup->step < places->chain.count) {
		enum places_kind kind =
		    (enum places_kind)places->chain.items[lookup->step];

		lookup->step_began = clock_mono();
		lookup->provider = places->providers[lookup->step];
		step = lookup->provider != NULL ? lookup_request_start(lookup)
						: ask_local(lookup, kind);
		if (step != STEP_FAILED)
			return;
		lookup->step++;
	}
	finish_failed(lookup);
}

static void
on_rested(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	lookup_request_again(arg);
}

static void
on_deadline(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct places_lookup *lookup = arg;
	struct provider *provider = lookup->provider;

	lookup_request_interrupt(lookup);
	lookup->is_late = true;
	lookup_continue(lookup, lookup_fail_step(lookup, PLACES_UNKNOWN_ERROR,
				    span_from("there was no answer in time")));
	lookup_request_serve(provider);
}

/* --- from outside -------------------------------------------------------- */

/* A lookup of the same question that the asker can join. */
static struct places_lookup *
find_same(const struct places_asker *asker)
{
	struct places_lookup *lookup = NULL;

	if (asker->test != NULL)
		return NULL;
	LIST_FOREACH(
	    lookup, bucket_of(asker->network, &asker->question), same_hash)
	{
		if (lookup->test == NULL && lookup->first == asker->first &&
		    question_equal(&lookup->question, &asker->question))
			return lookup;
	}
	return NULL;
}

static enum herd_error
lookup_new(const struct places_asker *asker, struct places_lookup **out)
{
	struct network *network = asker->network;
	struct places_lookup *lookup = calloc(1, sizeof(*lookup));

	if (lookup == NULL)
		return HERD_ENOMEM;
	lookup->network = network;
	lookup->question = asker->question;
	lookup->test = asker->test;
	lookup->first = lookup->step = asker->first;
	lookup->status = PLACES_REQUEST_DENIED;
	lookup->ends = mono_add(asker->asked_at,
	    (PLACES_DEADLINE_MS - LOOKUP_MARGIN_MS) * HERD_NS_PER_MS);
	TAILQ_INIT(&lookup->askers);
	buf_init(&lookup->stale, PLACES_ANSWER_MAX);
	buf_init(&lookup->why, 4 * UPSTREAM_WHY_MAX);
	lookup->deadline = event_new(network->base, -1, 0, on_deadline, lookup);
	lookup->rest = event_new(network->base, -1, 0, on_rested, lookup);
	if (lookup->deadline == NULL || lookup->rest == NULL) {
		if (lookup->deadline != NULL)
			event_free(lookup->deadline);
		if (lookup->rest != NULL)
			event_free(lookup->rest);
		free(lookup);
		return HERD_ENOMEM;
	}
	LIST_INSERT_HEAD(
	    bucket_of(network, &lookup->question), lookup, same_hash);
	*out = lookup;
	return HERD_OK;
}

enum herd_error
lookup_ask(struct places_asker *asker)
{
	struct places_lookup *lookup = find_same(asker);
	struct timeval delay;
	enum herd_error error;
	uint64_t left;

	if (lookup != NULL) {
		TAILQ_INSERT_TAIL(&lookup->askers, asker, link);
		if (lookup->provider != NULL)
			provider_bump(lookup->provider, PROVIDER_SHARED);
		return HERD_OK;
	}
	error = lookup_new(asker, &lookup);
	if (error != HERD_OK)
		return error;
	TAILQ_INSERT_TAIL(&lookup->askers, asker, link);
	left = mono_since(lookup->ends, clock_mono()) / 1000;
	delay.tv_sec = (time_t)(left / 1000000);
	delay.tv_usec = (suseconds_t)(left % 1000000);
	(void)event_add(lookup->deadline, &delay);
	go_on(lookup);
	return HERD_OK;
}

void
lookup_end_all(struct network *network)
{
	for (size_t i = 0; i < NETWORK_BUCKETS; i++) {
		struct places_lookup *lookup;

		while ((lookup = LIST_FIRST(&network->lookups[i])) != NULL) {
			/* The analyzer does not see that the list's head
			 * moves. */
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			lookup_request_interrupt(lookup);
			buf_clear(&lookup->why);
			note_why(lookup, PLACES_UNKNOWN_ERROR, "herdd",
			    span_from("this node is stopping"));
			finish_failed(lookup);
		}
	}
}
