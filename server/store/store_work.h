/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long work that others ask of the store: a backup, a check, an erasure. It is
 * handed to the store's thread, one piece at a time, which does a slice of it
 * between two batches; the asker looks now and then how far it is.
 */
#ifndef HERD_STORE_WORK_H
#define HERD_STORE_WORK_H

#include <pthread.h>

#include "core/outbox.h"
#include "store/engine.h"

struct store_work;

enum store_work_state { STORE_WORK_RUNS, STORE_WORK_DONE, STORE_WORK_FAILED };

/* What one who asked may know. */
struct store_work_report {
	enum store_work_state state;
	struct engine_task task; /* its state and file are the work's own */
	double ms;               /* that it took, or takes already */
};

/* --- for those who ask; any thread -----------------------------------------
 */

struct store;

/*
 * Begins when all that the store owes now is committed. `client`, of
 * ENGINE_ERASE, is copied: its row is deleted if the table holds no report of
 * it. Gives *out: end it with store_work_end(). HERD_ENOTFOUND: the engine has
 * no such work; HERD_EEXIST: other work is under way; HERD_ECANCELED: the
 * store has failed or stops; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error store_work_begin(struct store *store,
    enum engine_work work, struct span client, struct store_work **out);

void store_work_look(struct store_work *work, struct store_work_report *out);

/* Gives the file of a backup that is done; -1 when it was given. */
int store_work_take_file(struct store_work *work);

/*
 * Nobody asks any more; NULL is fine. Work under way is given up, but for an
 * erasure, which is done all the same.
 */
void store_work_end(struct store_work *work);

/* What is under way, and how far; false: nothing is. */
bool store_look(
    struct store *store, enum engine_work *kind, struct store_work_report *out);

/* --- for store.c ------------------------------------------------------------
 */

struct store_works {
	pthread_mutex_t lock;
	struct store_work *current; /* until its thread is done with it */
	bool closed;
};

void store_works_init(struct store_works *works);
void store_works_release(struct store_works *works);

HERD_MUST_CHECK enum herd_error store_works_add(struct store_works *works,
    enum engine_work kind, struct span client,
    const struct outbox_progress *owed, struct store_work **out);

bool store_works_look(struct store_works *works, enum engine_work *kind,
    struct store_work_report *out);

/* The rest is for the store's thread. NULL: nothing to do. */
struct store_work *store_works_current(struct store_works *works);

/* Is all committed that was owed when it was handed in? */
bool store_work_may_begin(
    const struct store_work *work, const struct outbox_progress *now);

/* Of an erasure that has not begun: whose? Later, and else: no bytes. */
struct span store_work_client(const struct store_work *work);

enum store_work_turn { STORE_WORK_IDLE, STORE_WORK_MORE, STORE_WORK_BLOCKED };

/* Does a slice of it. */
enum store_work_turn store_work_go_on(
    struct store_work *work, struct engine *engine);

/* What is under way has failed, for that reason. */
void store_works_fail(
    struct store_works *works, struct engine *engine, const char *why);

/* No more work, for that reason. */
void store_works_close(
    struct store_works *works, struct engine *engine, const char *why);

#endif
