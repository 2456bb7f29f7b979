/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the store asks of a database. An engine is a constant in its own file
 * and a row of STORE_ENGINES in herd/settings.h. One thread at a time calls
 * it: the one that opens it, then the store's.
 *
 * A local engine is a file of this node alone: it is open, loaded and whole
 * before the node serves, and a write that fails is its end. A shared one is a
 * server that several nodes write: contact comes late and is lost, and each
 * call may be made again, because only newer rows win.
 */
#ifndef HERD_ENGINE_H
#define HERD_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "herd/report.h"
#include "herd/settings.h"
#include "herd/time.h"

#define ENGINE_ERROR_MAX 256u
#define ENGINE_KEY_LEN 32u /* of store_key() */
#define ENGINE_BATCH_MAX 8192u

struct timekeeper;

/* Borrowed, and its texts: they outlive the engine. */
struct engine_config {
	const char *path;     /* local: the file, as the setting expands to */
	const char *url_file; /* shared: the file with the server's address */
	bool sync;            /* a commit is on disk, not only in the kernel */
	const char *herd;
	const char *node;
	/*
	 * What tables must agree on, one word: a shared engine refuses tables
	 * that have another.
	 */
	const char *params;
	uint64_t timeout_ns; /* shared: longest time of one call, about */
	unsigned batch;      /* reports of one put_many, at most */
	uint64_t history_ns; /* 0: none is kept */
	/* Of the time by which reports are received; with a history. */
	const struct timekeeper *timekeeper;
	/*
	 * Shared: by then (clock_mono()) every call has returned, whatever
	 * timeout_ns says. UINT64_MAX until the node stops; it may change while
	 * a call waits, so look at it at least every 100 ms.
	 */
	const _Atomic uint64_t *stop_at_ns;
};

/* What a call that failed means for the next one. */
enum engine_fault {
	ENGINE_FINE,
	ENGINE_AWAY,    /* try the same again later: connect, then the call */
	ENGINE_REFUSED, /* the same again fails until somebody has changed it */
	ENGINE_BROKEN,  /* nobody knows what is on disk: until a restart */
};

/* The part of an engine that the store sees; engines embed it first. */
struct engine {
	const struct engine_ops *ops;
	enum engine_fault fault;      /* of the last call that failed */
	char error[ENGINE_ERROR_MAX]; /* of the last failure */
	const char *hint;             /* what to do about `error` */
	bool is_lost; /* the next start would read another file */
};

/* Receives what is loaded; the calls borrow their arguments. */
struct engine_loader {
	void *arg;
	enum herd_error (*on_report)(void *arg, const struct report *report);
	/*
	 * A damaged row, and what is wrong with it. A local engine deletes it,
	 * a shared one leaves it out.
	 */
	void (*on_damaged)(void *arg, struct span client, const char *why);
	/* All rows were written again, and why. */
	void (*on_rewritten)(void *arg, const char *why);
};

/*
 * Where a shared engine's load goes on: rows come in the order of store_key().
 * All zero is the beginning of all rows. A local engine takes no notice of it.
 */
struct engine_cursor {
	bool begun; /* only rows after `key` */
	bool has_end;
	uint8_t key[ENGINE_KEY_LEN]; /* of the last row that was given */
	uint8_t end[ENGINE_KEY_LEN]; /* no row after this one */
};

/* Is this client's row still needed? */
typedef bool engine_is_held(void *arg, struct span client);

/* A report of a client's history, oldest first. False: no more of them. */
typedef bool engine_on_track(void *arg, const struct report *report);

/* What `store status` says of a shared engine. */
struct engine_about {
	char server[64];   /* what it is, with its version */
	char address[256]; /* without password */
	unsigned schema;   /* 0: not known yet */
	bool is_replica;   /* it takes no writes */
	/* What it goes on without, and why; "": nothing. */
	char lacks[ENGINE_ERROR_MAX];
};

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

/*
 * A call that fails sets the engine's `error`, `hint` and `fault`; HERD_ENOMEM
 * and HERD_ECANCELED, when a signal asks to stop, may leave them. The functions
 * in the second half may be NULL.
 */
struct engine_ops {
	bool is_shared;
	/*
	 * Local: opens or creates the file. Shared: reads the address and
	 * refuses a bad one, without contact. On failure `message` says why,
	 * what next.
	 */
	enum herd_error (*open)(const struct engine_config *config,
	    struct buf *message, struct engine **out);
	/*
	 * Local: called once, before anything is written, and gives all rows.
	 * Shared: gives a page of some thousand rows and moves the cursor;
	 * HERD_EAGAIN: there may be more. Reports only rows that are proved to
	 * be as they were put.
	 */
	enum herd_error (*load)(struct engine *engine,
	    const struct engine_loader *loader, struct engine_cursor *cursor);
	/*
	 * One transaction: writes each report that is newer than its client's
	 * row. A client may be there twice, the newer report last. HERD_OK:
	 * they survive a crash of process and machine (with `sync`) or of the
	 * process (without).
	 */
	enum herd_error (*put_many)(struct engine *engine,
	    const struct report *reports, unsigned count);
	/*
	 * Without reading the rows: commits wait meanwhile. `is_estimate`,
	 * false before: it is the engine's guess.
	 */
	enum herd_error (*count)(
	    struct engine *engine, uint64_t *rows, bool *is_estimate);
	/* Deletes the client's row, in a transaction of its own. */
	enum herd_error (*forget)(struct engine *engine, struct span client);
	/* Shared: within timeout_ns, or at once when it stops. */
	void (*close)(struct engine *engine);

	/*
	 * Local: looks at the next `max` rows, deletes those that are not held
	 * and counts them, in a transaction of its own. HERD_EAGAIN: the next
	 * call goes on after them; else it begins again.
	 */
	enum herd_error (*prune)(struct engine *engine, engine_is_held *is_held,
	    void *arg, unsigned max, uint64_t *deleted);
	/*
	 * Shared: makes contact and looks at the tables, or creates them.
	 * Called before all others, and again after ENGINE_AWAY.
	 */
	enum herd_error (*connect)(struct engine *engine);
	/*
	 * Shared: deletes at most `max` rows with times before `cut_ns`, and
	 * what of the history is older at `now` than it may be.
	 */
	enum herd_error (*expire)(struct engine *engine, struct wall now,
	    uint64_t cut_ns, unsigned max, uint64_t *deleted);
	/*
	 * Shared, may be NULL: has the server closed the connection? It is not
	 * asked, so a node that writes nothing knows it, too, at no cost.
	 */
	enum herd_error (*look)(struct engine *engine);
	/* Shared: does not ask the server. */
	void (*describe)(struct engine *engine, struct engine_about *out);
	/*
	 * The client's history since then, at most `max` reports. NULL: the
	 * engine keeps none.
	 */
	enum herd_error (*track)(struct engine *engine, struct span client,
	    uint64_t since_ns, unsigned max, engine_on_track *on_track,
	    void *arg);
	/*
	 * One slice of it. HERD_EAGAIN: there is more. HERD_OK: done. Else it
	 * has failed, the task says why, and the engine goes on. NULL: the
	 * engine has no such work. `drop` frees what a task has.
	 */
	enum herd_error (*work[ENGINE_WORKS])(
	    struct engine *engine, struct engine_task *task);
	void (*drop[ENGINE_WORKS])(struct engine_task *task);
};

#define ENGINE_DECLARED(id, name) extern const struct engine_ops engine_##name;
STORE_ENGINES(ENGINE_DECLARED, ENGINE_DECLARED)
#undef ENGINE_DECLARED

#endif
