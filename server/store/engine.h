/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The seam behind which a database stands. One thread, the store's, calls
 * an engine; `put`s come between `begin` and `commit`, and what `commit` said
 * HERD_OK to must survive a crash of process and machine (with `sync`) or of
 * the process (without).
 */
#ifndef HERD_ENGINE_H
#define HERD_ENGINE_H

#include "herd/report.h"

#define ENGINE_ERROR_MAX 256u

/* What an engine's owner gets to see of it; engines embed it first. */
struct engine {
	const struct engine_ops *ops;
	char error[ENGINE_ERROR_MAX]; /* of the last failure */
	const char *hint;             /* what to do about `error` */
};

/* Called for each stored report during load; borrows it for the call. */
typedef enum herd_error engine_on_report(
    void *arg, const struct report *report);

/* Is this client's row wanted still? */
typedef bool engine_is_held(void *arg, struct span client);

struct engine_ops {
	const char *name;
	/* Opens or creates `path`. On failure `message` says why, what next. */
	enum herd_error (*open)(const char *path, bool sync,
	    struct buf *message, struct engine **out);
	enum herd_error (*load)(struct engine *engine,
	    engine_on_report *on_report, void *arg, uint64_t *skipped);
	enum herd_error (*begin)(struct engine *engine);
	enum herd_error (*put)(
	    struct engine *engine, const struct report *report);
	enum herd_error (*commit)(struct engine *engine);
	/* Deletes rows that nobody holds, at most `max`; *deleted of them. */
	enum herd_error (*prune)(struct engine *engine, engine_is_held *is_held,
	    void *arg, unsigned max, uint64_t *deleted);
	enum herd_error (*count)(struct engine *engine, uint64_t *rows);
	void (*close)(struct engine *engine);
};

extern const struct engine_ops engine_sqlite;

#endif
