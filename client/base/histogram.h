/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts of durations in buckets that grow with the value: percentiles with
 * an error below 1.6 % from 1 us to hours, in fixed memory.
 */
#ifndef HERD_CLIENT_HISTOGRAM_H
#define HERD_CLIENT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUB 64u /* buckets to each doubling */
#define HISTOGRAM_BUCKETS (36u * HISTOGRAM_SUB)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t total;
	uint64_t max_us;
};

void histogram_add(struct histogram *histogram, uint64_t us);

/* The value in us that `percent` of all are not above; 0 when empty. */
uint64_t histogram_percentile(
    const struct histogram *histogram, double percent);

#endif
