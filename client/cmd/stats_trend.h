/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What metrics did over the last rounds of `stats --watch': a counter's growth
 * by the second, another metric's values.
 */
#ifndef HERD_CLIENT_STATS_TREND_H
#define HERD_CLIENT_STATS_TREND_H

#include "base/loop.h"
#include "herd/span.h"

/* More metrics than this of all nodes together have no trend. */
#define TREND_SERIES_MAX 10000u
#define TREND_LENGTH 60u /* rounds */

struct stats_trend;

/* One metric of one node. */
struct series {
	char *key;
	struct mono at; /* of the last value */
	double last;
	double steps[TREND_LENGTH]; /* the newest last; NAN: not known */
	size_t count;
	bool is_counter;
	bool moves; /* the value has changed */
};

struct stats_trend *stats_trend_new(void);
void stats_trend_free(void *trend); /* a struct stats_trend */

/*
 * Takes a value; returns its series, which lives as long as the trend. NULL:
 * there are too many. `metric` is the name with its labels.
 */
const struct series *stats_trend_add(struct stats_trend *trend,
    const char *node, struct span metric, bool is_counter, double value,
    struct mono at);

/* A counter's growth per second at last; NAN: not known yet. */
double stats_trend_rate(const struct series *series);

#endif
