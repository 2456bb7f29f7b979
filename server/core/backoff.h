/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When to dial again: full jitter, U(0, min(max, 0.2 s * 2^n)), at least
 * 50 ms. After a refusal by name it waits long, because only an operator
 * can change that.
 * Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
 */
#ifndef HERD_BACKOFF_H
#define HERD_BACKOFF_H

#include "herd/time.h"

#define BACKOFF_FIRST_NS (200u * HERD_NS_PER_MS)
#define BACKOFF_LEAST_NS (50u * HERD_NS_PER_MS)
#define BACKOFF_REFUSED_NS (30u * HERD_NS_PER_S)
/* A session that stayed SYNCED this long starts the backoff again. */
#define BACKOFF_RESET_NS (10u * HERD_NS_PER_S)

struct backoff {
	unsigned attempt; /* failures in a row */
};

void backoff_reset(struct backoff *backoff);

/* Nanoseconds to wait, `max_ns` at most; `random` is any 64 random bits. */
uint64_t backoff_next(
    struct backoff *backoff, uint64_t max_ns, uint64_t random);

#endif
