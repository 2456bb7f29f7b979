/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/thread.h"
#include "store/engine.h"
#include "store/store_work.h"

/* A batch's lines between outbox and engine. */
#define BATCH_BYTES_MAX (STORE_BATCH_RECORDS * 256u + (1u << 20))
/* Before work is tried again that others are in the way of. */
#define BLOCKED_WAIT_NS 20000000L

struct store {
	const char *word; /* of store.engine */
	char *path;
	struct engine *engine;
	bool sync;
	struct table *table;
	const struct timekeeper *timekeeper;
	struct log *log;
	struct outbox outbox;
	struct commit commit;
	struct buf batch; /* lines */
	unsigned batch_records;
	struct report *reports; /* the batch's; they borrow its lines */
	sem_t woken;
	pthread_t thread;
	bool started;
	_Atomic bool stopping;
	store_on_commit *on_commit;
	void *arg;
	struct mono prune_at;
	_Atomic bool failed;
	_Atomic uint64_t commits;
	_Atomic uint64_t committed;
	_Atomic uint64_t commit_ns;
	struct time_histogram commit_times;
	uint64_t loaded;
	uint64_t damaged;
	pthread_mutex_t error_lock;
	char error[256];
	struct store_works works;
	_Atomic bool count_wanted;
	_Atomic uint64_t rows;
	_Atomic uint64_t counts;         /* how often the rows were counted */
	_Atomic uint64_t last_commit_ns; /* wall clock; 0: none yet */
	_Atomic uint64_t last_backup_ns;
	_Atomic uint64_t last_backup_bytes;
};

/* --- loading ------------------------------------------------------------ */

static enum herd_error
on_loaded(void *arg, const struct report *report)
{
	struct store *store = arg;

	/* Takes any age: the sweep drops old records once the clock is sure. */
	if (table_put(store->table, report, FROM_NOBODY, (struct wall){ 0 },
		NULL, NULL) == PUT_NOMEM)
		return HERD_ENOMEM;
	store->loaded++;
	return HERD_OK;
}

static void
on_damaged(void *arg, struct span client, const char *why)
{
	struct store *store = arg;

	store->damaged++;
	LOG(store->log, LOG_WARN, "store-row-damaged",
	    log_span("client", client), log_text("error", why),
	    log_text("next", "left out; a neighbour that has it gives it "
			     "back; if it goes on, change the disk"));
}

static void
on_rewritten(void *arg, const char *why)
{
	struct store *store = arg;

	LOG(store->log, LOG_INFO, "store-rewritten", log_text("why", why));
}

static enum herd_error
store_load(struct store *store, const char *path, struct buf *message)
{
	const struct engine *engine = store->engine;
	const struct engine_loader loader = { store, on_loaded, on_damaged,
		on_rewritten };
	struct mono start = clock_mono();
	struct engine_cursor cursor = { .begun = false };
	enum herd_error error =
	    engine->ops->load(store->engine, &loader, &cursor);

	if (error != HERD_OK && engine->error[0] == '\0')
		return error;
	if (error != HERD_OK)
		return buf_addf(message, "store.path: cannot load %s: %s; %s",
			   path, engine->error, engine->hint) == HERD_OK
			   ? error
			   : HERD_ENOMEM;
	LOG(store->log, LOG_INFO, "store-loaded",
	    log_number("records", (int64_t)store->loaded),
	    log_number("skipped", (int64_t)store->damaged),
	    log_number("ms",
		(int64_t)(mono_since(clock_mono(), start) / HERD_NS_PER_MS)));
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

static bool
on_give(void *arg, const struct report *report)
{
	struct store *store = arg;

	if (buf_reserve(&store->batch, report_line_len(report) + 1) !=
		HERD_OK ||
	    report_format(&store->batch, report) != HERD_OK ||
	    buf_add_byte(&store->batch, '\n') != HERD_OK)
		return false;
	store->batch_records++;
	return true;
}

static void
store_fail(struct store *store, const char *what)
{
	const struct engine *engine = store->engine;
	char next[LOG_FIELD_MAX];

	snprintf(next, sizeof(next), "%s; %s, restart this node",
	    store->sync ? "clients are refused"
			: "reports are kept in memory only",
	    engine->is_lost ? engine->hint : "fix the disk");
	pthread_mutex_lock(&store->error_lock);
	snprintf(store->error, sizeof(store->error), "%s", what);
	pthread_mutex_unlock(&store->error_lock);
	atomic_store(&store->failed, true);
	LOG(store->log, LOG_ERROR, "store-failed", log_text("error", what),
	    log_text("next", next));
	store->on_commit(store->arg);
}

/* Copies what is owed, up to a batch's size and time. */
static enum herd_error
store_collect(struct store *store)
{
	struct mono until = mono_add(clock_mono(), STORE_BATCH_NS);
	unsigned popped = 0;

	buf_clear(&store->batch);
	store->batch_records = 0;
	while (popped < STORE_BATCH_RECORDS) {
		unsigned n = outbox_take(&store->outbox,
		    STORE_BATCH_RECORDS - popped, on_give, store);

		popped += n;
		if (n == 0 || clock_mono().ns >= until.ns)
			break;
	}
	if (popped == 0 && !outbox_is_empty(&store->outbox))
		return HERD_ENOMEM;
	commit_end_batch(&store->commit);
	return HERD_OK;
}

static enum herd_error
store_write(struct store *store)
{
	struct span rest = buf_span(&store->batch);
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < store->batch_records; i++) {
		const char *lf = memchr(rest.data, '\n', rest.len);
		struct span line = span_of(rest.data, (size_t)(lf - rest.data));

		rest = span_of(lf + 1, rest.len - line.len - 1);
		error = report_parse(line, &store->reports[i]);
		if (error != HERD_OK)
			return error;
	}
	return store->engine->ops->put_many(
	    store->engine, store->reports, store->batch_records);
}

static bool
is_held(void *arg, struct span client)
{
	struct store *store = arg;
	struct record record;
	bool held;

	record_init(&record);
	held = table_get(store->table, client, &record) != HERD_ENOTFOUND;
	record_release(&record);
	return held;
}

/*
 * Deletes rows of clients that expired or were evicted, now and then, but not
 * while the clock may be wrong.
 */
static enum herd_error
store_prune(struct store *store)
{
	const struct engine_ops *ops = store->engine->ops;
	struct table_counts counts;
	uint64_t deleted = 0;
	uint64_t rows = 0;
	bool is_estimate = false;
	enum herd_error error;

	if (clock_mono().ns < store->prune_at.ns ||
	    !timekeeper_may_prune(store->timekeeper, clock_mono()))
		return HERD_OK;
	store->prune_at = mono_add(clock_mono(), STORE_PRUNE_NS);
	table_count(store->table, &counts);
	error = ops->count(store->engine, &rows, &is_estimate);
	if (error != HERD_OK || rows <= counts.records)
		return error;
	error = ops->prune(
	    store->engine, is_held, store, STORE_PRUNE_ROWS, &deleted);
	if (error == HERD_OK && deleted == STORE_PRUNE_ROWS)
		store->prune_at = clock_mono();
	if (error == HERD_OK && deleted > 0)
		LOG(store->log, LOG_INFO, "store-pruned",
		    log_number("rows", (int64_t)deleted));
	return error;
}

static void
store_batch(struct store *store)
{
	enum herd_error error = store_collect(store);
	struct mono start = clock_mono();
	uint64_t took;

	if (error == HERD_OK && store->batch_records > 0)
		error = store_write(store);
	if (error == HERD_OK)
		error = store_prune(store);
	if (error != HERD_OK || outbox_has_failed(&store->outbox)) {
		store_fail(store, error == HERD_OK ? "out of memory"
				  : store->engine->error[0] != '\0'
				      ? store->engine->error
				      : herd_strerror(error));
		return;
	}
	took = mono_since(clock_mono(), start);
	atomic_store(&store->commit_ns, took);
	if (store->batch_records > 0)
		time_histogram_note(&store->commit_times, took, 1);
	atomic_fetch_add(&store->commits, store->batch_records > 0);
	atomic_fetch_add(&store->committed, store->batch_records);
	if (store->batch_records > 0)
		atomic_store(&store->last_commit_ns, clock_wall().ns);
	if (commit_publish(&store->commit))
		store->on_commit(store->arg);
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
	if (client.len > 0 && !is_held(store, client))
		error = store->engine->ops->forget(store->engine, client);
	if (error != HERD_OK) {
		store_fail(store, store->engine->error);
		return STORE_WORK_IDLE;
	}
	return store_work_go_on(work, store->engine);
}

static void
store_count(struct store *store)
{
	uint64_t rows = 0;
	bool is_estimate = false;

	if (!atomic_exchange(&store->count_wanted, false) ||
	    store->engine->ops->count(store->engine, &rows, &is_estimate) !=
		HERD_OK)
		return;
	atomic_store(&store->rows, rows);
	atomic_fetch_add(&store->counts, 1);
}

static void
store_wait(struct store *store, enum store_work_turn turn)
{
	struct timespec until;

	if (turn == STORE_WORK_BLOCKED) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += BLOCKED_WAIT_NS;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)sem_clockwait(&store->woken, CLOCK_MONOTONIC, &until);
		return;
	}
	while (sem_wait(&store->woken) != 0 && errno == EINTR)
		;
}

static void *
run_store(void *arg)
{
	struct store *store = arg;

	while (!atomic_load(&store->failed)) {
		bool stopping = atomic_load(&store->stopping);
		bool owed = !outbox_is_empty(&store->outbox);
		enum store_work_turn turn = STORE_WORK_IDLE;

		if (owed)
			store_batch(store);
		if (!stopping && !atomic_load(&store->failed)) {
			turn = store_work(store);
			store_count(store);
		}
		if (owed || turn == STORE_WORK_MORE)
			continue;
		if (stopping)
			break;
		store_wait(store, turn);
	}
	store_works_close(&store->works, store->engine,
	    atomic_load(&store->failed) ? "the store has failed"
					: "the node stops");
	return NULL;
}

/* --- what others ask for ------------------------------------------------- */

enum herd_error
store_work_begin(struct store *store, enum engine_work work, struct span client,
    struct store_work **out)
{
	struct outbox_progress owed;
	enum herd_error error;

	if (store->engine->ops->work[work] == NULL)
		return HERD_ENOTFOUND;
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
	return store->path;
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

enum herd_error
store_open(enum store_engine engine, const char *path, bool sync,
    struct table *table, const struct timekeeper *timekeeper, struct log *log,
    struct buf *message, struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));
	struct engine_config config = { .path = path, .sync = sync };
	enum herd_error error;

	if (store == NULL)
		return HERD_ENOMEM;
	store->path = strdup(path);
	store->reports = calloc(STORE_BATCH_RECORDS, sizeof(*store->reports));
	store->word = ENGINES[engine].word;
	store->sync = sync;
	store->table = table;
	store->timekeeper = timekeeper;
	store->log = log;
	buf_init(&store->batch, BATCH_BYTES_MAX);
	(void)sem_init(&store->woken, 0, 0);
	pthread_mutex_init(&store->error_lock, NULL);
	store_works_init(&store->works);
	outbox_init(&store->outbox, table, FROM_NOBODY, on_wake, store);
	error =
	    store->path == NULL || store->reports == NULL
		? HERD_ENOMEM
		: ENGINES[engine].ops->open(&config, message, &store->engine);
	if (error == HERD_OK)
		error = store_load(store, path, message);
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
store_start(struct store *store, store_on_commit *on_commit, void *arg)
{
	store->on_commit = on_commit;
	store->arg = arg;
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
	if (store->started) {
		atomic_store(&store->stopping, true);
		(void)sem_post(&store->woken);
		pthread_join(store->thread, NULL);
	}
	outbox_detach(&store->outbox);
	if (store->engine != NULL)
		store->engine->ops->close(store->engine);
	buf_release(&store->batch);
	free(store->reports);
	(void)sem_destroy(&store->woken);
	pthread_mutex_destroy(&store->error_lock);
	store_works_release(&store->works);
	free(store->path);
	free(store);
}

const struct outbox *
store_outbox(const struct store *store)
{
	return store != NULL && store->sync ? &store->outbox : NULL;
}

const struct commit *
store_commit(const struct store *store)
{
	return &store->commit;
}

enum herd_error
store_disk(const struct store *store, struct store_disk *out)
{
	struct statvfs disk;

	*out = (struct store_disk){ 0 };
	if (statvfs(store->path, &disk) != 0)
		return HERD_ESYSTEM;
	out->bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
	out->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	return HERD_OK;
}

bool
store_has_failed(const struct store *store)
{
	return atomic_load(&store->failed);
}

void
store_status(struct store *store, struct store_status *out)
{
	*out = (struct store_status){
		.engine = store->word,
		.sync = store->sync,
		.state = atomic_load(&store->failed) ? STORE_FAILED : STORE_OK,
		.lag = outbox_owed(&store->outbox),
		.commits = atomic_load(&store->commits),
		.committed = atomic_load(&store->committed),
		.loaded = store->loaded,
		.damaged = store->damaged,
		.commit_ns = atomic_load(&store->commit_ns),
		.rows = atomic_load(&store->rows),
		.counts = atomic_load(&store->counts),
		.last_commit = { atomic_load(&store->last_commit_ns) },
		.last_backup = { atomic_load(&store->last_backup_ns) },
		.last_backup_bytes = atomic_load(&store->last_backup_bytes),
	};
	time_histogram_add(&out->commit_times, &store->commit_times);
	pthread_mutex_lock(&store->error_lock);
	memcpy(out->error, store->error, sizeof(out->error));
	pthread_mutex_unlock(&store->error_lock);
}
