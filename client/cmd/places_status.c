/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * places status: one row for each provider of the chain.
 */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column status_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE),
	COLUMN("name", "PROVIDER", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("answered", "ANSWERED", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("failed", "FAILED", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("p50_ms", "P50", VALUE_MS, .drop = 2),
	COLUMN("p99_ms", "P99", VALUE_MS, .drop = 1),
	COLUMN("calls", "CALLS", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_IF_ANY,
	    .drop = 3),
	COLUMN("cached", "CACHED", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_IF_ANY,
	    .drop = 3),
	COLUMN("shared", "SHARED", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_WIDE),
	COLUMN("retries", "RETRIES", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_WIDE),
	COLUMN("breaker", "BREAKER", VALUE_TEXT, .traits = COLUMN_IF_ANY, .drop = 3),
	COLUMN("active", "ACTIVE", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("queued", "QUEUED", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("data", "DATA", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("places", "PLACES", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("data_made", "MADE", VALUE_TIME, .traits = COLUMN_WIDE),
	COLUMN("data_bytes", "SIZE", VALUE_BYTES, .traits = COLUMN_WIDE),
	COLUMN("types", "TYPES", VALUE_JSON, .traits = COLUMN_WIDE),
	COLUMN("bounds", "BOUNDS", VALUE_JSON, .traits = COLUMN_WIDE),
	COLUMN("time_zone", "TIME ZONE", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("base_url", "BASE URL", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("last_error", "LAST ERROR", VALUE_TEXT, .traits = COLUMN_IF_ANY | COLUMN_SHRINK),
	COLUMN("last_error_s", "ERROR AGE", VALUE_SECONDS, .traits = COLUMN_IF_ANY, .drop = 2),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view status_list =
    VIEW(status_columns, .schema = "herd.providers/1", .list = "providers");

const struct command cmd_places_status = {
	.path = "places status",
	.summary = "show a node's providers of places",
	.group = GROUP_PLACES,
	.view = &status_list,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/places", .list = "providers"),
	.example = "places status -n all",
};
