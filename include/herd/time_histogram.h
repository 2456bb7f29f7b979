/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long something took, counted in buckets whose bounds are the same for
 * all: Prometheus adds those of several nodes up. One thread writes a
 * histogram, any thread reads it: relaxed stores, no lock and no locked
 * instruction.
 */
#ifndef HERD_TIME_HISTOGRAM_H
#define HERD_TIME_HISTOGRAM_H

#include <stdatomic.h>

#include "herd/buf.h"
#include "herd/time.h"

/* Upper bounds, which belong to their buckets: nanoseconds, and in seconds. */
#define TIME_HISTOGRAM_BOUNDS(X)         \
	X(UINT64_C(10000), "1e-05")      \
	X(UINT64_C(25000), "2.5e-05")    \
	X(UINT64_C(50000), "5e-05")      \
	X(UINT64_C(100000), "0.0001")    \
	X(UINT64_C(250000), "0.00025")   \
	X(UINT64_C(500000), "0.0005")    \
	X(UINT64_C(1000000), "0.001")    \
	X(UINT64_C(2500000), "0.0025")   \
	X(UINT64_C(5000000), "0.005")    \
	X(UINT64_C(10000000), "0.01")    \
	X(UINT64_C(25000000), "0.025")   \
	X(UINT64_C(50000000), "0.05")    \
	X(UINT64_C(100000000), "0.1")    \
	X(UINT64_C(250000000), "0.25")   \
	X(UINT64_C(500000000), "0.5")    \
	X(UINT64_C(1000000000), "1.0")   \
	X(UINT64_C(2500000000), "2.5")   \
	X(UINT64_C(5000000000), "5.0")   \
	X(UINT64_C(10000000000), "10.0") \
	X(UINT64_C(60000000000), "60.0")

#define HERD_TIME_HISTOGRAM_ONE(ns, text) +1
enum {
	TIME_HISTOGRAM_BUCKETS =
	    1 TIME_HISTOGRAM_BOUNDS(HERD_TIME_HISTOGRAM_ONE)
};
#undef HERD_TIME_HISTOGRAM_ONE

/* Longer times count as this, so that a wrong one does not spoil the sum. */
#define TIME_HISTOGRAM_MOST_NS (UINT64_C(3600) * HERD_NS_PER_S)

struct time_histogram {
	_Atomic uint64_t counts[TIME_HISTOGRAM_BUCKETS]; /* the last: +Inf */
	_Atomic uint64_t sum_ns;
};

/* `times` events took `ns` each; by the thread that writes `histogram`. */
void time_histogram_note(
    struct time_histogram *histogram, uint64_t ns, uint64_t times);

/* Adds `from` to `sum`; by the thread that writes `sum`. */
void time_histogram_add(
    struct time_histogram *sum, const struct time_histogram *from);

/*
 * Appends the samples NAME_bucket, NAME_sum and NAME_count in Prometheus'
 * text format. `labels` go without braces, "" for none.
 */
HERD_MUST_CHECK enum herd_error time_histogram_format(struct buf *out,
    const char *name, const char *labels,
    const struct time_histogram *histogram);

#endif
