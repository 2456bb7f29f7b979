/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The output's destination: a file descriptor, a pager when it does not fit the
 * terminal, a shell command or file of the REPL, or memory (for `--watch`).
 * Once the reader has gone, what is written is dropped quietly.
 */
#ifndef HERD_CLIENT_SINK_H
#define HERD_CLIENT_SINK_H

#include <sys/types.h>

#include "base/exit_status.h"
#include "base/tokens.h"

struct sink {
	int fd;        /* -1: memory */
	bool terminal; /* what is written reaches a terminal */
	bool closes;   /* the descriptor is ours */
	bool gone;     /* nobody reads any more, or no more can be written */
	int error;     /* errno of a write that failed otherwise */
	struct buf held;
	const char *pager; /* command; NULL = none */
	size_t lines;      /* LFs held for the pager's decision */
	size_t height;     /* of the terminal */
	pid_t child;       /* pager or shell command, 0 = none */
	int plain_fd;      /* the terminal that the pager took over */
	struct buf kept;   /* what the pager has got */
	bool keeps;        /* all of it is in `kept' */
	bool pager_failed; /* and `kept' went to the terminal instead */
};

/*
 * Of a pager's text this much is kept, because a pager that fails has shown
 * nothing. One that has taken more than this has worked.
 */
#define SINK_KEPT_MAX ((size_t)16 << 20)

/* Writes to `fd`, which stays the caller's. */
void sink_init(struct sink *sink, int fd);

/* Keeps everything in `held`; `terminal` as if it were written to one. */
void sink_init_memory(struct sink *sink, bool terminal);

/*
 * Output of more than `height` lines goes through `pager` (borrowed); shorter
 * output is written as it is, and so is all of it if the pager fails.
 */
void sink_use_pager(struct sink *sink, const char *pager, size_t height);

/*
 * Writes to the redirect's shell command or file. STATUS_LOCAL: `message`
 * says what failed.
 */
enum status sink_init_redirect(struct sink *sink, enum redirect redirect,
    const char *target, struct buf *message);

void sink_write(struct sink *sink, struct span text);

/* As sink_write; for a terminal cleaned, but for LF and tab. */
void sink_write_foreign(struct sink *sink, struct span text);

/* Is there something that is not written yet, maybe for a pager? */
bool sink_is_undecided(const struct sink *sink);

/* Writes what is held, unless the pager's decision is still open. */
void sink_flush(struct sink *sink);

/*
 * Writes the rest, waits for the child. STATUS_SIGPIPE: the reader left
 * early. STATUS_LOCAL: a write failed; `message` says how.
 */
enum status sink_finish(struct sink *sink, struct buf *message);

#endif
