/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A callback of an event loop that sets itself when it wants to run next, so
 * that a loop with nothing to do sleeps. Its timer is the kernel's (timerfd):
 * it wakes the loop once, where libevent's own timers, whose clock is coarse,
 * wake it a little too early and then again.
 */
#ifndef HERD_TICK_H
#define HERD_TICK_H

#include <stdbool.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "herd/time.h"

struct event_base;

struct tick {
	int fd;
	struct event *event;
	void (*run)(void *arg);
	void *arg;
	const char *doing; /* for the loop watch */
	struct mono at;    /* when it runs next; 0: it is not set */
	struct mono ran;   /* last; 0: never */
};

/*
 * Not set yet. `priority` is libevent's, or -1 for its default. HERD_ENOMEM,
 * HERD_ESYSTEM (errno); then tick_close() is fine.
 */
HERD_MUST_CHECK enum herd_error tick_open(struct tick *tick,
    struct event_base *base, int priority, const char *doing,
    void (*run)(void *arg), void *arg);

/* A tick of zeroes is fine. */
void tick_close(struct tick *tick);

/* Runs once, so many ns from now; at least 1. It replaces what was set. */
void tick_in(struct tick *tick, uint64_t ns);

/* The same if it would run later than that, or not at all. */
void tick_soon(struct tick *tick, uint64_t ns);

#endif
