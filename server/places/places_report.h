/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places for the operator: the admin API's objects and the metrics. Any thread.
 */
#ifndef HERD_PLACES_REPORT_H
#define HERD_PLACES_REPORT_H

#include "herd/json.h"
#include "places/places.h"

/*
 * Each writes members of the open object. summary: provider, state, answered,
 * failed, p50_ms, p99_ms; status: these and "providers", each with all its
 * counts; news: provider, state, failed, last_error, for event streams.
 */
void places_report_summary(struct places *places, struct json *json);
void places_report_status(struct places *places, struct json *json);
void places_report_news(struct places *places, struct json *json);

/* Appends Prometheus text lines (herd_places_...). */
HERD_MUST_CHECK enum herd_error places_report_metrics(
    struct places *places, struct buf *out);

#endif
