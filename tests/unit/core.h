/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the units of server/core share: reports, and a table to put them in. */
#ifndef HERD_UNIT_CORE_H
#define HERD_UNIT_CORE_H

#include "unit.h"

#include "core/outbox.h"
#include "herd/time.h"

/* A report with memory of its own. */
struct unit_report {
	struct report report;
	char client[64];
	char time[TIME_FORMAT_MAX];
};

static inline void
unit_report(struct unit_report *made, unsigned client, uint64_t time_ns)
{
	snprintf(made->client, sizeof(made->client), "client-%u", client);
	made->report = (struct report){ .client = span_from(made->client),
		.location = span_from("+34.068930-118.445127"),
		.time = span_of(made->time, time_format(time_ns, made->time)),
		.skew = span_from("+0.263873386"),
		.origin = span_from("Riley"),
		.time_ns = time_ns,
		.kind = REPORT_POSITION };
}

static inline void
unit_removal(struct unit_report *made, unsigned client, uint64_t time_ns)
{
	unit_report(made, client, time_ns);
	made->report.location = span_of("", 0);
	made->report.skew = span_of("", 0);
	made->report.kind = REPORT_REMOVAL;
}

static inline struct table *
unit_table(uint64_t max_clients, uint64_t expire_after_ns)
{
	const struct table_config config = { max_clients, expire_after_ns,
		{ 0x0123456789abcdef, 0xfedcba9876543210 } };
	struct table *table;

	assert_ok(table_new(&config, &table));
	return table;
}

static inline enum put_result
unit_put_at(struct table *table, const struct report *report, uint32_t from,
    uint64_t clock_ns)
{
	return table_put(
	    table, report, from, (struct wall){ clock_ns }, NULL, NULL);
}

/* A table_visit that wants every record. */
static inline bool
unit_all(void *arg HERD_UNUSED, const struct report *report HERD_UNUSED,
    uint32_t from HERD_UNUSED)
{
	return true;
}

/* A client's report, without a clock. */
static inline enum put_result
unit_put(struct table *table, unsigned client, uint64_t time_ns)
{
	struct unit_report made;

	unit_report(&made, client, time_ns);
	return unit_put_at(table, &made.report, FROM_CLIENT, 0);
}

/* The time that the table holds for a client; 0 if none. */
static inline uint64_t
unit_time_of(struct table *table, unsigned client)
{
	struct unit_report made;
	struct record record;
	uint64_t time_ns = 0;

	unit_report(&made, client, 0);
	record_init(&record);
	if (table_get(table, made.report.client, &record) == HERD_OK)
		time_ns = record.report.time_ns;
	record_release(&record);
	return time_ns;
}

static inline void
unit_no_wake(void *arg)
{
	(void)arg;
}

#endif
