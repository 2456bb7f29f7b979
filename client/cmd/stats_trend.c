/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/stats_trend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"

struct stats_trend {
	struct series **items;
	size_t count;
	size_t room;
	size_t next; /* where the next metric was in the last round */
};

struct stats_trend *
stats_trend_new(void)
{
	return xcalloc(1, sizeof(struct stats_trend));
}

void
stats_trend_free(void *arg)
{
	struct stats_trend *trend = arg;

	for (size_t i = 0; i < trend->count; i++) {
		free(trend->items[i]->key);
		free(trend->items[i]);
	}
	free(trend->items);
	free(trend);
}

/* Nodes have their metrics in the same order each time. */
static struct series *
find(struct stats_trend *trend, const char *key)
{
	for (size_t i = 0; i < trend->count; i++) {
		size_t at = (trend->next + i) % trend->count;

		if (strcmp(trend->items[at]->key, key) == 0) {
			trend->next = at + 1;
			return trend->items[at];
		}
	}
	if (trend->count == TREND_SERIES_MAX)
		return NULL;
	grow_array(trend->items, trend->count, trend->room);
	trend->items[trend->count] = xcalloc(1, sizeof(struct series));
	trend->items[trend->count]->key = xstrdup(key);
	return trend->items[trend->count++];
}

static void
push(struct series *s, double step)
{
	if (s->count == TREND_LENGTH)
		memmove(s->steps, s->steps + 1,
		    (TREND_LENGTH - 1) * sizeof(s->steps[0]));
	else
		s->count++;
	s->steps[s->count - 1] = step;
}

/* A restart counts from 0 again, so its growth is not known. */
static double
growth(const struct series *s, double value, struct mono at)
{
	double seconds = (double)mono_since(at, s->at) / 1e9;

	if (s->at.ns == 0 || value < s->last || !(seconds > 0))
		return (double)NAN;
	return (value - s->last) / seconds;
}

const struct series *
stats_trend_add(struct stats_trend *trend, const char *node, struct span metric,
    bool is_counter, double value, struct mono at)
{
	char *key = xasprintf("%s %.*s", node, SPAN_ARG(metric));
	struct series *s = find(trend, key);

	free(key);
	if (s == NULL)
		return NULL;
	s->is_counter = is_counter;
	if (!is_counter)
		push(s, value);
	else if (s->at.ns != 0)
		push(s, growth(s, value, at));
	if (s->at.ns != 0 && value != s->last)
		s->moves = true;
	s->last = value;
	s->at = at;
	return s;
}

double
stats_trend_rate(const struct series *s)
{
	if (!s->is_counter || s->count == 0)
		return (double)NAN;
	return s->steps[s->count - 1];
}
