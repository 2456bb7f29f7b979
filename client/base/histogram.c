/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/histogram.h"

#include <math.h>

/* Below HISTOGRAM_SUB exact; above it HISTOGRAM_SUB steps to a doubling. */
static size_t
bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * HISTOGRAM_SUB)
		shift++;
	if (us < HISTOGRAM_SUB)
		return (size_t)us;
	return (size_t)shift * HISTOGRAM_SUB + (size_t)(us >> shift);
}

/* The largest value that lies in the bucket. */
static uint64_t
top_of(size_t bucket)
{
	size_t shift;

	if (bucket < 2 * HISTOGRAM_SUB)
		return bucket;
	shift = bucket / HISTOGRAM_SUB - 1;
	return ((bucket - shift * HISTOGRAM_SUB + 1) << shift) - 1;
}

void
histogram_add(struct histogram *histogram, uint64_t us)
{
	size_t bucket = bucket_of(us);

	if (bucket >= HISTOGRAM_BUCKETS)
		bucket = HISTOGRAM_BUCKETS - 1;
	histogram->counts[bucket]++;
	histogram->total++;
	if (us > histogram->max_us)
		histogram->max_us = us;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double percent)
{
	uint64_t wanted =
	    (uint64_t)ceil((double)histogram->total * percent / 100);
	uint64_t seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->counts[i];
		if (seen >= wanted && seen > 0)
			return top_of(i) < histogram->max_us
				   ? top_of(i)
				   : histogram->max_us;
	}
	return histogram->max_us;
}
