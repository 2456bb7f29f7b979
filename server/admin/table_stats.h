/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statistics of the table: how many reports come in per second, the time of
 * the newest and the oldest report, how many lie in the future, and reports
 * whose origin is not in the herd file. The rate comes from samples of a
 * counter, one a second. The rest comes from a walk over the table, in slices,
 * made only while somebody asks.
 */
#ifndef HERD_TABLE_STATS_H
#define HERD_TABLE_STATS_H

#include "node/node.h"

#define TABLE_STATS_TICK_MS 1000
#define TABLE_STATS_SPAN_S 10u /* the rate is a mean over so long */
#define TABLE_STATS_SLICE_SLOTS 4096u
#define TABLE_STATS_SLICE_MS 5     /* between two slices */
#define TABLE_STATS_AT_ONCE 32768u /* records that are walked while asked */
/* The result of a walk is used for so long: of a small table, of a large one.
 */
#define TABLE_STATS_FRESH_SMALL_MS 100u
#define TABLE_STATS_FRESH_MS 2000u

struct table_stats;
struct event_base;

#define TABLE_STATS_NAMES_MAX 8u /* strange origins that are named */

/* Records whose origin is no node of the herd file. */
struct table_stats_strange {
	uint64_t records;
	unsigned count; /* of `names`; there may be more */
	char names[TABLE_STATS_NAMES_MAX][REPORT_ORIGIN_MAX + 1];
};

struct table_stats_facts {
	double reported_per_s; /* IAMATs that this node was told */
	bool known;            /* newest and oldest are */
	uint64_t newest_ns;    /* times of reports, as clients say it */
	uint64_t oldest_ns;
	bool counted;   /* `ahead` is */
	uint64_t ahead; /* clients whose time lies ahead of the judged one */
	bool strange_known;
	struct table_stats_strange strange;
};

HERD_MUST_CHECK enum herd_error table_stats_open(
    struct node *node, struct event_base *base, struct table_stats **out);
void table_stats_close(struct table_stats *stats); /* NULL is fine */

/* Gives the current values; starts a new walk if the last one is too old. */
void table_stats_ask(struct table_stats *stats, struct table_stats_facts *out);

#endif
