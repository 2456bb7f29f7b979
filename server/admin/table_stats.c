/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/table_stats.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/tick.h"
#include "net/worker_pool.h"
#include "phones/phones.h"

/* A counter's value at a moment. */
struct rate_sample {
	struct mono at;
	uint64_t count;
};

struct stats_walk {
	const struct node *node;
	const struct names *names;
	uint64_t now_ns; /* a moment ago, by the judged clock */
	uint64_t ahead;
	struct table_cursor cursor;
	uint64_t newest_ns;
	uint64_t oldest_ns;
	uint64_t seen;
	struct table_stats_strange strange;
};

struct table_stats {
	struct node *node;
	struct tick tick;
	struct event *slice;
	struct rate_sample samples[TABLE_STATS_SPAN_S + 1]; /* a ring */
	unsigned next;
	unsigned count;
	bool walking;
	struct stats_walk walk;
	bool walked; /* `done` is of a finished walk */
	struct stats_walk done;
	struct mono done_at;
};

/* --- rate ------------------------------------------------------------- */

/* Reports from connections and from phones. */
static uint64_t
count_reported(const struct table_stats *stats)
{
	struct worker_pool_counts counts;
	struct phones_counts phones;

	worker_pool_count(stats->node->workers, &counts);
	phones_count(stats->node->phones, &phones);
	for (unsigned i = 0; i < APP_COUNT; i++)
		counts.iamat += phones.reports[i];
	return counts.iamat;
}

static const struct rate_sample *
newest_sample(const struct table_stats *stats)
{
	unsigned size = HERD_ARRAY_LEN(stats->samples);

	return &stats->samples[(stats->next + size - 1) % size];
}

static double
rate(const struct table_stats *stats)
{
	unsigned size = HERD_ARRAY_LEN(stats->samples);
	const struct rate_sample *oldest;
	uint64_t span_ns;

	if (stats->count == 0)
		return 0;
	oldest = &stats->samples[(stats->next + size - stats->count) % size];
	span_ns = mono_since(clock_mono(), oldest->at);
	if (span_ns == 0)
		return 0;
	return (double)(count_reported(stats) - oldest->count) * 1e9 /
	       (double)span_ns;
}

/*
 * While nothing is reported, one sample says all: the next may be late, because
 * a rate is over the time since the oldest one.
 */
static void
on_tick(void *arg)
{
	struct table_stats *stats = arg;
	uint64_t reported = count_reported(stats);
	bool is_quiet =
	    stats->count > 0 && reported == newest_sample(stats)->count;

	if (is_quiet && rate(stats) == 0)
		stats->count = 0;
	tick_in(
	    &stats->tick, HERD_NS_PER_S * (is_quiet ? TABLE_STATS_SPAN_S : 1));
	stats->samples[stats->next] =
	    (struct rate_sample){ clock_mono(), reported };
	stats->next = (stats->next + 1) % HERD_ARRAY_LEN(stats->samples);
	if (stats->count < HERD_ARRAY_LEN(stats->samples))
		stats->count++;
}

/* --- what a walk finds ------------------------------------------------ */

static void
note_origin(struct stats_walk *walk, struct span origin)
{
	struct table_stats_strange *strange = &walk->strange;

	if (names_is_listed(walk->names, origin))
		return;
	strange->records++;
	for (unsigned i = 0; i < strange->count; i++) {
		if (span_is(origin, strange->names[i]))
			return;
	}
	if (strange->count < TABLE_STATS_NAMES_MAX)
		memcpy(
		    strange->names[strange->count++], origin.data, origin.len);
}

static uint64_t
now_judged(const struct node *node)
{
	return timekeeper_wall(&node->timekeeper, clock_mono()).ns;
}

/* A report that came during the walk is not ahead of its beginning. */
static bool
is_ahead(struct stats_walk *walk, const struct report *report)
{
	if (report->time_ns <= walk->now_ns)
		return false;
	walk->now_ns = now_judged(walk->node);
	return report->time_ns > walk->now_ns;
}

static bool
on_record(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct stats_walk *walk = arg;

	note_origin(walk, report->origin);
	if (report->kind == REPORT_REMOVAL)
		return true;
	if (walk->seen == 0 || report->time_ns > walk->newest_ns)
		walk->newest_ns = report->time_ns;
	if (walk->seen == 0 || report->time_ns < walk->oldest_ns)
		walk->oldest_ns = report->time_ns;
	walk->ahead += is_ahead(walk, report);
	walk->seen++;
	return true;
}

/* Returns false when the walk is over. */
static bool
walk_on(struct table_stats *stats)
{
	if (table_walk(stats->node->table, &stats->walk.cursor,
		TABLE_STATS_SLICE_SLOTS, on_record, &stats->walk))
		return true;
	stats->done = stats->walk;
	stats->done_at = clock_mono();
	stats->walked = true;
	stats->walking = false;
	return false;
}

static void
on_slice(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	const struct timeval pause = { 0, TABLE_STATS_SLICE_MS * 1000 };
	struct table_stats *stats = arg;

	if (walk_on(stats))
		event_add(stats->slice, &pause);
}

static void
walk_begin(struct table_stats *stats)
{
	struct table_counts counts;

	stats->walking = true;
	stats->walk = (struct stats_walk){ .node = stats->node,
		.names = table_names(stats->node->table),
		.now_ns = now_judged(stats->node) };
	table_count(stats->node->table, &counts);
	if (counts.records > TABLE_STATS_AT_ONCE) {
		on_slice(-1, 0, stats);
		return;
	}
	while (walk_on(stats))
		;
}

static bool
is_fresh(const struct table_stats *stats)
{
	uint64_t ms = stats->done.seen <= TABLE_STATS_AT_ONCE
			  ? TABLE_STATS_FRESH_SMALL_MS
			  : TABLE_STATS_FRESH_MS;

	return stats->walked &&
	       mono_since(clock_mono(), stats->done_at) < ms * HERD_NS_PER_MS;
}

void
table_stats_ask(struct table_stats *stats, struct table_stats_facts *out)
{
	struct table *table = stats->node->table;
	struct table_counts counts;

	if (!stats->walking && !is_fresh(stats))
		walk_begin(stats);
	table_count(table, &counts);
	*out = (struct table_stats_facts){
		.reported_per_s = rate(stats),
		.known = stats->walked && stats->done.seen > 0,
		.newest_ns = stats->done.newest_ns,
		.oldest_ns = stats->done.oldest_ns,
		.counted = stats->walked,
		.ahead = stats->done.ahead,
		/* An empty table needs no walk. */
		.strange_known = stats->walked ||
				 (counts.strange == 0 &&
				     names_are_all_listed(table_names(table))),
		.strange = stats->done.strange,
	};
}

/* --- life ------------------------------------------------------------- */

enum herd_error
table_stats_open(
    struct node *node, struct event_base *base, struct table_stats **out)
{
	struct table_stats *stats = calloc(1, sizeof(*stats));

	if (stats == NULL)
		return HERD_ENOMEM;
	stats->node = node;
	stats->slice = evtimer_new(base, on_slice, stats);
	if (stats->slice == NULL || tick_open(&stats->tick, base, -1, "rate",
					on_tick, stats) != HERD_OK) {
		table_stats_close(stats);
		return HERD_ENOMEM;
	}
	on_tick(stats);
	*out = stats;
	return HERD_OK;
}

void
table_stats_close(struct table_stats *stats)
{
	if (stats == NULL)
		return;
	tick_close(&stats->tick);
	if (stats->slice != NULL)
		event_free(stats->slice);
	free(stats);
}
