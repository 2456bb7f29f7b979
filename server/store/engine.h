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
	void (*close)(struct engine *engine);
};

#define ENGINE_DECLARED(id, name) extern const struct engine_ops engine_##name;
STORE_ENGINES(ENGINE_DECLARED)
#undef ENGINE_DECLARED

#endif
