/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * At most so many calls a second to an upstream that bills them: a bucket
 * that holds one second's worth. Reads no clock.
 */
#ifndef HERD_PLACES_RATE_H
#define HERD_PLACES_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/time.h"

struct rate {
	uint64_t per_s;   /* 0 = no limit */
	struct mono full; /* when the bucket is full again */
};

/* The bucket is full. */
void rate_init(struct rate *rate, uint64_t per_s);

/* Takes one call out of the bucket; false: there is none left. */
bool rate_take(struct rate *rate, struct mono now);

#endif
