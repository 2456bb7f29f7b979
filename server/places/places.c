/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/places.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/thread.h"
#include "herd/herdfile.h"
#include "herd/text.h"
#include "herd/version.h"
#include "places/network.h"
#include "places/places_internal.h"

const char *
places_kind_name(enum places_kind kind)
{
	const struct setting *setting =
	    setting_find(span_from("places.provider"));

	assert(setting != NULL);
	return setting->words[kind];
}

void
places_keep_error(char out[PLACES_ERROR_TEXT_MAX], struct span text)
{
	if (text.len > PLACES_ERROR_TEXT_MAX - 1)
		text.len = PLACES_ERROR_TEXT_MAX - 1;
	text = text_utf8_whole(text);
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
}

void
places_event(struct places *places, enum log_level level, const char *fmt, ...)
{
	char message[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	places->hooks.on_event(places->hooks.arg, level, message);
}

/* --- opening ------------------------------------------------------------- */

/* What places_open() was called with. */
struct opening {
	const struct settings *settings;
	const char *node;
	const char *base_dir;
	struct buf *message;
};

static enum herd_error
open_gazetteer(struct places *places, const struct opening *opening)
{
	struct buf path;
	const char *text;
	enum herd_error error;

	if (places->has_gazetteer)
		return HERD_OK;
	places->has_gazetteer = true;
	buf_init(&path, 8192);
	error = gazetteer_locate(opening->settings->places.data, opening->node,
	    opening->base_dir, &path, opening->message);
	if (error == HERD_OK) {
		text = buf_cstr(&path);
		error = text == NULL
			    ? HERD_ENOMEM
			    : gazetteer_open(text,
				  opening->settings->places.icon_base,
				  opening->message, &places->gazetteer);
	}
	buf_release(&path);
	return error;
}

static unsigned
count_upstreams(const struct setting_list *chain)
{
	unsigned count = 0;

	for (unsigned i = 0; i < chain->count; i++)
		count +=
		    places_kind_is_remote((enum places_kind)chain->items[i]);
	return count;
}

static enum herd_error
open_providers(struct places *places, const struct opening *opening)
{
	const struct setting_list *chain = &places->chain;
	bool shared = count_upstreams(chain) > 1;
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; error == HERD_OK && i < chain->count; i++) {
		enum places_kind kind = (enum places_kind)chain->items[i];

		if (kind == PLACES_GAZETTEER)
			error = open_gazetteer(places, opening);
		else if (places_kind_is_remote(kind))
			error = provider_open(kind, opening->settings,
			    opening->node, opening->base_dir, shared,
			    opening->message, &places->providers[i]);
	}
	return error;
}

/* Expands a file's path and checks that it can be read; "" stays so. */
static enum herd_error
find_ca_file(const struct opening *opening, struct buf *path)
{
	const char *setting = opening->settings->places.ca_file;
	const char *text;
	enum herd_error error;

	if (setting[0] == '\0')
		return HERD_OK;
	error =
	    herdfile_expand(path, setting, opening->node, opening->base_dir);
	if (error != HERD_OK)
		return error;
	text = buf_cstr(path);
	if (text == NULL)
		return HERD_ENOMEM;
	if (access(text, R_OK) == 0)
		return HERD_OK;
	error = buf_addf(
	    opening->message, "places.ca_file %s: %s", text, strerror(errno));
	return error != HERD_OK ? error : HERD_ESYSTEM;
}

static enum herd_error
open_network(struct places *places, const struct opening *opening)
{
	const struct settings *settings = opening->settings;
	struct fetch_options options = {
		.user_agent = settings->places.user_agent[0] != '\0'
				  ? settings->places.user_agent
				  : "herdd/" HERD_VERSION,
		.connect_to = settings->places.connect_to,
		.connect_timeout_ms =
		    settings->places.connect_timeout / HERD_NS_PER_MS,
	};
	struct buf ca_file;
	enum herd_error error;

	if (count_upstreams(&places->chain) == 0)
		return HERD_OK;
	/* libcurl counts these; places_close() takes it back. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return HERD_ENOMEM;
	places->uses_curl = true;
	buf_init(&ca_file, 8192);
	error = find_ca_file(opening, &ca_file);
	if (error == HERD_OK) {
		options.ca_file = buf_cstr(&ca_file);
		error = options.ca_file == NULL
			    ? HERD_ENOMEM
			    : network_open(places, &options,
				  settings->places.timeout / HERD_NS_PER_MS,
				  &places->network);
	}
	buf_release(&ca_file);
	return error;
}

enum herd_error
places_open(const struct settings *settings, const char *node,
    const char *base_dir, const struct places_hooks *hooks, struct buf *message,
    struct places **out)
{
	struct places *places = calloc(1, sizeof(*places));
	struct opening opening = { settings, node, base_dir, message };
	enum herd_error error;

	if (places == NULL)
		return HERD_ENOMEM;
	pthread_mutex_init(&places->lock, NULL);
	pthread_mutex_init(&places->reload_lock, NULL);
	pthread_mutex_init(&places->search_lock, NULL);
	places_stats_init(&places->closed_gazetteer);
	places_stats_init(&places->closed_answers);
	places->chain = settings->places.provider;
	places->hooks = *hooks;
	error = open_providers(places, &opening);
	if (error == HERD_OK)
		error = open_network(places, &opening);
	if (error == HERD_OK)
		error = places_reader_open(places, &places->search_reader);
	if (error != HERD_OK) {
		places_close(places);
		return error;
	}
	*out = places;
	return HERD_OK;
}

void
places_close(struct places *places)
{
	if (places == NULL)
		return;
	if (places->reload_began)
		pthread_join(places->reload, NULL);
	places_reader_close(places->search_reader);
	network_close(places->network);
	assert(places->readers == NULL);
	for (unsigned i = 0; i < SETTING_LIST_MAX; i++)
		provider_close(places->providers[i]);
	gazetteer_close(places->gazetteer);
	if (places->uses_curl)
		curl_global_cleanup();
	pthread_mutex_destroy(&places->search_lock);
	pthread_mutex_destroy(&places->reload_lock);
	pthread_mutex_destroy(&places->lock);
	free(places);
}

/* --- a new gazetteer ------------------------------------------------------ */

struct gazetteer *
places_hold_gazetteer(struct places *places)
{
	struct gazetteer *gazetteer;

	pthread_mutex_lock(&places->lock);
	gazetteer = gazetteer_hold(places->gazetteer);
	pthread_mutex_unlock(&places->lock);
	return gazetteer;
}

/* Forgets what readers have not taken yet. Under the lock. */
static void
drop_fresh(struct places *places)
{
	for (struct places_reader *reader = places->readers; reader != NULL;
	     reader = reader->next) {
		gazetteer_reader_close(reader->fresh);
		reader->fresh = NULL;
	}
}

/*
 * Each reader takes what is opened here for it at its next question: by then
 * the file may be another one. Under the lock.
 */
static enum herd_error
open_fresh(struct places *places, struct gazetteer *fresh)
{
	enum herd_error error = HERD_OK;

	drop_fresh(places);
	for (struct places_reader *reader = places->readers;
	     error == HERD_OK && reader != NULL; reader = reader->next)
		error = gazetteer_reader_open(fresh, &reader->fresh);
	if (error == HERD_OK && gazetteer_has_changed(fresh))
		error = HERD_ESYSTEM;
	if (error != HERD_OK)
		drop_fresh(places);
	return error;
}

static enum herd_error
exchange_gazetteer(
    struct places *places, struct gazetteer *fresh, struct buf *message)
{
	struct gazetteer *old = fresh;
	enum herd_error error;

	pthread_mutex_lock(&places->lock);
	error = open_fresh(places, fresh);
	if (error == HERD_OK) {
		old = places->gazetteer;
		places->gazetteer = fresh;
		places->last_error[0] = '\0';
		atomic_fetch_add(&places->generation, 1);
	}
	pthread_mutex_unlock(&places->lock);
	if (error != HERD_OK &&
	    buf_addf(message, "%s: it was written while it was read; try again",
		fresh->path) != HERD_OK)
		error = HERD_ENOMEM;
	gazetteer_close(old);
	return error;
}

enum herd_error
places_reload(struct places *places, bool *changed, struct buf *message)
{
	struct gazetteer *old;
	struct gazetteer *fresh = NULL;
	enum herd_error error = HERD_OK;

	*changed = false;
	pthread_mutex_lock(&places->reload_lock);
	old = places_hold_gazetteer(places);
	if (old != NULL && gazetteer_has_changed(old)) {
		error =
		    gazetteer_open(old->path, old->icon_base, message, &fresh);
		if (error == HERD_OK && gazetteer_is_warm(old))
			gazetteer_warm(fresh);
		if (error == HERD_OK)
			error = exchange_gazetteer(places, fresh, message);
		*changed = error == HERD_OK;
	}
	pthread_mutex_unlock(&places->reload_lock);
	gazetteer_close(old);
	return error;
}

/* Reads the names, if they are expected to be asked for. */
static void
warm_gazetteer(struct places *places)
{
	struct gazetteer *gazetteer = places_hold_gazetteer(places);

	if (gazetteer != NULL && atomic_load(&places->expects_filters))
		gazetteer_warm(gazetteer);
	gazetteer_close(gazetteer);
}

static void *
run_reload(void *arg)
{
	struct places *places = arg;
	struct buf message;
	bool changed;
	enum herd_error error;

	buf_init(&message, 8192);
	error = places_reload(places, &changed, &message);
	if (error != HERD_OK)
		places_event(places, LOG_ERROR,
		    "the new gazetteer is not used: " SPAN_FMT,
		    SPAN_ARG(buf_span(&message)));
	else if (changed)
		places_event(places, LOG_INFO, "the new gazetteer is in use");
	buf_release(&message);
	warm_gazetteer(places);
	atomic_store(&places->reload_runs, false);
	return NULL;
}

void
places_reload_start(struct places *places)
{
	if (!places->has_gazetteer ||
	    atomic_exchange(&places->reload_runs, true))
		return;
	if (places->reload_began)
		pthread_join(places->reload, NULL);
	places->reload_began = thread_start(&places->reload, "places-load", 0,
				   run_reload, places) == 0;
	if (!places->reload_began)
		atomic_store(&places->reload_runs, false);
}

void
places_expect_filters(struct places *places)
{
	atomic_store(&places->expects_filters, true);
	places_reload_start(places);
}

/* --- readers ------------------------------------------------------------- */

/* Takes the new gazetteer that was opened for this reader. */
static void
take_fresh(struct places_reader *reader)
{
	struct places *places = reader->places;
	struct gazetteer_reader *old = NULL;

	pthread_mutex_lock(&places->lock);
	reader->generation = atomic_load(&places->generation);
	if (reader->fresh != NULL) {
		old = reader->data;
		reader->data = reader->fresh;
		reader->fresh = NULL;
	}
	pthread_mutex_unlock(&places->lock);
	gazetteer_reader_close(old);
}

enum herd_error
places_reader_open(struct places *places, struct places_reader **out)
{
	struct places_reader *reader = calloc(1, sizeof(*reader));
	enum herd_error error = HERD_OK;

	if (reader == NULL)
		return HERD_ENOMEM;
	reader->places = places;
	places_stats_init(&reader->gazetteer);
	places_stats_init(&reader->answers);
	pthread_mutex_lock(&places->lock);
	reader->generation = atomic_load(&places->generation);
	if (places->has_gazetteer)
		error = gazetteer_reader_open(places->gazetteer, &reader->data);
	if (error == HERD_OK) {
		reader->next = places->readers;
		places->readers = reader;
	}
	pthread_mutex_unlock(&places->lock);
	if (error != HERD_OK) {
		free(reader);
		return error;
	}
	*out = reader;
	return HERD_OK;
}

void
places_reader_close(struct places_reader *reader)
{
	struct places *places;
	struct places_reader **at;

	if (reader == NULL)
		return;
	places = reader->places;
	pthread_mutex_lock(&places->lock);
	for (at = &places->readers; *at != reader; at = &(*at)->next)
		assert(*at != NULL);
	*at = reader->next;
	places_stats_add(&places->closed_gazetteer, &reader->gazetteer);
	places_stats_add(&places->closed_answers, &reader->answers);
	pthread_mutex_unlock(&places->lock);
	gazetteer_reader_close(reader->data);
	gazetteer_reader_close(reader->fresh);
	free(reader);
}

/* --- asking -------------------------------------------------------------- */

/* The operator is told of the first failure, then of one a minute. */
static void
note_failure(struct places *places, const char *text)
{
	struct mono now = clock_mono();
	bool tell;

	pthread_mutex_lock(&places->lock);
	tell = places->last_error[0] == '\0' ||
	       mono_since(now, places->last_error_told) > 60 * HERD_NS_PER_S;
	places_keep_error(places->last_error, span_from(text));
	places->last_error_at = now;
	if (tell)
		places->last_error_told = now;
	pthread_mutex_unlock(&places->lock);
	if (tell)
		places_event(
		    places, LOG_ERROR, "the gazetteer fails: %s", text);
}

bool
places_ask_gazetteer(struct places_reader *reader,
    const struct places_question *question, struct buf *answer,
    struct answer_facts *facts)
{
	struct mono start = clock_mono();
	const char *text = NULL;
	enum herd_error error;

	if (reader->generation != atomic_load(&reader->places->generation))
		take_fresh(reader);
	error =
	    gazetteer_reader_ask(reader->data, question, answer, facts, &text);
	if (error != HERD_OK) {
		*facts =
		    (struct answer_facts){ .status = PLACES_UNKNOWN_ERROR };
		note_failure(reader->places, text);
	}
	places_stats_count(
	    &reader->gazetteer, facts->status, mono_since(clock_mono(), start));
	return error == HERD_OK;
}

/* An answer without results that says why. */
static enum places_result
answer_failure(struct places_reader *reader, struct buf *answer,
    enum places_status status, const char *why)
{
	size_t before = answer->len;

	/* The buffer can take a thousand times what this needs. */
	if (answer_write_empty(answer, status, span_from(why)) != HERD_OK)
		buf_truncate(answer, before);
	places_stats_count(&reader->answers, status, 0);
	return PLACES_ANSWERED;
}

/* Asks the first provider's cache, so that no thread has to be woken. */
static bool
ask_cache(struct places_reader *reader, struct provider *provider,
    const struct places_question *question, struct buf *answer)
{
	struct mono start = clock_mono();
	size_t before = answer->len;
	struct answer_facts facts;

	if (provider->cache == NULL)
		return false;
	if (cache_find(provider->cache, question, start, answer, &facts) !=
	    CACHE_FRESH) {
		buf_truncate(answer, before);
		return false;
	}
	provider_bump(provider, PROVIDER_CACHED);
	places_stats_count(
	    &reader->answers, facts.status, mono_since(clock_mono(), start));
	return true;
}

/* Hands the question to the Places thread, from the chain's `first` on. */
static enum herd_error
post(struct places *places, const struct places_question *question,
    unsigned first, places_on_answer *on_answer, void *arg,
    struct places_asker **out)
{
	struct places_asker *asker = NULL;
	enum herd_error error = places_asker_new(question, &asker);

	if (error != HERD_OK)
		return error;
	asker->first = first;
	asker->on_answer = on_answer;
	asker->arg = arg;
	/* Before the answer can come. */
	*out = asker;
	error = network_post(places->network, asker);
	if (error != HERD_OK) {
		*out = NULL;
		places_asker_free(asker);
		places_asker_free(asker);
	}
	return error;
}

static enum places_result
ask_network(struct places_reader *reader,
    const struct places_question *question, unsigned first, struct buf *answer,
    places_on_answer *on_answer, void *arg, struct places_asker **asker)
{
	struct places *places = reader->places;
	enum herd_error error;

	if (ask_cache(reader, places->providers[first], question, answer))
		return PLACES_ANSWERED;
	error = post(places, question, first, on_answer, arg, asker);
	if (error == HERD_OK)
		return PLACES_PENDING;
	return answer_failure(reader, answer,
	    error == HERD_ELIMIT ? PLACES_OVER_QUERY_LIMIT
				 : PLACES_UNKNOWN_ERROR,
	    error == HERD_ELIMIT ? "too many questions are waiting"
				 : herd_strerror(error));
}

enum places_result
places_ask(struct places_reader *reader, const struct places_question *question,
    struct buf *answer, places_on_answer *on_answer, void *arg,
    struct places_asker **asker)
{
	const struct places *places = reader->places;
	struct mono start = clock_mono();
	struct answer_facts facts;

	for (unsigned i = 0; i < places->chain.count; i++) {
		if (places->providers[i] != NULL)
			return ask_network(
			    reader, question, i, answer, on_answer, arg, asker);
		if (places->chain.items[i] == PLACES_GAZETTEER &&
		    places_ask_gazetteer(reader, question, answer, &facts)) {
			places_stats_count(&reader->answers, facts.status,
			    mono_since(clock_mono(), start));
			return PLACES_ANSWERED;
		}
	}
	if (!places->has_gazetteer)
		return answer_failure(reader, answer, PLACES_REQUEST_DENIED,
		    "This node has no places provider.");
	return answer_failure(reader, answer, PLACES_UNKNOWN_ERROR,
	    "The gazetteer's data could not be read.");
}

size_t
places_cache_flush(struct places *places)
{
	size_t count = 0;

	for (unsigned i = 0; i < places->chain.count; i++) {
		if (places->providers[i] != NULL &&
		    places->providers[i]->cache != NULL)
			count += cache_flush(places->providers[i]->cache);
	}
	return count;
}
