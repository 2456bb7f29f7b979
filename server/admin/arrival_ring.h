/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When reports were accepted, and from whom, for event streams with a filter.
 * The table cannot tell it later, because it takes a neighbour that sent the
 * same report again for the one that gave it. The ring keeps the last
 * ARRIVALS_MAX reports.
 */
#ifndef HERD_ARRIVAL_RING_H
#define HERD_ARRIVAL_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "herd/time.h"

#define ARRIVALS_MAX 4096u

struct arrival {
	uint32_t hash; /* of the client's id, the table's */
	uint32_t from; /* as in a record */
	uint64_t time_ns;
	struct wall at;
};

struct arrival_ring {
	pthread_mutex_t lock;
	uint64_t count; /* ever */
	struct arrival ring[ARRIVALS_MAX];
};

void arrival_ring_init(struct arrival_ring *arrivals);
void arrival_ring_release(struct arrival_ring *arrivals);

/* Any thread; does not block for long. */
void arrival_ring_note(
    struct arrival_ring *arrivals, const struct arrival *arrival);

/* Finds the newest of that client and time; false: not kept any more. */
bool arrival_ring_find(struct arrival_ring *arrivals, uint32_t hash,
    uint64_t time_ns, struct arrival *out);

#endif
