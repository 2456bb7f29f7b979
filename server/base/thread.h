/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a thread of the server begins: without signals, which are the main
 * thread's. A handler that ran elsewhere would interrupt that thread's system
 * calls, and a signal that main holds back would get through.
 */
#ifndef HERD_THREAD_H
#define HERD_THREAD_H

#include <pthread.h>

#include "herd/compiler.h"

/*
 * pthread_create() with all signals blocked but those that are the fault of
 * the thread itself. `attributes` may be NULL. Returns 0 or an errno.
 */
HERD_MUST_CHECK int thread_start(pthread_t *thread,
    const pthread_attr_t *attributes, void *(*run)(void *), void *arg);

#endif
