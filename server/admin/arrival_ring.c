/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/arrival_ring.h"

void
arrival_ring_init(struct arrival_ring *arrivals)
{
	pthread_mutex_init(&arrivals->lock, NULL);
	arrivals->count = 0;
}

void
arrival_ring_release(struct arrival_ring *arrivals)
{
	pthread_mutex_destroy(&arrivals->lock);
}

void
arrival_ring_note(struct arrival_ring *arrivals, const struct arrival *arrival)
{
	pthread_mutex_lock(&arrivals->lock);
	arrivals->ring[arrivals->count++ % ARRIVALS_MAX] = *arrival;
	pthread_mutex_unlock(&arrivals->lock);
}

bool
arrival_ring_find(struct arrival_ring *arrivals, uint32_t hash,
    uint64_t time_ns, struct arrival *out)
{
	bool found = false;
	uint64_t known;

	pthread_mutex_lock(&arrivals->lock);
	known = arrivals->count < ARRIVALS_MAX ? arrivals->count : ARRIVALS_MAX;
	for (uint64_t i = 1; i <= known && !found; i++) {
		const struct arrival *arrival =
		    &arrivals->ring[(arrivals->count - i) % ARRIVALS_MAX];

		found = arrival->hash == hash && arrival->time_ns == time_ns;
		if (found)
			*out = *arrival;
	}
	pthread_mutex_unlock(&arrivals->lock);
	return found;
}
