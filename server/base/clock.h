/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clocks of the system, read here and nowhere in core.
 */
#ifndef HERD_CLOCK_H
#define HERD_CLOCK_H

#include <time.h>

#include "herd/time.h"

static inline uint64_t
clock_read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * HERD_NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline struct wall
clock_wall(void)
{
	return (struct wall){ clock_read_ns(CLOCK_REALTIME) };
}

/* Goes on while the machine sleeps, else the wall clock would seem set. */
static inline struct mono
clock_mono(void)
{
	return (struct mono){ clock_read_ns(CLOCK_BOOTTIME) };
}

#endif
