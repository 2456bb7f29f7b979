/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/rate.h"

void
rate_init(struct rate *rate, uint64_t per_s)
{
	*rate = (struct rate){ .per_s = per_s };
}

/*
 * The bucket as the time at which it is full: each call moves it 1/per_s
 * away, and it is never more than a second away.
 */
bool
rate_take(struct rate *rate, struct mono now)
{
	uint64_t step;
	struct mono full;

	if (rate->per_s == 0)
		return true;
	step = HERD_NS_PER_S / rate->per_s;
	full = rate->full.ns > now.ns ? rate->full : now;
	full = mono_add(full, step);
	if (mono_since(full, now) > HERD_NS_PER_S)
		return false;
	rate->full = full;
	return true;
}
