/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one source of chance in a run: SplitMix64, so that a seed is a run.
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014.
 */
#ifndef HERD_SIM_RANDOM_H
#define HERD_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t
random_next(struct random *random)
{
	uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 <= x < n; n > 0. */
static inline uint64_t
random_below(struct random *random, uint64_t n)
{
	return random_next(random) % n;
}

/* lo <= x <= hi. */
static inline uint64_t
random_between(struct random *random, uint64_t lo, uint64_t hi)
{
	return lo + random_below(random, hi - lo + 1);
}

static inline bool
random_percent(struct random *random, unsigned percent)
{
	return random_below(random, 100) < percent;
}

#endif
