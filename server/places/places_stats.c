/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/places_stats.h"

#include <math.h>

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One writer only, so that no read-modify-write is needed. */
static void
bump(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_store_explicit(counter, get(counter) + by, memory_order_relaxed);
}

void
places_stats_init(struct places_stats *stats)
{
	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++)
		atomic_init(&stats->by_status[i], 0);
	for (unsigned i = 0; i < PLACES_STATS_BUCKETS; i++)
		atomic_init(&stats->by_time[i], 0);
	stats->times = (struct time_histogram){ 0 };
}

/* The power of two, then the next two bits below it. */
static unsigned
bucket_of(uint64_t ns)
{
	unsigned power;
	unsigned bucket;

	if (ns < 4)
		return (unsigned)ns;
	power = 63u - (unsigned)__builtin_clzll(ns);
	bucket = power * 4 + (unsigned)((ns >> (power - 2)) & 3);
	return bucket < PLACES_STATS_BUCKETS ? bucket
					     : PLACES_STATS_BUCKETS - 1;
}

/* The middle of the bucket. */
static double
bucket_ns(unsigned bucket)
{
	if (bucket < 4)
		return bucket;
	return ldexp(4.5 + bucket % 4, (int)(bucket / 4) - 2);
}

void
places_stats_count(
    struct places_stats *stats, enum places_status status, uint64_t took_ns)
{
	bump(&stats->by_status[status], 1);
	bump(&stats->by_time[bucket_of(took_ns)], 1);
	time_histogram_note(&stats->times, took_ns, 1);
}

void
places_stats_add(struct places_stats *sum, const struct places_stats *from)
{
	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++)
		bump(&sum->by_status[i], get(&from->by_status[i]));
	for (unsigned i = 0; i < PLACES_STATS_BUCKETS; i++)
		bump(&sum->by_time[i], get(&from->by_time[i]));
	time_histogram_add(&sum->times, &from->times);
}

uint64_t
places_stats_of(const struct places_stats *stats, enum places_status status)
{
	return get(&stats->by_status[status]);
}

static uint64_t
count_where(const struct places_stats *stats, bool good)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < PLACES_STATUS_COUNT; i++) {
		if (answer_is_good((enum places_status)i) == good)
			count += get(&stats->by_status[i]);
	}
	return count;
}

uint64_t
places_stats_answered(const struct places_stats *stats)
{
	return count_where(stats, true);
}

uint64_t
places_stats_failed(const struct places_stats *stats)
{
	return count_where(stats, false);
}

double
places_stats_seconds(const struct places_stats *stats)
{
	return (double)get(&stats->times.sum_ns) / 1e9;
}

double
places_stats_percentile_ms(const struct places_stats *stats, double percent)
{
	uint64_t total = 0;
	double seen = 0;

	for (unsigned i = 0; i < PLACES_STATS_BUCKETS; i++)
		total += get(&stats->by_time[i]);
	for (unsigned i = 0; i < PLACES_STATS_BUCKETS && total > 0; i++) {
		seen += (double)get(&stats->by_time[i]);
		if (seen > 0 && seen >= (double)total * percent / 100)
			return bucket_ns(i) / 1e6;
	}
	return -1;
}
