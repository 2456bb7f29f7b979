/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durability: a thread that drains its outbox into an engine, one
 * transaction per batch. With `durability: sync` an answer waits until the
 * transaction that has its report is committed.
 *
 * A local engine is loaded before the node serves. A write error ends durable
 * service until a restart: with sync, clients are refused; with async, the node
 * goes on from memory. There is no retry, because after a failed fsync nobody
 * knows what the disk holds.
 *
 * A shared engine is a slow, durable peer. Contact comes when it comes; what it
 * has is loaded in pages while the node serves, in any order, because the
 * newest wins. When contact is lost, the same batch is written again, which
 * changes nothing if it was written before. Meanwhile each client costs one
 * owed record at most.
 */
#ifndef HERD_STORE_H
#define HERD_STORE_H

#include "base/log.h"
#include "core/commit.h"
#include "core/timekeeper.h"
#include "herd/time_histogram.h"
#include "store/engine.h"

#define STORE_BATCH_RECORDS ENGINE_BATCH_MAX
#define STORE_BATCH_NS (20u * HERD_NS_PER_MS)
#define STORE_PRUNE_NS (600u * HERD_NS_PER_S)
#define STORE_PRUNE_ROWS 65536u /* shared: deleted at one time */
/* Local: looked at between two batches, which wait some milliseconds. */
#define STORE_PRUNE_SLICE 1024u
/* Longest wait before contact is sought again, as between nodes. */
#define STORE_RETRY_NS (5u * HERD_NS_PER_S)

struct store;

#define STORE_STATES(X)                                                     \
	X(STORE_OK, "ok")                                                   \
	X(STORE_LOADING, "loading") /* shared: not all rows are here */     \
	X(STORE_AWAY, "away")       /* shared: no contact; it is sought */  \
	X(STORE_REFUSED, "refused") /* shared: until somebody changes it */ \
	X(STORE_FAILED, "failed")   /* until a restart */

enum store_state {
#define HERD_STORE_STATE(id, word) id,
	STORE_STATES(HERD_STORE_STATE)
#undef HERD_STORE_STATE
};

const char *store_state_word(enum store_state state);

/* What a comparison of the table with a shared engine has found. */
struct store_differences {
	uint64_t number;  /* of comparisons so far; 0: none yet */
	bool mended;      /* what it found is not so any more */
	struct wall at;   /* its end */
	uint64_t rows;    /* of the engine, that were read */
	uint64_t missing; /* records that the engine lacks */
	uint64_t stale;   /* rows older than their record */
	uint64_t unknown; /* rows of clients that the table lacks */
	uint64_t newer;   /* rows newer than their record */
};

struct store_status {
	const char *engine;
	bool is_shared;
	bool sync;
	bool has_history;
	enum store_state state;
	struct wall since; /* shared: of the state */
	uint64_t lag;      /* records not yet committed */
	uint64_t commits;
	uint64_t committed;      /* records */
	uint64_t loaded;         /* at start */
	uint64_t damaged;        /* at start, rows that were left out */
	uint64_t commit_ns;      /* the last one took */
	uint64_t rows;           /* when they were counted last */
	uint64_t counts;         /* how often they were */
	bool is_estimate;        /* of the engine; nobody counted */
	struct wall last_commit; /* since the start; 0: none */
	struct wall last_backup; /* that was fetched whole, since the start */
	uint64_t last_backup_bytes;
	struct time_histogram commit_times;
	char error[ENGINE_ERROR_MAX]; /* why it is not OK */
	/* shared */
	uint64_t retries;  /* calls that were made again, or will be */
	uint64_t repaired; /* rows and records that comparisons corrected */
	uint64_t expired;  /* rows that were deleted for their age */
	struct store_differences found; /* by the last comparison */
	struct engine_about about;
};

struct store_hooks {
	void *arg;
	/*
	 * In the store's thread: answers may be sent, or the store's state has
	 * changed.
	 */
	void (*on_commit)(void *arg);
	/*
	 * In the store's thread: is this the node that compares and expires?
	 * Shared engines only.
	 */
	bool (*leads)(void *arg);
};

/* Borrowed, but for the paths: each outlives the store. */
struct store_config {
	enum store_engine engine;     /* not STORE_NONE */
	const struct engine_ops *ops; /* NULL: of `engine` */
	const char *path;             /* copied */
	const char *url_file;         /* copied */
	const char *herd;
	const char *node;
	uint64_t params; /* as nodes compare them: session_params() */
	bool sync;
	bool require;
	enum store_write write;
	unsigned batch;
	uint64_t timeout_ns;
	uint64_t history_ns;
	uint64_t compare_ns;      /* between two comparisons, about */
	uint64_t expire_after_ns; /* 0: nothing expires */
	struct table *table;
	const struct timekeeper *timekeeper;
	struct log *log;
};

/*
 * Opens the engine and begins to listen to changes; loads what a local engine
 * has into the table. `message` says what went wrong.
 */
HERD_MUST_CHECK enum herd_error store_open(
    const struct store_config *config, struct buf *message, struct store **out);

/* Starts the thread; the hooks, which are copied, may be called from now on. */
HERD_MUST_CHECK enum herd_error store_start(
    struct store *store, const struct store_hooks *hooks);

/*
 * Commits what is owed, joins the thread, closes; a shared engine has the
 * timeout for all that. NULL is fine.
 */
void store_close(struct store *store);

/* For table_put(), of a store with durability sync; else NULL. */
const struct outbox *store_outbox(const struct store *store);

/* Which tickets are durable. */
const struct commit *store_commit(const struct store *store);

/* Do other nodes write it too? */
bool store_is_shared(const struct store *store);

/* How long a reply may wait for a commit; 0: until it comes. NULL is fine. */
uint64_t store_patience_ns(const struct store *store);

/* Why a node with that store is not to be ready. */
struct store_hindrance {
	/*
	 * Replies have waited since then, clock_mono(): 0: none do. It matters
	 * when that is longer ago than the store's patience.
	 */
	uint64_t since_ns;
	bool loads; /* not all that is required is loaded */
};

/* Any thread. */
void store_hindrance(const struct store *store, struct store_hindrance *out);

/* Any thread: has the rows counted soon; `counts` then goes up. */
void store_ask_rows(struct store *store);

/*
 * Any thread: has the table compared with a shared engine soon, without a
 * change to either; `found.number` then goes up. False: the engine is a local
 * one.
 */
bool store_ask_differences(struct store *store);

/*
 * Any thread: reads the address of a shared engine again and seeks contact now,
 * also after a refusal. False: the engine is a local one.
 */
bool store_retry(struct store *store);

/* A backup of so many bytes has been fetched. */
void store_note_backup(struct store *store, uint64_t bytes);

/*
 * The file, as it was given, or a shared engine's file with its address; lives
 * as long as the store.
 */
const char *store_path(const struct store *store);

struct store_disk {
	uint64_t bytes;
	uint64_t free_bytes; /* for a process without privileges */
};

/*
 * The size of the file system that has the store's file. HERD_ESYSTEM: it does
 * not say, or there is no such file; *out is then zero. Any thread.
 */
HERD_MUST_CHECK enum herd_error store_disk(
    const struct store *store, struct store_disk *out);

/* Any thread. */
bool store_has_failed(const struct store *store);
void store_status(struct store *store, struct store_status *out);

#endif
