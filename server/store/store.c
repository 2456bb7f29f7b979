/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store's life, its thread, and what others ask of it. */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/thread.h"
#include "store/store_batch.h"
#include "store/store_compare.h"
#include "store/store_contact.h"
#include "store/store_internal.h"
#include "store/store_prune.h"
#include "store/store_track.h"

/* Between two looks whether a server is still there. */
#define LOOK_NS (2 * HERD_NS_PER_S)
/* Before work is tried again that others are in the way of. */
#define BLOCKED_WAIT_NS (20u * HERD_NS_PER_MS)

/* --- state ---------------------------------------------------------------- */

const char *
store_state_word(enum store_state state)
{
	static const char *const words[] = {
#define HERD_STORE_STATE(id, word) [id] = word,
		STORE_STATES(HERD_STORE_STATE)
#undef HERD_STORE_STATE
	};

	return words[state];
}

enum store_state
store_state(const struct store *store)
{
	return (enum store_state)atomic_load(&store->state);
}

void
store_set_state(struct store *store, enum store_state state)
{
	if (atomic_exchange(&store->state, (unsigned)state) == (unsigned)state)
		return;
	atomic_store(&store->state_since_ns, clock_wall().ns);
	store->hooks.on_commit(store->hooks.arg);
}

void
store_note_error(struct store *store, const char *text)
{
	pthread_mutex_lock(&store->lock);
	snprintf(store->error, sizeof(store->error), "%s", text);
	pthread_mutex_unlock(&store->lock);
}

const char *
store_error_text(const struct store *store, enum herd_error error)
{
	return store->engine->error[0] != '\0' ? store->engine->error
					       : herd_strerror(error);
}

void
store_fail(struct store *store, const char *what)
{
	const struct engine *engine = store->engine;
	char next[LOG_FIELD_MAX];

	snprintf(next, sizeof(next), "%s; %s, restart this node",
	    store->config.sync ? "clients are refused"
			       : "reports are kept in memory only",
	    engine->is_lost ? engine->hint : "fix the disk");
	store_note_error(store, what);
	LOG(store->config.log, LOG_ERROR, "store-failed",
	    log_text("error", what), log_text("next", next));
	store_set_state(store, STORE_FAILED);
}

void
store_on_error(struct store *store, enum herd_error error)
{
	if (store->ops->is_shared)
		store_contact_lose(store, error);
	else
		store_fail(store, store_error_text(store, error));
}

uint64_t
store_random(void)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = clock_mono().ns * UINT64_C(0x9e3779b97f4a7c15);
	return number;
}

/* --- loading ------------------------------------------------------------ */

enum put_result
store_take(struct store *store, const struct report *report)
{
	return table_put(store->config.table, report, FROM_NOBODY,
	    timekeeper_expiry(store->config.timekeeper, clock_mono()), NULL,
	    NULL);
}

static enum herd_error
on_loaded(void *arg, const struct report *report)
{
	struct store *store = arg;

	if (store_take(store, report) == PUT_NOMEM)
		return HERD_ENOMEM;
	atomic_fetch_add(&store->loaded, 1);
	return HERD_OK;
}

static void
on_damaged(void *arg, struct span client, const char *why)
{
	struct store *store = arg;

	atomic_fetch_add(&store->damaged, 1);
	LOG(store->config.log, LOG_WARN, "store-row-damaged",
	    log_span("client", client), log_text("error", why),
	    log_text("next",
		store->ops->is_shared
		    ? "left out; the next report of the client replaces it"
		    : "left out; a neighbour that has it gives it back; if it "
		      "goes on, change the disk"));
}

static void
on_rewritten(void *arg, const char *why)
{
	struct store *store = arg;

	LOG(store->config.log, LOG_INFO, "store-rewritten",
	    log_text("why", why));
}

enum herd_error
store_load(struct store *store)
{
	const struct engine_loader loader = { store, on_loaded, on_damaged,
		on_rewritten };

	return store->ops->load(store->engine, &loader, &store->contact.cursor);
}

void
store_log_loaded(const struct store *store)
{
	uint64_t took = mono_since(clock_mono(), store->contact.loading_since);

	LOG(store->config.log, LOG_INFO, "store-loaded",
	    log_number("records", (int64_t)atomic_load(&store->loaded)),
	    log_number("skipped", (int64_t)atomic_load(&store->damaged)),
	    log_number("ms", (int64_t)(took / HERD_NS_PER_MS)));
}

/* All that a local engine has, before the node serves. */
static enum herd_error
load_local(struct store *store, struct buf *message)
{
	const struct engine *engine = store->engine;
	enum herd_error error;

	store->contact.loading_since = clock_mono();
	error = store_load(store);
	if (error != HERD_OK && engine->error[0] == '\0')
		return error;
	if (error != HERD_OK)
		return buf_addf(message, "store.path: cannot load %s: %s; %s",
			   store->path, engine->error, engine->hint) == HERD_OK
			   ? error
			   : HERD_ENOMEM;
	store_log_loaded(store);
	store->contact.open = true;
	atomic_store(&store->is_loaded, true);
	return HERD_OK;
}

/* --- the thread --------------------------------------------------------- */

/* Any thread, under a shard's lock. */
static void
on_wake(void *arg)
{
	struct store *store = arg;

	(void)sem_post(&store->woken);
}

bool
store_is_held(void *arg, struct span client)
{
	struct store *store = arg;
	struct record record;
	bool held;

	record_init(&record);
	held =
	    table_get(store->config.table, client, &record) != HERD_ENOTFOUND;
	record_release(&record);
	return held;
}

/* A slice of what others asked for. What is deleted here must be durable. */
static enum store_work_turn
store_work(struct store *store)
{
	struct store_work *work = store_works_current(&store->works);
	struct outbox_progress now;
	struct span client;
	enum herd_error error = HERD_OK;

	if (work == NULL)
		return STORE_WORK_IDLE;
	outbox_progress(&store->outbox, &now);
	if (!store_work_may_begin(work, &now))
		return STORE_WORK_IDLE;
	client = store_work_client(work);
	/* A shared engine keeps a removal, and forgets the history. */
	if (client.len > 0 &&
	    (store->ops->is_shared || !store_is_held(store, client)))
		error = store->ops->forget(store->engine, client);
	if (error != HERD_OK) {
		store_on_error(store, error);
		return STORE_WORK_IDLE;
	}
	return store_work_go_on(work, store->engine);
}

/* One question a turn: batches go first. */
static void
serve_track(struct store *store)
{
	enum herd_error error =
	    store_tracks_serve(&store->tracks, store->engine);

	if (error != HERD_OK && store->engine->fault != ENGINE_FINE)
		store_on_error(store, error);
}

static void
store_count(struct store *store)
{
	uint64_t rows = 0;
	bool is_estimate = false;

	if (!atomic_exchange(&store->count_wanted, false) ||
	    store->ops->count(store->engine, &rows, &is_estimate) != HERD_OK)
		return;
	atomic_store(&store->rows, rows);
	atomic_store(&store->is_estimate, is_estimate);
	atomic_fetch_add(&store->counts, 1);
}

/* Sleeps until something is asked for, or so long. */
static void
store_sleep(struct store *store, uint64_t ns)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / HERD_NS_PER_S);
	until.tv_nsec = (long)(ns % HERD_NS_PER_S);
	(void)sem_clockwait(&store->woken, CLOCK_MONOTONIC, &until);
}

static uint64_t
until_ns(struct mono at)
{
	struct mono now = clock_mono();

	return at.ns > now.ns ? at.ns - now.ns : 0;
}

static struct mono
earlier(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

static void
store_wait(struct store *store, enum store_work_turn turn)
{
	struct mono next = { UINT64_MAX };

	if (turn == STORE_WORK_BLOCKED) {
		store_sleep(store, BLOCKED_WAIT_NS);
		return;
	}
	if (store->ops->is_shared && !store->contact.open)
		next = store_contact_due(store);
	else if (store->ops->is_shared)
		next =
		    earlier(store->compare_at, mono_add(clock_mono(), LOOK_NS));
	if (atomic_load(&store->stopping) &&
	    next.ns > atomic_load(&store->stop_at_ns))
		next.ns = atomic_load(&store->stop_at_ns);
	if (next.ns != UINT64_MAX) {
		store_sleep(store, until_ns(next));
		return;
	}
	while (sem_wait(&store->woken) != 0 && errno == EINTR)
		;
}

static bool
has_failed(const struct store *store)
{
	return store_state(store) == STORE_FAILED;
}

static enum store_work_turn
prune_local(struct store *store, enum store_work_turn turn)
{
	enum herd_error error = store_prune(store);

	if (error == HERD_EAGAIN)
		return STORE_WORK_MORE;
	if (error != HERD_OK)
		store_on_error(store, error);
	return turn;
}

/* What waits for no client. True: there is more of it. */
static enum store_work_turn
store_do_rest(struct store *store)
{
	enum store_work_turn turn;
	enum herd_error error;

	if (!atomic_load(&store->is_loaded) && store_contact_load(store))
		return STORE_WORK_MORE;
	if (!store->contact.open)
		return STORE_WORK_MORE;
	turn = store_work(store);
	if (store->contact.open)
		serve_track(store);
	if (has_failed(store) || !store->contact.open)
		return STORE_WORK_IDLE;
	store_count(store);
	if (!store->ops->is_shared)
		return prune_local(store, turn);
	error = store->ops->look == NULL ? HERD_OK
					 : store->ops->look(store->engine);
	if (error == HERD_OK)
		error = store_prune_expired(store);
	if (error != HERD_OK)
		store_on_error(store, error);
	else if (store_compare_step(store))
		turn = STORE_WORK_MORE;
	return turn;
}

/* Nothing more can or must be written before the end. */
static bool
is_done(const struct store *store, bool owed)
{
	return !owed || store_state(store) == STORE_REFUSED ||
	       (store->ops->is_shared &&
		   clock_mono().ns >= atomic_load(&store->stop_at_ns));
}

static void
store_turn(struct store *store, bool stopping)
{
	bool owed = store_batch_is_due(store);
	enum store_work_turn turn = STORE_WORK_IDLE;

	if (owed && store->contact.open)
		store_batch_write(store);
	if (store->ops->is_shared)
		store_contact_tell(store);
	if (!stopping && !has_failed(store) && store->contact.open)
		turn = store_do_rest(store);
	if (!store->contact.open)
		store_tracks_fail(&store->tracks, "the store is away");
	if ((owed && store->contact.open) || turn == STORE_WORK_MORE ||
	    has_failed(store) || (stopping && is_done(store, owed)))
		return;
	store_wait(store, turn);
}

static void
log_unwritten(struct store *store)
{
	uint64_t owed = store_batch_owed(store);

	if (owed > 0 && store->ops->is_shared)
		LOG(store->config.log, LOG_WARN, "store-unwritten",
		    log_number("records", (int64_t)owed),
		    log_text("next", "other nodes that hold them write them "
				     "when they compare"));
}

static void *
run_store(void *arg)
{
	struct store *store = arg;

	while (!has_failed(store)) {
		bool stopping = atomic_load(&store->stopping);

		if (store->ops->is_shared)
			store_contact_seek(store);
		if (stopping && is_done(store, store_batch_is_due(store)))
			break;
		store_turn(store, stopping);
	}
	store_works_close(&store->works, store->engine,
	    has_failed(store) ? "the store has failed" : "the node stops");
	store_tracks_close(&store->tracks);
	store_compare_drop(store);
	log_unwritten(store);
	return NULL;
}

/* --- what others ask for ------------------------------------------------- */

enum herd_error
store_work_begin(struct store *store, enum engine_work work, struct span client,
    struct store_work **out)
{
	struct outbox_progress owed;
	enum store_state state = store_state(store);
	enum herd_error error;

	if (store->ops->work[work] == NULL)
		return HERD_ENOTFOUND;
	if (state == STORE_AWAY || state == STORE_REFUSED)
		return HERD_ECANCELED;
	outbox_progress(&store->outbox, &owed);
	error = store_works_add(&store->works, work, client, &owed, out);
	if (error == HERD_OK)
		(void)sem_post(&store->woken);
	return error;
}

bool
store_look(
    struct store *store, enum engine_work *kind, struct store_work_report *out)
{
	return store_works_look(&store->works, kind, out);
}

enum herd_error
store_track_begin(struct store *store, struct span client, uint64_t since_ns,
    unsigned max, struct store_track **out)
{
	enum herd_error error;

	if (store->ops->track == NULL || store->config.history_ns == 0)
		return HERD_ENOTFOUND;
	error = store_tracks_add(&store->tracks, client, since_ns, max, out);
	if (error == HERD_OK)
		(void)sem_post(&store->woken);
	return error;
}

/* Has the thread see a wish; a local engine has none of that kind. */
static bool
store_wish(struct store *store, _Atomic bool *wish)
{
	if (!store->ops->is_shared)
		return false;
	atomic_store(wish, true);
	(void)sem_post(&store->woken);
	return true;
}

bool
store_ask_differences(struct store *store)
{
	return store_wish(store, &store->differences_wanted);
}

bool
store_retry(struct store *store)
{
	return store_wish(store, &store->retry_wanted);
}

void
store_ask_rows(struct store *store)
{
	atomic_store(&store->count_wanted, true);
	(void)sem_post(&store->woken);
}

void
store_note_backup(struct store *store, uint64_t bytes)
{
	atomic_store(&store->last_backup_bytes, bytes);
	atomic_store(&store->last_backup_ns, clock_wall().ns);
}

const char *
store_path(const struct store *store)
{
	return store->ops->is_shared ? store->url_file : store->path;
}

/* --- life --------------------------------------------------------------- */

static const struct {
	const char *word;
	const struct engine_ops *ops;
} ENGINES[] = {
#define ENGINE_ROW(id, name) [STORE_##id] = { #name, &engine_##name },
	STORE_ENGINES(ENGINE_ROW, ENGINE_ROW)
#undef ENGINE_ROW
};

static struct engine_config
config_for_engine(const struct store *store)
{
	const struct store_config *config = &store->config;

	return (struct engine_config){
		.path = store->path,
		.url_file = store->url_file,
		.sync = config->sync,
		.herd = config->herd,
		.node = config->node,
		.params = store->params,
		.timeout_ns = config->timeout_ns,
		.batch =
		    store->ops->is_shared ? config->batch : STORE_BATCH_RECORDS,
		.history_ns = config->history_ns,
		.timekeeper = config->timekeeper,
		.stop_at_ns = &store->stop_at_ns,
	};
}

static enum outbox_scope
scope_of(const struct store *store)
{
	if (!store->ops->is_shared)
		return OUTBOX_ALL;
	return store->config.write == STORE_WRITE_ORIGIN ? OUTBOX_OWN
							 : OUTBOX_LEARNED;
}

/* NULL: no memory. */
static struct store *
store_new(const struct store_config *config)
{
	struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	store->config = *config;
	store->word = ENGINES[config->engine].word;
	store->ops =
	    config->ops != NULL ? config->ops : ENGINES[config->engine].ops;
	store->path = strdup(config->path == NULL ? "" : config->path);
	store->url_file =
	    strdup(config->url_file == NULL ? "" : config->url_file);
	snprintf(store->params, sizeof(store->params), "%016llx",
	    (unsigned long long)config->params);
	atomic_store(&store->stop_at_ns, UINT64_MAX);
	atomic_store(&store->state_since_ns, clock_wall().ns);
	store->engine_config = config_for_engine(store);
	(void)sem_init(&store->woken, 0, 0);
	pthread_mutex_init(&store->lock, NULL);
	store_works_init(&store->works);
	store_tracks_init(&store->tracks);
	outbox_init(&store->outbox, config->table, FROM_NOBODY, on_wake, store);
	store->outbox.scope = scope_of(store);
	return store;
}

enum herd_error
store_open(
    const struct store_config *config, struct buf *message, struct store **out)
{
	struct store *store = store_new(config);
	enum herd_error error;

	if (store == NULL)
		return HERD_ENOMEM;
	error = store->path == NULL || store->url_file == NULL
		    ? HERD_ENOMEM
		    : store_batch_init(store);
	if (error == HERD_OK)
		error = store->ops->open(
		    &store->engine_config, message, &store->engine);
	if (store->ops->is_shared)
		store_contact_init(store);
	else if (error == HERD_OK)
		error = load_local(store, message);
	if (error == HERD_OK)
		error = outbox_attach(&store->outbox);
	if (error != HERD_OK) {
		store_close(store);
		return error;
	}
	commit_init(&store->commit, &store->outbox);
	*out = store;
	return HERD_OK;
}

enum herd_error
store_start(struct store *store, const struct store_hooks *hooks)
{
	store->hooks = *hooks;
	if (thread_start(&store->thread, "store", 0, run_store, store) != 0)
		return HERD_ESYSTEM;
	store->started = true;
	return HERD_OK;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	atomic_store(
	    &store->stop_at_ns, clock_mono().ns + store->config.timeout_ns);
	if (store->started) {
		atomic_store(&store->stopping, true);
		(void)sem_post(&store->woken);
		pthread_join(store->thread, NULL);
	}
	outbox_detach(&store->outbox);
	if (store->engine != NULL)
		store->ops->close(store->engine);
	store_batch_release(store);
	(void)sem_destroy(&store->woken);
	pthread_mutex_destroy(&store->lock);
	store_works_release(&store->works);
	store_tracks_release(&store->tracks);
	free(store->path);
	free(store->url_file);
	free(store);
}

const struct outbox *
store_outbox(const struct store *store)
{
	return store != NULL && store->config.sync ? &store->outbox : NULL;
}

const struct commit *
store_commit(const struct store *store)
{
	return &store->commit;
}

/* --- what others may know ------------------------------------------------- */

bool
store_is_shared(const struct store *store)
{
	return store->ops->is_shared;
}

uint64_t
store_patience_ns(const struct store *store)
{
	return store != NULL && store->config.sync && store->ops->is_shared
		   ? store->config.timeout_ns
		   : 0;
}

void
store_hindrance(const struct store *store, struct store_hindrance *out)
{
	*out = (struct store_hindrance){
		.since_ns = atomic_load(&store->waits_since_ns),
		.loads =
		    store->config.require && !atomic_load(&store->is_loaded),
	};
}

enum herd_error
store_disk(const struct store *store, struct store_disk *out)
{
	struct statvfs disk;

	*out = (struct store_disk){ 0 };
	if (store->ops->is_shared || statvfs(store->path, &disk) != 0)
		return HERD_ESYSTEM;
	out->bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
	out->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	return HERD_OK;
}

bool
store_has_failed(const struct store *store)
{
	return has_failed(store);
}

void
store_status(struct store *store, struct store_status *out)
{
	*out = (struct store_status){
		.engine = store->word,
		.is_shared = store->ops->is_shared,
		.sync = store->config.sync,
		.has_history =
		    store->ops->track != NULL && store->config.history_ns != 0,
		.state = store_state(store),
		.since = { atomic_load(&store->state_since_ns) },
		.lag =
		    outbox_owed(&store->outbox) + atomic_load(&store->retried),
		.commits = atomic_load(&store->commits),
		.committed = atomic_load(&store->committed),
		.loaded = atomic_load(&store->loaded),
		.damaged = atomic_load(&store->damaged),
		.commit_ns = atomic_load(&store->commit_ns),
		.rows = atomic_load(&store->rows),
		.counts = atomic_load(&store->counts),
		.is_estimate = atomic_load(&store->is_estimate),
		.last_commit = { atomic_load(&store->last_commit_ns) },
		.last_backup = { atomic_load(&store->last_backup_ns) },
		.last_backup_bytes = atomic_load(&store->last_backup_bytes),
		.retries = atomic_load(&store->retries),
		.repaired = atomic_load(&store->repaired),
		.expired = atomic_load(&store->expired),
	};
	time_histogram_add(&out->commit_times, &store->commit_times);
	pthread_mutex_lock(&store->lock);
	if (out->state != STORE_OK && out->state != STORE_LOADING)
		memcpy(out->error, store->error, sizeof(out->error));
	out->about = store->about;
	out->found = store->found;
	pthread_mutex_unlock(&store->lock);
}
