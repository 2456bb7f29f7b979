/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts a thread of the server: named, and without signals, which only the
 * main thread takes. A handler in another thread would interrupt its system
 * calls, and a signal that main holds back would get through.
 */
#ifndef HERD_THREAD_H
#define HERD_THREAD_H

#include <pthread.h>

#include "herd/compiler.h"

enum thread_trait {
	THREAD_LOOP = 1 << 0,     /* runs a loop: the loop watch looks at it */
	THREAD_DETACHED = 1 << 1, /* nobody joins it */
	/* Others come first: nice(2). Not for one that holds locks for long. */
	THREAD_PATIENT = 1 << 2,
};

#define THREAD_NAME_MAX 15u /* characters; what is longer is cut */

/*
 * pthread_create() with all signals blocked but those that the thread itself
 * causes; `name` is for ps, gdb and the loop watch. `traits` are
 * of enum thread_trait. Returns 0 or an errno.
 */
HERD_MUST_CHECK int thread_start(pthread_t *thread, const char *name,
    unsigned traits, void *(*run)(void *), void *arg);

#endif
