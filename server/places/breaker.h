/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The circuit breaker before an upstream: when half of the last twenty calls
 * failed, no call is made for ten seconds; then one call may try. So a dead
 * upstream costs its clients nothing but the failure's answer, and is not
 * hammered. Reads no clock.
 */
#ifndef HERD_PLACES_BREAKER_H
#define HERD_PLACES_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/time.h"

#define BREAKER_WINDOW 20u
#define BREAKER_FAILURES (BREAKER_WINDOW / 2u)
#define BREAKER_OPEN_NS (10u * HERD_NS_PER_S)

enum breaker_state {
	BREAKER_CLOSED, /* calls pass */
	BREAKER_OPEN,   /* none passes before `until` */
	BREAKER_TRYING, /* one call is on its way to find out */
};

struct breaker {
	enum breaker_state state;
	struct mono until;
	uint32_t failed; /* bit per call of the window, the newest lowest */
	unsigned calls;  /* in the window */
};

void breaker_init(struct breaker *breaker);

/*
 * May a call be made now? True when BREAKER_OPEN is over makes that call the
 * one that tries: its outcome must be told with breaker_done() or, when it
 * was given up, breaker_forget().
 */
bool breaker_allows(struct breaker *breaker, struct mono now);

/* A call that was allowed ended. True: the state changed. */
bool breaker_done(struct breaker *breaker, bool good, struct mono now);

/* A call that was allowed was not made, or says nothing of the upstream. */
void breaker_forget(struct breaker *breaker, struct mono now);

/* "closed", "open", "trying"; static. */
const char *breaker_state_name(enum breaker_state state);

#endif
