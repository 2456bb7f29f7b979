/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rate limit: `per_s` events a second on average, a second's worth at once.
 * Exact to the nanosecond (generic cell rate algorithm, ITU-T I.371). All zero
 * allows a full second's worth.
 */
#ifndef HERD_RATE_H
#define HERD_RATE_H

#include "herd/time.h"

struct rate {
	struct mono due; /* when all that was taken will be earned */
};

static inline uint64_t
rate_interval(uint64_t per_s)
{
	return per_s < HERD_NS_PER_S ? HERD_NS_PER_S / per_s : 1;
}

/* May it happen now? Then it is counted. per_s > 0. */
static inline bool
rate_take(struct rate *rate, uint64_t per_s, struct mono now)
{
	uint64_t interval = rate_interval(per_s);

	if (rate->due.ns < now.ns)
		rate->due = now;
	if (rate->due.ns - now.ns > HERD_NS_PER_S - interval)
		return false;
	rate->due.ns += interval;
	return true;
}

/* The event did not happen after all. */
static inline void
rate_give_back(struct rate *rate, uint64_t per_s)
{
	rate->due.ns -= rate_interval(per_s);
}

#endif
