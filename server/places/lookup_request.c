/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/lookup_request.h"

#include <event2/event.h>

#include "base/clock.h"
#include "herd/text.h"

static void on_fetched(void *arg, const struct fetch_result *result);

/* --- requests ------------------------------------------------------------ */

static uint64_t
ms_left(const struct places_lookup *lookup)
{
	return mono_since(lookup->ends, clock_mono()) / HERD_NS_PER_MS;
}

static enum step
start_fetch(struct places_lookup *lookup)
{
	struct network *network = lookup->network;
	struct provider *provider = lookup->provider;
	uint64_t left = ms_left(lookup);
	struct upstream_request request;
	enum herd_error error;

	if (left < LOOKUP_REQUEST_MIN_MS + LOOKUP_REQUEST_MARGIN_MS)
		return lookup_fail_step(lookup, PLACES_UNKNOWN_ERROR,
		    span_from("no time is left for a call"));
	left -= LOOKUP_REQUEST_MARGIN_MS;
	lookup->granted_ms =
	    left < network->timeout_ms ? left : network->timeout_ms;
	upstream_request_init(&request);
	error = provider->upstream->ask(
	    &provider->config, &lookup->question, &request);
	if (error == HERD_OK)
		error = fetch_start(network->fetcher, &request,
		    lookup->test == NULL ? FETCH_SHARES : FETCH_FRESH,
		    lookup->granted_ms, on_fetched, lookup, &lookup->fetch);
	upstream_request_release(&request);
	if (error != HERD_OK)
		return lookup_fail_step(lookup, PLACES_UNKNOWN_ERROR,
		    span_from(herd_strerror(error)));
	lookup->state = LOOKUP_REQUESTING;
	provider_bump(provider, PROVIDER_CALLS);
	return STEP_PENDING;
}

static void
show_breaker(struct provider *provider)
{
	atomic_store(&provider->breaker_state, provider->breaker.state);
}

/*
 * For a request that was not made or says nothing about the upstream. (The
 * lookup may be gone by then.)
 */
static void
forget_request(struct provider *provider, bool is_test)
{
	if (!is_test)
		breaker_forget(&provider->breaker, clock_mono());
	show_breaker(provider);
}

/* The provider is free; its breaker or rate may still refuse. */
static enum step
start_request(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;
	struct mono now = clock_mono();
	bool is_test = lookup->test != NULL;
	enum step step;

	if (!is_test && !breaker_allows(&provider->breaker, now)) {
		provider_bump(provider, PROVIDER_REFUSED_BREAKER);
		return lookup_fail_step(lookup, PLACES_UNKNOWN_ERROR,
		    span_from("not asked, since too many calls failed"));
	}
	show_breaker(provider);
	if (!provider_may_request(provider, now)) {
		forget_request(provider, is_test);
		provider_bump(provider, PROVIDER_REFUSED_RATE);
		return lookup_fail_step(lookup, PLACES_OVER_QUERY_LIMIT,
		    span_from("this node's own limit of calls is reached"));
	}
	step = start_fetch(lookup);
	if (step == STEP_PENDING) {
		atomic_fetch_add(&provider->active, 1);
		return step;
	}
	/* Not made; an older answer may have ended the lookup. */
	forget_request(provider, is_test);
	return step;
}

static void
stop_waiting(struct places_lookup *lookup)
{
	TAILQ_REMOVE(&lookup->provider->waiting, lookup, waiting);
	atomic_fetch_sub(&lookup->provider->waiting_count, 1);
	lookup->state = LOOKUP_STEPPING;
}

void
lookup_request_serve(struct provider *provider)
{
	while (atomic_load(&provider->active) < provider->max_active &&
	       !TAILQ_EMPTY(&provider->waiting)) {
		struct places_lookup *lookup = TAILQ_FIRST(&provider->waiting);

		stop_waiting(lookup);
		lookup_continue(lookup, start_request(lookup));
	}
}

static enum step
start_or_wait(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;

	if (atomic_load(&provider->active) < provider->max_active)
		return start_request(lookup);
	if (atomic_load(&provider->waiting_count) >= provider->max_waiting) {
		provider_bump(provider, PROVIDER_REFUSED_QUEUE);
		return lookup_fail_step(lookup, PLACES_OVER_QUERY_LIMIT,
		    span_from("too many questions are waiting"));
	}
	TAILQ_INSERT_TAIL(&provider->waiting, lookup, waiting);
	atomic_fetch_add(&provider->waiting_count, 1);
	lookup->state = LOOKUP_WAITING;
	return STEP_PENDING;
}

/* --- a provider on the network ------------------------------------------- */

/* Asks the cache. STEP_PENDING: the upstream is to be asked. */
static enum step
ask_cache(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;
	struct buf *answer = &lookup->network->answer;
	struct answer_facts facts;

	buf_clear(answer);
	switch (cache_find(
	    provider->cache, &lookup->question, clock_mono(), answer, &facts)) {
	case CACHE_NOTHING: return STEP_PENDING;
	case CACHE_FRESH:
		provider_bump(provider, PROVIDER_CACHED);
		lookup_finish(lookup, buf_span(answer), facts.status);
		return STEP_ENDED;
	case CACHE_STALE:
		lookup->has_stale =
		    buf_add_span(&lookup->stale, buf_span(answer)) == HERD_OK;
		lookup->stale_status = facts.status;
		return STEP_PENDING;
	case CACHE_FAILURE:
		provider_bump(provider, PROVIDER_CACHED);
		return lookup_fail_step(lookup, facts.status, buf_span(answer));
	}
	return STEP_PENDING;
}

enum step
lookup_request_start(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;
	enum step step = STEP_PENDING;

	lookup->is_retry = false;
	lookup->has_stale = false;
	buf_clear(&lookup->stale);
	if (lookup->test != NULL)
		(void)test_call_step(lookup->test, provider->kind);
	else if (provider->cache != NULL)
		step = ask_cache(lookup);
	if (step != STEP_PENDING)
		return step;
	if (lookup->is_late)
		return lookup_fail_step(lookup, PLACES_UNKNOWN_ERROR,
		    span_from("no time is left for a call"));
	return start_or_wait(lookup);
}

/* A failed connection or gateway may work at the second attempt. */
static bool
deserves_retry(
    const struct places_lookup *lookup, const struct fetch_result *result)
{
	if (lookup->is_retry || lookup->test != NULL ||
	    ms_left(lookup) < LOOKUP_REST_MAX_MS + LOOKUP_REQUEST_MIN_MS +
				  LOOKUP_REQUEST_MARGIN_MS)
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
rest(struct places_lookup *lookup)
{
	uint64_t span = LOOKUP_REST_MAX_MS - LOOKUP_REST_MIN_MS;
	uint64_t ms = LOOKUP_REST_MIN_MS + clock_mono().ns / 1000 % span;
	struct timeval delay = { 0, (suseconds_t)(ms * 1000) };

	lookup->is_retry = true;
	lookup->state = LOOKUP_RESTING;
	provider_bump(lookup->provider, PROVIDER_RETRIES);
	(void)event_add(lookup->rest, &delay);
}

/*
 * Masks the key before the response is read, because a text that is cut later
 * could end in a part of the key. HERD_ELIMIT: it has become too large.
 */
static enum herd_error
read_body(struct places_lookup *lookup, const struct fetch_result *result,
    struct buf *raw, struct answer_facts *facts, struct buf *why)
{
	struct provider *provider = lookup->provider;
	struct span body = result->body;
	enum herd_error error = HERD_OK;
	struct buf masked;

	buf_init(&masked, PLACES_ANSWER_MAX);
	if (api_key_is_in(&provider->key, body)) {
		error = api_key_mask(&provider->key, body, &masked);
		body = buf_span(&masked);
	}
	if (error == HERD_OK)
		error = upstream_read(provider->upstream, &provider->config,
		    &lookup->question, result->http_status, body, raw, facts,
		    why);
	buf_release(&masked);
	return error;
}

/*
 * Reads the response into the thread's answer buffer, or what is wrong into
 * `why`; both without the key.
 */
static void
read_result(struct places_lookup *lookup, const struct fetch_result *result,
    struct answer_facts *facts, struct buf *why)
{
	struct provider *provider = lookup->provider;
	struct buf *answer = &lookup->network->answer;
	enum herd_error error = HERD_OK;
	struct buf raw;

	buf_clear(answer);
	buf_init(&raw, PLACES_ANSWER_MAX);
	*facts = (struct answer_facts){ .status = PLACES_UNKNOWN_ERROR };
	if (result->outcome != FETCH_ANSWERED)
		error = text_to_utf8(why, span_from(result->text));
	else
		error = read_body(lookup, result, &raw, facts, why);
	if (error == HERD_OK && answer_is_good(facts->status))
		error = api_key_mask(&provider->key, buf_span(&raw), answer);
	if (error != HERD_OK) {
		facts->status = PLACES_UNKNOWN_ERROR;
		buf_clear(why);
		if (buf_addf(why, "the answer cannot be used: %s",
			herd_strerror(error)) != HERD_OK)
			buf_clear(why);
	}
	buf_release(&raw);
}

/* The provider that is asked if this one fails; NULL: none. */
static const char *
name_of_next(const struct places_lookup *lookup)
{
	const struct setting_list *chain = &lookup->network->places->chain;
	unsigned next = lookup->step + 1;

	return next < chain->count
		   ? places_kind_name((enum places_kind)chain->items[next])
		   : NULL;
}

/* Tells the operator when a provider begins or ceases to fail. */
static void
note_result(struct places_lookup *lookup, const struct answer_facts *facts,
    struct span why)
{
	struct provider *provider = lookup->provider;
	struct places *places = lookup->network->places;
	struct mono now = clock_mono();
	bool good = answer_is_good(facts->status);
	const char *next = name_of_next(lookup);

	places_stats_count(&provider->stats, facts->status,
	    mono_since(now, lookup->step_began));
	provider_add(provider, PROVIDER_LEFT_OUT, facts->left_out);
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

/* Does the upstream work? One that refuses does. */
static void
tell_breaker(struct places_lookup *lookup, const struct fetch_result *result,
    const struct answer_facts *facts)
{
	struct provider *provider = lookup->provider;
	enum breaker_state before = provider->breaker.state;
	struct mono now = clock_mono();

	if (lookup->test != NULL)
		return;
	if (result->outcome == FETCH_MEMORY ||
	    (result->outcome == FETCH_TIMEOUT &&
		lookup->granted_ms < lookup->network->timeout_ms / 2))
		breaker_forget(&provider->breaker, now);
	else
		breaker_done(&provider->breaker,
		    facts->status != PLACES_UNKNOWN_ERROR, now);
	show_breaker(provider);
	if (before == BREAKER_CLOSED && provider->breaker.state == BREAKER_OPEN)
		places_event(lookup->network->places, LOG_WARN,
		    "%s: %u of the last %u calls failed; it is asked again in"
		    " %u s",
		    provider_name(provider), BREAKER_FAILURES, BREAKER_WINDOW,
		    (unsigned)(BREAKER_OPEN_NS / HERD_NS_PER_S));
}

static void
note_test(struct places_lookup *lookup, const struct fetch_result *result,
    const struct answer_facts *facts)
{
	struct test_call_step *step;

	if (lookup->test == NULL)
		return;
	step = &lookup->test->steps[lookup->test->count - 1];
	test_call_times(step, result);
	step->facts = *facts;
}

/* Answers, or asks the next provider. */
static void
settle(struct places_lookup *lookup, const struct answer_facts *facts,
    struct span why)
{
	struct provider *provider = lookup->provider;
	struct span answer = buf_span(&lookup->network->answer);
	bool good = answer_is_good(facts->status);

	lookup->state = LOOKUP_STEPPING;
	if (provider->cache != NULL && lookup->test == NULL)
		cache_keep(provider->cache, &lookup->question, clock_mono(),
		    good ? answer : why, facts);
	if (good)
		lookup_finish(lookup, answer, facts->status);
	else
		lookup_continue(
		    lookup, lookup_fail_step(lookup, facts->status, why));
}

static void
on_fetched(void *arg, const struct fetch_result *result)
{
	struct places_lookup *lookup = arg;
	struct provider *provider = lookup->provider;
	struct answer_facts facts;
	struct buf masked;
	struct buf why;

	lookup->fetch = NULL;
	if (deserves_retry(lookup, result)) {
		rest(lookup);
		return;
	}
	atomic_fetch_sub(&provider->active, 1);
	buf_init(&why, UPSTREAM_WHY_MAX);
	buf_init(&masked, 2 * UPSTREAM_WHY_MAX);
	read_result(lookup, result, &facts, &why);
	if (api_key_mask(&provider->key, buf_span(&why), &masked) != HERD_OK)
		buf_clear(&masked);
	note_result(lookup, &facts, buf_span(&masked));
	tell_breaker(lookup, result, &facts);
	note_test(lookup, result, &facts);
	settle(lookup, &facts, buf_span(&masked));
	buf_release(&masked);
	buf_release(&why);
	lookup_request_serve(provider);
}

void
lookup_request_again(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;
	enum step step;

	if (provider_may_request(provider, clock_mono()))
		step = start_fetch(lookup);
	else
		step = lookup_fail_step(lookup, PLACES_OVER_QUERY_LIMIT,
		    span_from("this node's own limit of calls is reached"));
	if (step == STEP_PENDING)
		return;
	/* It was active while it rested; test calls do not rest. */
	atomic_fetch_sub(&provider->active, 1);
	forget_request(provider, false);
	lookup_continue(lookup, step);
	lookup_request_serve(provider);
}

void
lookup_request_interrupt(struct places_lookup *lookup)
{
	struct provider *provider = lookup->provider;

	switch (lookup->state) {
	case LOOKUP_STEPPING: return;
	case LOOKUP_WAITING: stop_waiting(lookup); return;
	case LOOKUP_REQUESTING:
		fetch_free(lookup->fetch);
		lookup->fetch = NULL;
		break;
	case LOOKUP_RESTING: (void)event_del(lookup->rest); break;
	}
	lookup->state = LOOKUP_STEPPING;
	atomic_fetch_sub(&provider->active, 1);
	forget_request(provider, lookup->test != NULL);
}
