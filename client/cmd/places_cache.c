/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <string.h>

#include "run/fields.h"

/* clang-format off */
static const struct column cache_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE),
	COLUMN("name", "PROVIDER", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL),
	COLUMN("entries", "ENTRIES", VALUE_INTEGER, .path = "cache.entries"),
	COLUMN("bytes", "BYTES", VALUE_BYTES, .path = "cache.bytes"),
	COLUMN("cached", "HITS", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("stale", "STALE", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view cache_view =
    VIEW(cache_columns, .schema = "herd.places-cache/1", .list = "providers");

/* clang-format off */
static const struct column flush_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("flushed", "FLUSHED", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view flush_view =
    VIEW(flush_columns, .schema = "herd.places-flush/1", .list = "nodes");

static enum status
flush(struct run *run)
{
	enum status status = run_may_change(run);

	if (status != STATUS_OK)
		return status;
	return fields_run(run, &(struct fields_request){ .method = "DELETE",
				   .path = "/v1/places/cache",
				   .view = &flush_view });
}

static enum status
places_cache_run(struct run *run)
{
	if (strcmp(run_word(run, 0), "flush") == 0)
		return flush(run);
	return fields_run_command(run);
}

const struct command cmd_places_cache = {
	.path = "places cache",
	.summary = "show or empty a node's cache of places",
	.group = GROUP_PLACES,
	.args = ARGS(ARG("show|flush", .complete = COMPLETE_WORDS,
	    .words = "show flush", .fixed = true)),
	.view = &cache_view,
	.traits = COMMAND_BY_LINE,
	.run = places_cache_run,
	.request = REQUEST(.path = "/v1/places", .list = "providers"),
	.example = "places cache show",
};
