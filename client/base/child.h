/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shell commands that read what herdctl prints: the pager, `CMD | shell`.
 */
#ifndef HERD_CLIENT_CHILD_H
#define HERD_CLIENT_CHILD_H

#include <sys/types.h>

#include "herd/span.h"

/*
 * Runs `sh -c command` with a pipe as its stdin; *fd is the writing end
 * (close-on-exec), the caller closes it. While it runs, Ctrl-C is the
 * child's: it is not counted as one for herdctl. -1: errno.
 */
int child_start_shell(const char *command, pid_t *pid, int *fd);

/* Waits for its end. Its exit status, or 128 + signal. */
int child_wait(pid_t pid);

/* The exit status when there is no such program. */
#define CHILD_NOT_FOUND 127

/* A program that turns one stream into another. */
struct child_filter {
	pid_t program;
	pid_t feeder; /* writes what the program is to read */
	int fd;       /* what it writes, close-on-exec */
};

/*
 * Runs the program `argv' (ended by NULL, looked up in PATH) on the bytes of
 * `head' and then of `input', which is read by another process from here on.
 * What it says on stderr is dropped. -1: errno.
 */
int child_filter_start(const char *const *argv, struct span head, int input,
    struct child_filter *out);

/* Ends both if they still run, closes `fd'. The program's exit status. */
int child_filter_end(struct child_filter *filter);

#endif
