/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store asks of a database. An engine is a constant in its own file
 * and a row of STORE_ENGINES in herd/settings.h. One thread, the store's,
 * calls it. Each `put` comes between `begin` and `commit`; when `commit`
 * returns HERD_OK, they survive a crash of process and machine (with `sync`)
 * or of the process (without).
 */
#ifndef HERD_ENGINE_H
#define HERD_ENGINE_H

#include <stdbool.h>

#include "herd/report.h"
#include "herd/settings.h"

#define ENGINE_ERROR_MAX 256u

/* The part of an engine that the store sees; engines embed it first. */
struct engine {
	const struct engine_ops *ops;
	char error[ENGINE_ERROR_MAX]; /* of the last failure */
	const char *hint;             /* what to do about `error` */
	bool is_lost; /* the next start would read another file */
};

/* Receives what is loaded; the calls borrow their arguments. */
struct engine_loader {
	void *arg;
	enum herd_error (*on_report)(void *arg, const struct report *report);
	/* A damaged row, and what is wrong with it; it is deleted. */
	void (*on_damaged)(void *arg, struct span client, const char *why);
	/* All rows were written again, and why. */
	void (*on_rewritten)(void *arg, const char *why);
};

/* Is this client's row still needed? */
typedef bool engine_is_held(void *arg, struct span client);

/*
 * What an engine does besides, on demand and in slices, between two
 * transactions: no commit waits longer than for a slice.
 */
enum engine_work {
	ENGINE_BACKUP, /* a copy of the store, as it is when it is done */
	ENGINE_CHECK,  /* is each row as it was put? */
	ENGINE_ERASE,  /* nothing of what was deleted stays in the files */
	ENGINE_WORKS
};

/* About as long as a slice takes. */
#define ENGINE_SLICE_NS (5u * HERD_NS_PER_MS)

struct engine_task {
	void *state;    /* the engine's; NULL before the first slice */
	uint64_t done;  /* of `total`, in the engine's own unit; any thread */
	uint64_t total; /* 0: nobody knows yet */
	uint64_t rows;  /* CHECK: seen so far */
	uint64_t removals;
	uint64_t damaged;
	uint64_t cleaned; /* ERASE: bytes that were overwritten */
	uint64_t bytes;   /* BACKUP: the copy's size */
	int fd;           /* BACKUP: of the copy, a file without a name, given
			     with HERD_OK; else -1 */
	bool is_blocked;  /* the slice did nothing: others are in the way */
	char error[ENGINE_ERROR_MAX];
	const char *hint; /* or NULL */
};

struct engine_ops {
	/* Opens or creates `path`. On failure `message` says why, what next. */
	enum herd_error (*open)(const char *path, bool sync,
	    struct buf *message, struct engine **out);
	/*
	 * Called once, before anything is written. Reports only rows that
	 * are proved to be as they were put. HERD_ECANCELED, when a signal asks
	 * to stop: nothing is changed.
	 */
	enum herd_error (*load)(
	    struct engine *engine, const struct engine_loader *loader);
	enum herd_error (*begin)(struct engine *engine);
	enum herd_error (*put)(
	    struct engine *engine, const struct report *report);
	enum herd_error (*commit)(struct engine *engine);
	/* Deletes rows that are not held, at most `max`; counts them. */
	enum herd_error (*prune)(struct engine *engine, engine_is_held *is_held,
	    void *arg, unsigned max, uint64_t *deleted);
	enum herd_error (*count)(struct engine *engine, uint64_t *rows);
	/*
	 * One slice of it. HERD_EAGAIN: there is more. HERD_OK: done. Else it
	 * has failed, the task says why, and the engine goes on. NULL: the
	 * engine has no such work. `drop` frees what a task has.
	 */
	enum herd_error (*work[ENGINE_WORKS])(
	    struct engine *engine, struct engine_task *task);
	void (*drop[ENGINE_WORKS])(struct engine_task *task);
	/* Deletes the client's row, in a transaction of its own. */
	enum herd_error (*forget)(struct engine *engine, struct span client);
	void (*close)(struct engine *engine);
};

#define ENGINE_DECLARED(id, name) extern const struct engine_ops engine_##name;
STORE_ENGINES(ENGINE_DECLARED)
#undef ENGINE_DECLARED

#endif
