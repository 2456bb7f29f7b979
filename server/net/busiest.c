/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/busiest.h"

#include <sys/random.h>

#include "base/clock.h"
#include "net/addresses.h"

static const struct {
	unsigned size;
	unsigned label_max;
} LISTS[] = {
#define HERD_BUSIEST_ROW(id, size, label_max) [id] = { size, label_max },
	BUSIEST_LISTS(HERD_BUSIEST_ROW)
#undef HERD_BUSIEST_ROW
};

enum herd_error
busiest_init(struct busiest *busiest)
{
	struct mono now = clock_mono();
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = now.ns;
	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++) {
		enum herd_error error = heavy_init(&busiest->lists[i],
		    LISTS[i].size, LISTS[i].label_max, seed + 2 * i, now);

		if (error != HERD_OK)
			return error;
	}
	return HERD_OK;
}

void
busiest_release(struct busiest *busiest)
{
	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++)
		heavy_release(&busiest->lists[i]);
}

size_t
busiest_bytes(void)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++)
		bytes += heavy_bytes(LISTS[i].size, LISTS[i].label_max);
	return bytes;
}

unsigned
busiest_size(enum busiest_list list)
{
	return LISTS[list].size;
}

unsigned
busiest_label_max(enum busiest_list list)
{
	return LISTS[list].label_max;
}

void
busiest_turn(struct busiest *busiest, struct mono now)
{
	for (unsigned i = 0; i < BUSIEST_LIST_COUNT; i++) {
		if (heavy_turn(&busiest->lists[i], now))
			atomic_store(&busiest->most[i],
			    (uint64_t)(busiest->lists[i].past_most * 1000));
	}
}

void
busiest_see(struct busiest *busiest, enum busiest_list list,
    const struct sockaddr_storage *peer, uint32_t events)
{
	heavy_see(&busiest->lists[list], address_key(peer),
	    span_of((const char *)peer, BUSIEST_PEER_MAX), events);
}

void
busiest_raise(
    const struct busiest *busiest, enum busiest_list list, double *most)
{
	double own = (double)atomic_load(&busiest->most[list]) / 1000;

	if (*most < own)
		*most = own;
}
