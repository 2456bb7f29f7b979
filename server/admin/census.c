/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/census.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/workers.h"

/* A counter's value at a moment. */
struct sample {
	struct mono at;
	uint64_t count;
};

struct walk {
	const struct names *names;
	uint64_t now_ns; /* when it began, by the judged clock */
	uint64_t ahead;
	struct table_cursor cursor;
	uint64_t newest_ns;
	uint64_t oldest_ns;
	uint64_t seen;
	struct census_strange strange;
};

struct census {
	struct node *node;
	struct event *tick;
	struct event *slice;
	struct sample samples[CENSUS_SPAN_S + 1]; /* a ring */
	unsigned next;
	unsigned count;
	bool walking;
	struct walk walk;
	bool walked; /* `done` is of a finished walk */
	struct walk done;
	struct mono done_at;
};

/* --- rate ------------------------------------------------------------- */

static void
on_tick(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct census *census = arg;
	struct workers_counts counts;

	workers_count(census->node->workers, &counts);
	census->samples[census->next] =
	    (struct sample){ clock_mono(), counts.iamat };
	census->next = (census->next + 1) % HERD_ARRAY_LEN(census->samples);
	if (census->count < HERD_ARRAY_LEN(census->samples))
		census->count++;
}

static double
rate(const struct census *census)
{
	unsigned size = HERD_ARRAY_LEN(census->samples);
	const struct sample *oldest;
	struct workers_counts counts;
	uint64_t span_ns;

	if (census->count == 0)
		return 0;
	oldest = &census->samples[(census->next + size - census->count) % size];
	workers_count(census->node->workers, &counts);
	span_ns = mono_since(clock_mono(), oldest->at);
	if (span_ns == 0)
		return 0;
	return (double)(counts.iamat - oldest->count) * 1e9 / (double)span_ns;
}

/* --- what a walk finds ------------------------------------------------ */

static void
note_origin(struct walk *walk, struct span origin)
{
	struct census_strange *strange = &walk->strange;

	if (names_is_listed(walk->names, origin))
		return;
	strange->records++;
	for (unsigned i = 0; i < strange->count; i++) {
		if (span_is(origin, strange->names[i]))
			return;
	}
	if (strange->count < CENSUS_NAMES_MAX)
		memcpy(
		    strange->names[strange->count++], origin.data, origin.len);
}

static bool
on_record(void *arg, const struct report *report, uint32_t from HERD_UNUSED)
{
	struct walk *walk = arg;

	note_origin(walk, report->origin);
	if (report->kind == REPORT_REMOVAL)
		return true;
	if (walk->seen == 0 || report->time_ns > walk->newest_ns)
		walk->newest_ns = report->time_ns;
	if (walk->seen == 0 || report->time_ns < walk->oldest_ns)
		walk->oldest_ns = report->time_ns;
	walk->ahead += report->time_ns > walk->now_ns;
	walk->seen++;
	return true;
}

/* Returns false when the walk is over. */
static bool
walk_on(struct census *census)
{
	if (table_walk(census->node->table, &census->walk.cursor,
		CENSUS_SLICE_SLOTS, on_record, &census->walk))
		return true;
	census->done = census->walk;
	census->done_at = clock_mono();
	census->walked = true;
	census->walking = false;
	return false;
}

static void
on_slice(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	const struct timeval pause = { 0, CENSUS_SLICE_MS * 1000 };
	struct census *census = arg;

	if (walk_on(census))
		event_add(census->slice, &pause);
}

static void
walk_begin(struct census *census)
{
	struct table_counts counts;

	census->walking = true;
	census->walk = (struct walk){
		.names = table_names(census->node->table),
		.now_ns =
		    timekeeper_wall(&census->node->timekeeper, clock_mono()).ns
	};
	table_count(census->node->table, &counts);
	if (counts.records > CENSUS_AT_ONCE) {
		on_slice(-1, 0, census);
		return;
	}
	while (walk_on(census))
		;
}

static bool
is_fresh(const struct census *census)
{
	uint64_t ms = census->done.seen <= CENSUS_AT_ONCE
			  ? CENSUS_FRESH_SMALL_MS
			  : CENSUS_FRESH_MS;

	return census->walked &&
	       mono_since(clock_mono(), census->done_at) < ms * HERD_NS_PER_MS;
}

void
census_ask(struct census *census, struct census_facts *out)
{
	struct table *table = census->node->table;
	struct table_counts counts;

	if (!census->walking && !is_fresh(census))
		walk_begin(census);
	table_count(table, &counts);
	*out = (struct census_facts){
		.reported_per_s = rate(census),
		.known = census->walked && census->done.seen > 0,
		.newest_ns = census->done.newest_ns,
		.oldest_ns = census->done.oldest_ns,
		.counted = census->walked,
		.ahead = census->done.ahead,
		/* That there are none is known without a walk. */
		.strange_known = census->walked ||
				 (counts.strange == 0 &&
				     names_are_all_listed(table_names(table))),
		.strange = census->done.strange,
	};
}

/* --- life ------------------------------------------------------------- */

enum herd_error
census_open(struct node *node, struct event_base *base, struct census **out)
{
	const struct timeval tick = { CENSUS_TICK_MS / 1000, 0 };
	struct census *census = calloc(1, sizeof(*census));

	if (census == NULL)
		return HERD_ENOMEM;
	census->node = node;
	census->tick = event_new(base, -1, EV_PERSIST, on_tick, census);
	census->slice = evtimer_new(base, on_slice, census);
	if (census->tick == NULL || census->slice == NULL ||
	    event_add(census->tick, &tick) != 0) {
		census_close(census);
		return HERD_ENOMEM;
	}
	on_tick(-1, 0, census);
	*out = census;
	return HERD_OK;
}

void
census_close(struct census *census)
{
	if (census == NULL)
		return;
	if (census->tick != NULL)
		event_free(census->tick);
	if (census->slice != NULL)
		event_free(census->slice);
	free(census);
}
