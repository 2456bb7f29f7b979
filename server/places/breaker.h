/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The circuit breaker of an upstream: when half of the last twenty requests
 * failed, none is made for ten seconds; then one request is the probe. A dead
 * upstream is not hammered, and its clients wait for nothing. Reads no clock.
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
	BREAKER_CLOSED,  /* requests pass */
	BREAKER_OPEN,    /* none passes before `until` */
	BREAKER_PROBING, /* the probe is under way */
};

struct breaker {
	enum breaker_state state;
	struct mono until;
	uint32_t failed; /* bit per request of the window, the newest lowest */
	unsigned requests; /* in the window */
};

void breaker_init(struct breaker *breaker);

/*
 * May a request be made now? True after BREAKER_OPEN makes it the probe: tell
 * its outcome with breaker_done() or, if it was given up, breaker_forget().
 */
bool breaker_allows(struct breaker *breaker, struct mono now);

/* A request that was allowed ended. */
void breaker_done(struct breaker *breaker, bool good, struct mono now);

/* An allowed request was not made, or says nothing about the upstream. */
void breaker_forget(struct breaker *breaker, struct mono now);

/* "closed", "open", "trying"; static. */
const char *breaker_state_name(enum breaker_state state);

#endif
