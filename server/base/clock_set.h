/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells an event loop that somebody has set the machine's wall clock, at once
 * and without looking: the kernel cancels a timer on that clock (timerfd's
 * TFD_TIMER_CANCEL_ON_SET).
 */
#ifndef HERD_CLOCK_SET_H
#define HERD_CLOCK_SET_H

#include "herd/compiler.h"
#include "herd/error.h"

struct event_base;

struct clock_set {
	int fd;
	struct event *event;
	void (*run)(void *arg);
	void *arg;
	const char *doing; /* for the loop watch */
};

/* HERD_ENOMEM, HERD_ESYSTEM (errno); then clock_set_close() is fine. */
HERD_MUST_CHECK enum herd_error clock_set_open(struct clock_set *clock_set,
    struct event_base *base, const char *doing, void (*run)(void *arg),
    void *arg);

/* One of zeroes is fine. */
void clock_set_close(struct clock_set *clock_set);

#endif
