/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store as its own files see it: store.c, which others call and which runs
 * the thread, store_batch.c, which writes, store_contact.c, which finds and
 * loses a shared engine, and store_compare.c, which compares it with the table.
 * All for the store's thread, but for what says otherwise.
 */
#ifndef HERD_STORE_INTERNAL_H
#define HERD_STORE_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>

#include "core/backoff.h"
#include "store/store.h"
#include "store/store_track.h"
#include "store/store_work.h"

struct store_compare;

struct store {
	const char *word; /* of store.engine */
	const struct engine_ops *ops;
	struct store_config config; /* its paths are our own */
	struct engine_config engine_config;
	char *path;
	char *url_file;
	char params[17]; /* as the engine sees them */
	struct engine *engine;
	struct outbox outbox;
	struct commit commit;
	struct store_hooks hooks;
	sem_t woken;
	pthread_t thread;
	bool started;
	_Atomic bool stopping;
	_Atomic uint64_t stop_at_ns; /* engine_config.stop_at_ns */

	struct {
		struct buf lines;
		unsigned count;
		struct report *reports; /* they borrow the lines */
		struct mono began;      /* the first attempt to write it */
		bool pending; /* taken from the outbox, not yet written */
	} batch;
	struct mono prune_at;
	bool is_pruning; /* local: a part of the rows was looked at */
	uint64_t pruned; /* by then */

	struct {
		bool open;        /* local: always */
		bool met;         /* it was open once */
		bool reports_it;  /* this loss of contact is in the log */
		struct mono lost; /* the state changed to away */
		struct mono retry_at;
		struct backoff backoff;
		struct engine_cursor cursor; /* of the load */
		struct mono loading_since;
	} contact;
	struct store_compare *compare; /* NULL: none is under way */
	struct mono compare_at;

	/* any thread */
	_Atomic unsigned state;          /* enum store_state */
	_Atomic uint64_t state_since_ns; /* wall clock */
	_Atomic uint64_t waits_since_ns; /* struct store_hindrance */
	_Atomic bool is_loaded;          /* local: before the thread starts */
	_Atomic bool retry_wanted;
	_Atomic bool count_wanted;
	_Atomic bool differences_wanted;
	_Atomic uint64_t commits;
	_Atomic uint64_t committed;
	_Atomic uint64_t commit_ns;
	struct time_histogram commit_times;
	_Atomic uint64_t loaded;
	_Atomic uint64_t damaged;
	_Atomic uint64_t retries;
	_Atomic unsigned retried; /* reports of the batch that is to be */
	_Atomic uint64_t repaired;
	_Atomic uint64_t expired;
	_Atomic bool is_estimate;
	_Atomic uint64_t rows;
	_Atomic uint64_t counts;         /* how often the rows were counted */
	_Atomic uint64_t last_commit_ns; /* wall clock; 0: none yet */
	_Atomic uint64_t last_backup_ns;
	_Atomic uint64_t last_backup_bytes;
	pthread_mutex_t lock; /* of what follows */
	char error[ENGINE_ERROR_MAX];
	struct engine_about about;
	struct store_differences found;

	struct store_works works;
	struct store_tracks tracks;
};

enum store_state store_state(const struct store *store);
/* The one way to change the state; tells the hooks. */
void store_set_state(struct store *store, enum store_state state);
/* Any thread may read it in the status. */
void store_note_error(struct store *store, const char *text);

/* It is over until a restart. */
void store_fail(struct store *store, const char *what);

/* After an engine's call that failed: a shared one is lost, a local one done.
 */
void store_on_error(struct store *store, enum herd_error error);

/* The engine's words for that error. */
const char *store_error_text(const struct store *store, enum herd_error error);

/* Any number, to spread what nodes do. */
uint64_t store_random(void);

/* Does the table hold the client? */
bool store_is_held(void *arg, struct span client);

/*
 * Puts into the table what the engine gave. A row that is too old by a clock
 * that is trusted stays where it is.
 */
enum put_result store_take(struct store *store, const struct report *report);

/* The next page of rows, or all of a local engine, into the table. */
HERD_MUST_CHECK enum herd_error store_load(struct store *store);

void store_log_loaded(const struct store *store);

#endif
