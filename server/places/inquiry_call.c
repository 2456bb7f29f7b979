/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/inquiry_internal.h"

#include <event2/event.h>

#include "base/clock.h"
#include "herd/text.h"

static void on_fetched(void *arg, const struct fetch_result *result);

/* --- calls --------------------------------------------------------------- */

static uint64_t
ms_left(const struct inquiry *inquiry)
{
	return mono_since(inquiry->ends, clock_mono()) / HERD_NS_PER_MS;
}

static enum step
start_fetch(struct inquiry *inquiry)
{
	struct network *network = inquiry->network;
	struct provider *provider = inquiry->provider;
	uint64_t left = ms_left(inquiry);
	struct upstream_request request;
	enum herd_error error;

	if (left < INQUIRY_CALL_MIN_MS + INQUIRY_CALL_MARGIN_MS)
		return inquiry_fail_step(inquiry, PLACES_UNKNOWN_ERROR,
		    span_from("no time is left for a call"));
	left -= INQUIRY_CALL_MARGIN_MS;
	inquiry->granted_ms =
	    left < network->timeout_ms ? left : network->timeout_ms;
	upstream_request_init(&request);
	error = provider->upstream->ask(
	    &provider->config, &inquiry->question, &request);
	if (error == HERD_OK)
		error = fetch_start(network->fetcher, &request,
		    inquiry->trial == NULL ? FETCH_SHARES : FETCH_ANEW,
		    inquiry->granted_ms, on_fetched, inquiry, &inquiry->fetch);
	upstream_request_release(&request);
	if (error != HERD_OK)
		return inquiry_fail_step(inquiry, PLACES_UNKNOWN_ERROR,
		    span_from(herd_strerror(error)));
	inquiry->state = INQUIRY_CALLING;
	provider_bump(provider, PROVIDER_CALLS);
	return STEP_PENDING;
}

static void
show_breaker(struct provider *provider)
{
	atomic_store(&provider->breaker_state, provider->breaker.state);
}

/*
 * Of a call that ended without telling anything of the upstream. (The inquiry
 * may be gone by then.)
 */
static void
give_back_place(struct provider *provider, bool is_trial)
{
	atomic_fetch_sub(&provider->active, 1);
	if (!is_trial)
		breaker_forget(&provider->breaker, clock_mono());
	show_breaker(provider);
}

/* A call's place is free for it; the provider's guards may still say no. */
static enum step
start_call(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;
	struct mono now = clock_mono();
	bool is_trial = inquiry->trial != NULL;
	enum step step;

	if (!is_trial && !breaker_allows(&provider->breaker, now)) {
		provider_bump(provider, PROVIDER_REFUSED_BREAKER);
		return inquiry_fail_step(inquiry, PLACES_UNKNOWN_ERROR,
		    span_from("not asked, since too many calls failed"));
	}
	show_breaker(provider);
	if (!provider_may_call(provider, now)) {
		if (!is_trial)
			breaker_forget(&provider->breaker, now);
		show_breaker(provider);
		provider_bump(provider, PROVIDER_REFUSED_RATE);
		return inquiry_fail_step(inquiry, PLACES_OVER_QUERY_LIMIT,
		    span_from("this node's own limit of calls is reached"));
	}
	step = start_fetch(inquiry);
	if (step == STEP_PENDING) {
		atomic_fetch_add(&provider->active, 1);
		return step;
	}
	/* Not made; an older answer may have ended the inquiry. */
	if (!is_trial)
		breaker_forget(&provider->breaker, now);
	show_breaker(provider);
	return step;
}

static void
leave_line(struct inquiry *inquiry)
{
	TAILQ_REMOVE(&inquiry->provider->waiting, inquiry, in_line);
	atomic_fetch_sub(&inquiry->provider->waiting_count, 1);
	inquiry->state = INQUIRY_STEPPING;
}

/* Calls for those who wait, as far as there are places. */
void
inquiry_serve_waiting(struct provider *provider)
{
	while (atomic_load(&provider->active) < provider->max_active &&
	       !TAILQ_EMPTY(&provider->waiting)) {
		struct inquiry *inquiry = TAILQ_FIRST(&provider->waiting);

		leave_line(inquiry);
		inquiry_continue(inquiry, start_call(inquiry));
	}
}

static enum step
start_or_wait(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;

	if (atomic_load(&provider->active) < provider->max_active)
		return start_call(inquiry);
	if (atomic_load(&provider->waiting_count) >= provider->max_waiting) {
		provider_bump(provider, PROVIDER_REFUSED_QUEUE);
		return inquiry_fail_step(inquiry, PLACES_OVER_QUERY_LIMIT,
		    span_from("too many questions are waiting"));
	}
	TAILQ_INSERT_TAIL(&provider->waiting, inquiry, in_line);
	atomic_fetch_add(&provider->waiting_count, 1);
	inquiry->state = INQUIRY_WAITING;
	return STEP_PENDING;
}

/* --- a provider on the network ------------------------------------------- */

/* What the cache has; STEP_PENDING: the upstream is to be asked. */
static enum step
ask_cache(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;
	struct buf *answer = &inquiry->network->answer;
	struct answer_facts facts;

	buf_clear(answer);
	switch (cache_find(provider->cache, &inquiry->question, clock_mono(),
	    answer, &facts)) {
	case CACHE_NOTHING: return STEP_PENDING;
	case CACHE_FRESH:
		provider_bump(provider, PROVIDER_CACHED);
		inquiry_finish(inquiry, buf_span(answer), &facts);
		return STEP_ENDED;
	case CACHE_STALE:
		inquiry->has_stale =
		    buf_add_span(&inquiry->stale, buf_span(answer)) == HERD_OK;
		inquiry->stale_facts = facts;
		return STEP_PENDING;
	case CACHE_FAILURE:
		provider_bump(provider, PROVIDER_CACHED);
		return inquiry_fail_step(
		    inquiry, facts.status, buf_span(answer));
	}
	return STEP_PENDING;
}

enum step
inquiry_ask_provider(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;
	enum step step = STEP_PENDING;

	inquiry->is_retry = false;
	inquiry->has_stale = false;
	buf_clear(&inquiry->stale);
	if (inquiry->trial != NULL)
		(void)trial_step(inquiry->trial, provider->kind);
	else if (provider->cache != NULL)
		step = ask_cache(inquiry);
	if (step != STEP_PENDING)
		return step;
	if (inquiry->is_late)
		return inquiry_fail_step(inquiry, PLACES_UNKNOWN_ERROR,
		    span_from("no time is left for a call"));
	return start_or_wait(inquiry);
}

/* A connection or a gateway that failed may not fail twice. */
static bool
deserves_retry(const struct inquiry *inquiry, const struct fetch_result *result)
{
	if (inquiry->is_retry || inquiry->trial != NULL ||
	    ms_left(inquiry) < INQUIRY_REST_MAX_MS + INQUIRY_CALL_MIN_MS +
				   INQUIRY_CALL_MARGIN_MS)
		return false;
	switch (result->outcome) {
	case FETCH_ANSWERED:
		return result->http_status == 502 || result->http_status == 503;
	case FETCH_NAME:
	case FETCH_CONNECT: return true;
	case FETCH_BROKEN: return result->silent;
	case FETCH_TLS:
	case FETCH_TIMEOUT:
	case FETCH_TOO_LARGE:
	case FETCH_MEMORY: break;
	}
	return false;
}

static void
rest(struct inquiry *inquiry)
{
	uint64_t span = INQUIRY_REST_MAX_MS - INQUIRY_REST_MIN_MS;
	uint64_t ms = INQUIRY_REST_MIN_MS + clock_mono().ns / 1000 % span;
	struct timeval delay = { 0, (suseconds_t)(ms * 1000) };

	inquiry->is_retry = true;
	inquiry->state = INQUIRY_RESTING;
	provider_bump(inquiry->provider, PROVIDER_RETRIES);
	(void)event_add(inquiry->rest, &delay);
}

/*
 * The response with the key masked: what is cut of it later must not end in
 * a part of the key. HERD_ELIMIT: it has become too large.
 */
static enum herd_error
read_body(struct inquiry *inquiry, const struct fetch_result *result,
    struct buf *raw, struct answer_facts *facts, struct buf *why)
{
	struct provider *provider = inquiry->provider;
	struct span body = result->body;
	enum herd_error error = HERD_OK;
	struct buf masked;

	buf_init(&masked, PLACES_ANSWER_MAX);
	if (secret_is_in(&provider->secret, body)) {
		error = secret_mask(&provider->secret, body, &masked);
		body = buf_span(&masked);
	}
	if (error == HERD_OK)
		error = upstream_read(provider->upstream, &inquiry->question,
		    result->http_status, body, raw, facts, why);
	buf_release(&masked);
	return error;
}

/*
 * Reads the response into the thread's answer buffer, or what is wrong into
 * `why`; both without the key.
 */
static void
read_result(struct inquiry *inquiry, const struct fetch_result *result,
    struct answer_facts *facts, struct buf *why)
{
	struct provider *provider = inquiry->provider;
	struct buf *answer = &inquiry->network->answer;
	enum herd_error error = HERD_OK;
	struct buf raw;

	buf_clear(answer);
	buf_init(&raw, PLACES_ANSWER_MAX);
	*facts = (struct answer_facts){ PLACES_UNKNOWN_ERROR, 0 };
	if (result->outcome != FETCH_ANSWERED)
		error = text_to_utf8(why, span_from(result->text));
	else
		error = read_body(inquiry, result, &raw, facts, why);
	if (error == HERD_OK && places_status_is_good(facts->status))
		error = secret_mask(&provider->secret, buf_span(&raw), answer);
	if (error != HERD_OK) {
		facts->status = PLACES_UNKNOWN_ERROR;
		buf_clear(why);
		if (buf_addf(why, "the answer cannot be used: %s",
			herd_strerror(error)) != HERD_OK)
			buf_clear(why);
	}
	buf_release(&raw);
}

/* Who is asked when the provider fails; NULL: nobody. */
static const char *
name_of_next(const struct inquiry *inquiry)
{
	const struct setting_list *chain = &inquiry->network->places->chain;
	unsigned next = inquiry->step + 1;

	return next < chain->count
		   ? places_kind_name((enum places_kind)chain->items[next])
		   : NULL;
}

/* Tells the operator when a provider begins or ceases to fail. */
static void
note_result(
    struct inquiry *inquiry, const struct answer_facts *facts, struct span why)
{
	struct provider *provider = inquiry->provider;
	struct places *places = inquiry->network->places;
	struct mono now = clock_mono();
	bool good = places_status_is_good(facts->status);
	const char *next = name_of_next(inquiry);

	places_stats_count(&provider->stats, facts->status,
	    mono_since(now, inquiry->step_began));
	if (!good)
		provider_note_error(provider, why, now);
	if (good && provider->failing)
		places_event(places, LOG_INFO, "%s answers again",
		    provider_name(provider));
	if (!good && !provider->failing)
		places_event(places, LOG_WARN, "%s fails: %s; %s%s",
		    provider_name(provider), provider->last_error,
		    next != NULL ? next : "clients are told so",
		    next != NULL ? " is asked in its place" : "");
	provider->failing = !good;
}

/* Whether the upstream works, which a refusal does not call in question. */
static void
tell_breaker(struct inquiry *inquiry, const struct fetch_result *result,
    const struct answer_facts *facts)
{
	struct provider *provider = inquiry->provider;
	enum breaker_state before = provider->breaker.state;
	struct mono now = clock_mono();

	if (inquiry->trial != NULL)
		return;
	if (result->outcome == FETCH_MEMORY ||
	    (result->outcome == FETCH_TIMEOUT &&
		inquiry->granted_ms < inquiry->network->timeout_ms / 2))
		breaker_forget(&provider->breaker, now);
	else
		(void)breaker_done(&provider->breaker,
		    facts->status != PLACES_UNKNOWN_ERROR, now);
	show_breaker(provider);
	if (before == BREAKER_CLOSED && provider->breaker.state == BREAKER_OPEN)
		places_event(inquiry->network->places, LOG_WARN,
		    "%s: %u of the last %u calls failed; it is asked again in"
		    " %u s",
		    provider_name(provider), BREAKER_FAILURES, BREAKER_WINDOW,
		    (unsigned)(BREAKER_OPEN_NS / HERD_NS_PER_S));
}

static void
note_trial(struct inquiry *inquiry, const struct fetch_result *result,
    const struct answer_facts *facts)
{
	struct trial_step *step;

	if (inquiry->trial == NULL)
		return;
	step = &inquiry->trial->steps[inquiry->trial->count - 1];
	trial_step_times(step, result);
	step->facts = *facts;
}

/* The provider's part is over: answer, or go on. */
static void
settle(
    struct inquiry *inquiry, const struct answer_facts *facts, struct span why)
{
	struct provider *provider = inquiry->provider;
	struct span answer = buf_span(&inquiry->network->answer);
	bool good = places_status_is_good(facts->status);

	inquiry->state = INQUIRY_STEPPING;
	if (provider->cache != NULL && inquiry->trial == NULL)
		cache_keep(provider->cache, &inquiry->question, clock_mono(),
		    good ? answer : why, facts);
	if (good)
		inquiry_finish(inquiry, answer, facts);
	else
		inquiry_continue(
		    inquiry, inquiry_fail_step(inquiry, facts->status, why));
}

static void
on_fetched(void *arg, const struct fetch_result *result)
{
	struct inquiry *inquiry = arg;
	struct provider *provider = inquiry->provider;
	struct answer_facts facts;
	struct buf masked;
	struct buf why;

	inquiry->fetch = NULL;
	if (deserves_retry(inquiry, result)) {
		rest(inquiry);
		return;
	}
	atomic_fetch_sub(&provider->active, 1);
	buf_init(&why, UPSTREAM_WHY_MAX);
	buf_init(&masked, 2 * UPSTREAM_WHY_MAX);
	read_result(inquiry, result, &facts, &why);
	if (secret_mask(&provider->secret, buf_span(&why), &masked) != HERD_OK)
		buf_clear(&masked);
	note_result(inquiry, &facts, buf_span(&masked));
	tell_breaker(inquiry, result, &facts);
	note_trial(inquiry, result, &facts);
	settle(inquiry, &facts, buf_span(&masked));
	buf_release(&masked);
	buf_release(&why);
	inquiry_serve_waiting(provider);
}

void
inquiry_call_again(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;
	enum step step;

	if (provider_may_call(provider, clock_mono()))
		step = start_fetch(inquiry);
	else
		step = inquiry_fail_step(inquiry, PLACES_OVER_QUERY_LIMIT,
		    span_from("this node's own limit of calls is reached"));
	if (step == STEP_PENDING)
		return;
	/* Its place was kept while it rested; trials do not rest. */
	give_back_place(provider, false);
	inquiry_continue(inquiry, step);
	inquiry_serve_waiting(provider);
}

/* Stops whatever it waits for. */
void
inquiry_interrupt(struct inquiry *inquiry)
{
	struct provider *provider = inquiry->provider;

	switch (inquiry->state) {
	case INQUIRY_STEPPING: return;
	case INQUIRY_WAITING: leave_line(inquiry); return;
	case INQUIRY_CALLING:
		fetch_abort(inquiry->fetch);
		inquiry->fetch = NULL;
		break;
	case INQUIRY_RESTING: (void)event_del(inquiry->rest); break;
	}
	inquiry->state = INQUIRY_STEPPING;
	give_back_place(provider, inquiry->trial != NULL);
}
