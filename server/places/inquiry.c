/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/inquiry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "places/inquiry_internal.h"
#include "places/question.h"

static void go_on(struct inquiry *inquiry);

/* --- its life ------------------------------------------------------------- */

static struct inquiry_list *
bucket_of(struct network *network, const struct places_question *question)
{
	uint64_t hash = question_hash(question);

	return &network->inquiries[hash & (NETWORK_BUCKETS - 1)];
}

/* The one place where an inquiry dies; its calls are answered. */
static void
inquiry_free(struct inquiry *inquiry)
{
	assert(TAILQ_EMPTY(&inquiry->calls));
	assert(inquiry->state == INQUIRY_STEPPING);
	LIST_REMOVE(inquiry, same_hash);
	event_free(inquiry->deadline);
	event_free(inquiry->rest);
	buf_release(&inquiry->stale);
	buf_release(&inquiry->why);
	free(inquiry);
}

/* Answers all who asked, and ends. */
void
inquiry_finish(
    struct inquiry *inquiry, struct span json, const struct answer_facts *facts)
{
	struct network *network = inquiry->network;
	struct mono now = clock_mono();
	struct places_call *call;

	while ((call = TAILQ_FIRST(&inquiry->calls)) != NULL) {
		TAILQ_REMOVE(&inquiry->calls, call, link);
		places_stats_count(&network->answers, facts->status,
		    mono_since(now, call->asked_at));
		if (call->trial != NULL)
			trial_end(call->trial);
		else
			places_call_answer(call, json);
		places_call_release(call);
		atomic_fetch_sub(&network->pending, 1);
	}
	inquiry_free(inquiry);
}

/* Nobody could answer: that is the answer. */
static void
finish_failed(struct inquiry *inquiry)
{
	struct answer_facts facts = { inquiry->status, 0 };
	struct buf *answer = &inquiry->network->answer;
	struct span why = buf_span(&inquiry->why);

	if (why.len == 0)
		why = span_from("There is no places provider.");
	buf_clear(answer);
	if (places_answer_empty(answer, facts.status, why) != HERD_OK)
		buf_clear(answer);
	inquiry_finish(inquiry, buf_span(answer), &facts);
}

/* --- failures ------------------------------------------------------------ */

/* What does not fit is left out. */
static void HERD_PRINTF(2, 3) append(struct buf *out, const char *fmt, ...)
{
	va_list args;
	enum herd_error error;

	va_start(args, fmt);
	error = buf_addv(out, fmt, args);
	va_end(args);
	assert(
	    error == HERD_OK || error == HERD_ELIMIT || error == HERD_ENOMEM);
}

static void
note_why(struct inquiry *inquiry, enum places_status status, const char *who,
    struct span why)
{
	if (inquiry->why.len == 0)
		inquiry->status = status;
	append(&inquiry->why, "%s%s: " SPAN_FMT,
	    inquiry->why.len > 0 ? "; " : "", who, SPAN_ARG(why));
	if (inquiry->trial != NULL && inquiry->trial->count > 0) {
		struct trial_step *step =
		    &inquiry->trial->steps[inquiry->trial->count - 1];

		step->facts.status = status;
		trial_step_text(step, why);
	}
}

/* The provider did not answer; an older answer of it may serve. */
enum step
inquiry_fail_step(
    struct inquiry *inquiry, enum places_status status, struct span why)
{
	struct provider *provider = inquiry->provider;

	inquiry->state = INQUIRY_STEPPING;
	note_why(inquiry, status, provider_name(provider), why);
	if (!inquiry->has_stale)
		return STEP_FAILED;
	provider_bump(provider, PROVIDER_STALE);
	inquiry_finish(
	    inquiry, buf_span(&inquiry->stale), &inquiry->stale_facts);
	return STEP_ENDED;
}

/* After a step that ended in a callback. */
void
inquiry_continue(struct inquiry *inquiry, enum step step)
{
	if (step == STEP_FAILED) {
		inquiry->step++;
		go_on(inquiry);
	}
}

/* --- the chain ----------------------------------------------------------- */

static enum step
ask_local(struct inquiry *inquiry, enum places_kind kind)
{
	struct network *network = inquiry->network;
	struct buf *answer = &network->answer;
	struct trial_step *step = NULL;
	struct answer_facts facts;
	bool good;

	if (kind != PLACES_GAZETTEER)
		return STEP_FAILED;
	if (inquiry->trial != NULL)
		step = trial_step(inquiry->trial, kind);
	buf_clear(answer);
	good = places_ask_gazetteer(
	    network->reader, &inquiry->question, answer, &facts);
	if (step != NULL) {
		step->facts = facts;
		step->total_ms =
		    (double)mono_since(clock_mono(), inquiry->step_began) / 1e6;
	}
	if (!good) {
		note_why(inquiry, facts.status, places_kind_name(kind),
		    span_from("its data could not be read"));
		return STEP_FAILED;
	}
	inquiry_finish(inquiry, buf_span(answer), &facts);
	return STEP_ENDED;
}

/* Asks from inquiry->step on, until one answers or is waited for. */
static void
go_on(struct inquiry *inquiry)
{
	const struct places *places = inquiry->network->places;
	enum step step = STEP_FAILED;

	while (inquiry->step < places->chain.count) {
		enum places_kind kind =
		    (enum places_kind)places->chain.items[inquiry->step];

		inquiry->step_began = clock_mono();
		inquiry->provider = places->providers[inquiry->step];
		step = inquiry->provider != NULL ? inquiry_ask_provider(inquiry)
						 : ask_local(inquiry, kind);
		if (step != STEP_FAILED)
			return;
		inquiry->step++;
	}
	finish_failed(inquiry);
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	inquiry_call_again(arg);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct inquiry *inquiry = arg;
	struct provider *provider = inquiry->provider;

	(void)fd;
	(void)what;
	inquiry_interrupt(inquiry);
	inquiry->is_late = true;
	inquiry_continue(
	    inquiry, inquiry_fail_step(inquiry, PLACES_UNKNOWN_ERROR,
			 span_from("there was no answer in time")));
	inquiry_serve_waiting(provider);
}

/* --- from outside -------------------------------------------------------- */

/* An inquiry of the same question that this call can join. */
static struct inquiry *
find_same(struct network *network, const struct places_call *call)
{
	struct inquiry *inquiry = NULL;

	if (call->trial != NULL)
		return NULL;
	LIST_FOREACH(inquiry, bucket_of(network, &call->question), same_hash)
	{
		if (inquiry->trial == NULL && inquiry->first == call->first &&
		    question_equal(&inquiry->question, &call->question))
			return inquiry;
	}
	return NULL;
}

static enum herd_error
inquiry_new(struct network *network, const struct places_call *call,
    struct inquiry **out)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (inquiry == NULL)
		return HERD_ENOMEM;
	inquiry->network = network;
	inquiry->question = call->question;
	inquiry->trial = call->trial;
	inquiry->first = inquiry->step = call->first;
	inquiry->status = PLACES_REQUEST_DENIED;
	inquiry->ends = mono_add(call->asked_at,
	    (PLACES_DEADLINE_MS - INQUIRY_MARGIN_MS) * HERD_NS_PER_MS);
	TAILQ_INIT(&inquiry->calls);
	buf_init(&inquiry->stale, PLACES_ANSWER_MAX);
	buf_init(&inquiry->why, 4 * UPSTREAM_WHY_MAX);
	inquiry->deadline =
	    event_new(network->base, -1, 0, on_deadline, inquiry);
	inquiry->rest = event_new(network->base, -1, 0, on_rested, inquiry);
	LIST_INSERT_HEAD(
	    bucket_of(network, &inquiry->question), inquiry, same_hash);
	if (inquiry->deadline == NULL || inquiry->rest == NULL) {
		LIST_REMOVE(inquiry, same_hash);
		if (inquiry->deadline != NULL)
			event_free(inquiry->deadline);
		free(inquiry);
		return HERD_ENOMEM;
	}
	*out = inquiry;
	return HERD_OK;
}

enum herd_error
inquiry_ask(struct network *network, struct places_call *call)
{
	struct inquiry *inquiry = find_same(network, call);
	struct timeval delay;
	enum herd_error error;
	uint64_t left;

	if (inquiry != NULL) {
		TAILQ_INSERT_TAIL(&inquiry->calls, call, link);
		if (inquiry->provider != NULL)
			provider_bump(inquiry->provider, PROVIDER_SHARED);
		return HERD_OK;
	}
	error = inquiry_new(network, call, &inquiry);
	if (error != HERD_OK)
		return error;
	TAILQ_INSERT_TAIL(&inquiry->calls, call, link);
	left = mono_since(inquiry->ends, clock_mono()) / 1000;
	delay.tv_sec = (time_t)(left / 1000000);
	delay.tv_usec = (suseconds_t)(left % 1000000);
	(void)event_add(inquiry->deadline, &delay);
	go_on(inquiry);
	return HERD_OK;
}

void
inquiry_end_all(struct network *network)
{
	for (size_t i = 0; i < NETWORK_BUCKETS; i++) {
		struct inquiry *inquiry;

		while ((inquiry = LIST_FIRST(&network->inquiries[i])) != NULL) {
			/* The analyzer does not see that the list's head
			 * moves. */
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			inquiry_interrupt(inquiry);
			buf_clear(&inquiry->why);
			note_why(inquiry, PLACES_UNKNOWN_ERROR, "herdd",
			    span_from("this node is stopping"));
			finish_failed(inquiry);
		}
	}
}
