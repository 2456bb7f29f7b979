/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shell commands that read what herdctl prints: the pager, `CMD | shell`.
 */
#ifndef HERD_CLIENT_CHILD_H
#define HERD_CLIENT_CHILD_H

#include <sys/types.h>

/*
 * Runs `sh -c command` with a pipe as its stdin; *fd is the writing end
 * (close-on-exec), the caller closes it. While it runs, Ctrl-C is the
 * child's: it is not counted as one for herdctl. -1: errno.
 */
int child_start_shell(const char *command, pid_t *pid, int *fd);

/* Waits for its end. Its exit status, or 128 + signal. */
int child_wait(pid_t pid);

#endif
