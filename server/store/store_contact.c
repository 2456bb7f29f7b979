/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_contact.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/store_batch.h"
#include "store/store_compare.h"
#include "store/store_internal.h"

static bool
is_refused(const struct store *store)
{
	return store_state(store) == STORE_REFUSED;
}

struct mono
store_contact_due(const struct store *store)
{
	const struct mono never = { UINT64_MAX };

	return is_refused(store) ? never : store->contact.retry_at;
}

/* --- since when replies wait ---------------------------------------------- */

/*
 * A store that was never met would keep the first client waiting, so that wait
 * has lasted for ever.
 */
static uint64_t
waits_since(const struct store *store)
{
	if (!store->config.sync)
		return 0;
	if (!store->contact.met)
		return 1;
	if (store->batch.pending)
		return store->batch.began.ns;
	return store->contact.open ? 0 : store->contact.lost.ns;
}

void
store_contact_tell(struct store *store)
{
	uint64_t since = waits_since(store);

	if (atomic_exchange(&store->waits_since_ns, since) != since)
		store->hooks.on_commit(store->hooks.arg);
}

/* --- finding -------------------------------------------------------------- */

/* The address may have changed, or the password. */
static void
contact_reopen(struct store *store)
{
	struct engine *engine = NULL;
	struct buf message;
	enum herd_error error;

	buf_init(&message, 8192);
	error = store->ops->open(&store->engine_config, &message, &engine);
	if (error == HERD_OK) {
		store->ops->close(store->engine);
		store->engine = engine;
		store->contact.open = false;
		store->contact.reports_it = false;
		store->contact.retry_at = clock_mono();
		backoff_reset(&store->contact.backoff);
		store_compare_drop(store);
		store_set_state(store, STORE_AWAY);
	} else {
		const char *text = buf_cstr(&message);

		text =
		    text == NULL || *text == '\0' ? herd_strerror(error) : text;
		store_note_error(store, text);
		LOG(store->config.log, LOG_ERROR, "store-refused",
		    log_text("error", text),
		    log_text("next", "the store goes on as before; correct "
				     "the file, then herdctl store retry"));
	}
	buf_release(&message);
}

static void
contact_open(struct store *store)
{
	uint64_t away = mono_since(clock_mono(), store->contact.lost);
	struct engine_about about = { .schema = 0 };

	store->contact.open = true;
	store->ops->describe(store->engine, &about);
	pthread_mutex_lock(&store->lock);
	store->about = about;
	pthread_mutex_unlock(&store->lock);
	LOG(store->config.log, LOG_INFO, "store-connected",
	    log_text("server", about.server),
	    log_text("address", about.address),
	    log_number("away_ms", (int64_t)(away / HERD_NS_PER_MS)),
	    log_number("owed", (int64_t)store_batch_owed(store)));
	if (about.lacks[0] != '\0')
		LOG(store->config.log, LOG_WARN, "store-lacks",
		    log_text("error", about.lacks),
		    log_text("next", "the store works without it; let the "
				     "tables' owner make it"));
	/* It may be an older state of the rows that is here now. */
	if (store->contact.met)
		store_compare_soon(store);
	store->contact.met = true;
	store->contact.reports_it = false;
	store_set_state(
	    store, atomic_load(&store->is_loaded) ? STORE_OK : STORE_LOADING);
}

void
store_contact_init(struct store *store)
{
	store->contact.lost = clock_mono();
	store->contact.loading_since = store->contact.lost;
	atomic_store(&store->state, STORE_AWAY);
	atomic_store(&store->waits_since_ns, waits_since(store));
}

void
store_contact_seek(struct store *store)
{
	enum herd_error error;

	if (atomic_exchange(&store->retry_wanted, false))
		contact_reopen(store);
	if (store->contact.open || is_refused(store) ||
	    clock_mono().ns < store->contact.retry_at.ns)
		return;
	error = store->ops->connect(store->engine);
	if (error == HERD_OK)
		contact_open(store);
	else
		store_contact_lose(store, error);
}

/* --- losing --------------------------------------------------------------- */

static void
log_refused(const struct store *store, const char *what)
{
	const char *hint = store->engine->hint;
	char next[LOG_FIELD_MAX];

	snprintf(next, sizeof(next),
	    "%s%sreports stay owed; then herdctl "
	    "store retry",
	    hint == NULL ? "" : hint, hint == NULL ? "" : "; ");
	LOG(store->config.log, LOG_ERROR, "store-refused",
	    log_text("error", what), log_text("next", next));
}

static void
log_away(const struct store *store, const char *what)
{
	const char *hint = store->engine->hint;

	LOG(store->config.log, LOG_WARN, "store-away", log_text("error", what),
	    log_text("next", hint == NULL ? "reports stay owed; contact is "
					    "sought again"
					  : hint));
}

void
store_contact_lose(struct store *store, enum herd_error error)
{
	const char *what = store_error_text(store, error);
	bool refused =
	    error != HERD_ENOMEM && store->engine->fault == ENGINE_REFUSED;
	uint64_t wait = backoff_next(
	    &store->contact.backoff, STORE_RETRY_NS, store_random());

	atomic_fetch_add(&store->retries, 1);
	atomic_store(
	    &store->retried, store->batch.pending ? store->batch.count : 0);
	store->contact.retry_at = mono_add(clock_mono(), wait);
	if (store->contact.open || !store->contact.reports_it)
		store->contact.lost = clock_mono();
	store->contact.open = false;
	store_compare_drop(store);
	store_note_error(store, what);
	if (refused)
		log_refused(store, what);
	else if (!store->contact.reports_it)
		log_away(store, what);
	store->contact.reports_it = true;
	store_works_fail(&store->works, store->engine, what);
	store_set_state(store, refused ? STORE_REFUSED : STORE_AWAY);
	store->engine->error[0] = '\0';
	store->engine->fault = ENGINE_FINE;
}

/* --- loading -------------------------------------------------------------- */

bool
store_contact_load(struct store *store)
{
	enum herd_error error = store_load(store);

	if (error == HERD_EAGAIN || error == HERD_OK)
		backoff_reset(&store->contact.backoff);
	if (error == HERD_EAGAIN)
		return true;
	if (error != HERD_OK) {
		store_contact_lose(store, error);
		return false;
	}
	atomic_store(&store->is_loaded, true);
	store_log_loaded(store);
	store_compare_soon(store);
	store_set_state(store, STORE_OK);
	return false;
}
