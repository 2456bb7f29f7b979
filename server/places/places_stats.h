/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a provider did: answers by status and a log-scale histogram of their
 * times. One thread writes a places_stats, any thread reads it: plain
 * relaxed stores, no lock and no locked instruction.
 */
#ifndef HERD_PLACES_STATS_H
#define HERD_PLACES_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "herd/time_histogram.h"
#include "places/answer.h"

/* Four steps per power of two, up to 2^36 ns (69 s): at most 12 % off. */
#define PLACES_STATS_BUCKETS (36u * 4u)

struct places_stats {
	_Atomic uint64_t by_status[PLACES_STATUS_COUNT];
	_Atomic uint64_t by_time[PLACES_STATS_BUCKETS];
	struct time_histogram times;
};

void places_stats_init(struct places_stats *stats);

/* Counts one answer; by the thread that owns `stats`. */
void places_stats_count(
    struct places_stats *stats, enum places_status status, uint64_t took_ns);

/* Adds `from` to `sum`; by the thread that owns `sum`. */
void places_stats_add(
    struct places_stats *sum, const struct places_stats *from);

uint64_t places_stats_of(
    const struct places_stats *stats, enum places_status status);
/* Answers that are good, answers that are not. */
uint64_t places_stats_answered(const struct places_stats *stats);
uint64_t places_stats_failed(const struct places_stats *stats);

/* Sum of all times. */
double places_stats_seconds(const struct places_stats *stats);

/* The time that `percent` of the answers took at most; -1 without answers. */
double places_stats_percentile_ms(
    const struct places_stats *stats, double percent);

#endif
