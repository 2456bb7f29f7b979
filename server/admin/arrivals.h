/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When reports were accepted, and from whom: for an event stream that is
 * filtered. The table cannot tell any more when the stream looks: it counts
 * a neighbour that has the same report as one that gave it, so as not to
 * send it there. Of very many at one time the oldest are forgotten.
 */
#ifndef HERD_ARRIVALS_H
#define HERD_ARRIVALS_H

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

struct arrivals {
	pthread_mutex_t lock;
	uint64_t count; /* ever */
	struct arrival ring[ARRIVALS_MAX];
};

void arrivals_init(struct arrivals *arrivals);
void arrivals_release(struct arrivals *arrivals);

/* Any thread; does not block for long. */
void arrivals_note(struct arrivals *arrivals, const struct arrival *arrival);

/* The newest of that client and report; false if it is not known any more. */
bool arrivals_find(struct arrivals *arrivals, uint32_t hash, uint64_t time_ns,
    struct arrival *out);

#endif
