/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durability: a thread that drains its outbox into an engine, one
 * transaction per batch. With `durability: sync` an answer waits until the
 * transaction that has its report is committed.
 *
 * A write error ends durable service until a restart: with sync, clients are
 * refused; with async, the node goes on from memory. There is no retry, because
 * after a failed fsync nobody knows what the disk holds.
 */
#ifndef HERD_STORE_H
#define HERD_STORE_H

#include "base/log.h"
#include "core/commit.h"
#include "core/timekeeper.h"
#include "herd/time_histogram.h"

#define STORE_BATCH_RECORDS 8192u
#define STORE_BATCH_NS (20u * HERD_NS_PER_MS)
#define STORE_PRUNE_NS (600u * HERD_NS_PER_S)
#define STORE_PRUNE_ROWS 65536u /* deleted at one time */

struct store;

enum store_state { STORE_OK, STORE_FAILED };

struct store_status {
	const char *engine;
	bool sync;
	enum store_state state;
	uint64_t lag; /* records not yet committed */
	uint64_t commits;
	uint64_t committed;      /* records */
	uint64_t loaded;         /* at start */
	uint64_t damaged;        /* at start, rows that were left out */
	uint64_t commit_ns;      /* the last one took */
	uint64_t rows;           /* when they were counted last */
	uint64_t counts;         /* how often they were */
	struct wall last_commit; /* since the start; 0: none */
	struct wall last_backup; /* that was fetched whole, since the start */
	uint64_t last_backup_bytes;
	struct time_histogram commit_times;
	char error[256];
};

/* Called in the store's thread: answers may be sent, or the store failed. */
typedef void store_on_commit(void *arg);

/*
 * Opens the engine, which is not STORE_NONE, loads what it has into `table` and
 * begins to listen to changes. Borrows table, timekeeper and log. `message`
 * says what went wrong.
 */
HERD_MUST_CHECK enum herd_error store_open(enum store_engine engine,
    const char *path, bool sync, struct table *table,
    const struct timekeeper *timekeeper, struct log *log, struct buf *message,
    struct store **out);

/* Starts the thread; on_commit may be called from now on. */
HERD_MUST_CHECK enum herd_error store_start(
    struct store *store, store_on_commit *on_commit, void *arg);

/* Commits what is owed, joins the thread, closes. NULL is fine. */
void store_close(struct store *store);

/* For table_put(), of a store with durability sync; else NULL. */
const struct outbox *store_outbox(const struct store *store);

/* Which tickets are durable. */
const struct commit *store_commit(const struct store *store);

/* Any thread: has the rows counted soon; `counts` then goes up. */
void store_ask_rows(struct store *store);

/* A backup of so many bytes has been fetched. */
void store_note_backup(struct store *store, uint64_t bytes);

/* The file, as it was given; lives as long as the store. */
const char *store_path(const struct store *store);

struct store_disk {
	uint64_t bytes;
	uint64_t free_bytes; /* for a process without privileges */
};

/*
 * The size of the file system that has the store's file. HERD_ESYSTEM: it does
 * not say; *out is then zero. Any thread.
 */
HERD_MUST_CHECK enum herd_error store_disk(
    const struct store *store, struct store_disk *out);

/* Any thread. */
bool store_has_failed(const struct store *store);
void store_status(struct store *store, struct store_status *out);

#endif
