/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Places as a node sees them: places status, test, cache.
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/data.h"
#include "herd/text.h"
#include "run/fields.h"
#include "base/xbuf.h"

/* --- status: one row for each provider of the chain ---------------------- */

static const struct column status_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE, 0, NULL, 0 },
	{ "name", "PROVIDER", LEAF_TEXT, COLUMN_NAME | COLUMN_LABEL, 0, "name",
	    0 },
	{ "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state", 0 },
	{ "answered", "ANSWERED", LEAF_INTEGER, COLUMN_COUNTER, 0, "answered",
	    0 },
	{ "failed", "FAILED", LEAF_INTEGER, COLUMN_COUNTER, 0, "failed", 0 },
	{ "p50_ms", "P50", LEAF_MS, 0, 2, "p50_ms", 0 },
	{ "p99_ms", "P99", LEAF_MS, 0, 1, "p99_ms", 0 },
	{ "calls", "CALLS", LEAF_INTEGER, COLUMN_COUNTER | COLUMN_IF_ANY, 3,
	    "calls", 0 },
	{ "cached", "CACHED", LEAF_INTEGER, COLUMN_COUNTER | COLUMN_IF_ANY, 3,
	    "cached", 0 },
	{ "shared", "SHARED", LEAF_INTEGER, COLUMN_COUNTER | COLUMN_WIDE, 0,
	    "shared", 0 },
	{ "retries", "RETRIES", LEAF_INTEGER, COLUMN_COUNTER | COLUMN_WIDE, 0,
	    "retries", 0 },
	{ "breaker", "BREAKER", LEAF_TEXT, COLUMN_IF_ANY, 3, "breaker", 0 },
	{ "active", "ACTIVE", LEAF_INTEGER, COLUMN_WIDE, 0, "active", 0 },
	{ "queued", "QUEUED", LEAF_INTEGER, COLUMN_WIDE, 0, "queued", 0 },
	{ "data", "DATA", LEAF_TEXT, COLUMN_WIDE, 0, "data", 0 },
	{ "places", "PLACES", LEAF_INTEGER, COLUMN_WIDE, 0, "places", 0 },
	{ "base_url", "BASE URL", LEAF_TEXT, COLUMN_WIDE, 0, "base_url", 0 },
	{ "last_error", "LAST ERROR", LEAF_TEXT, COLUMN_IF_ANY | COLUMN_SHRINK,
	    0, "last_error", 0 },
	{ "last_error_s", "ERROR AGE", LEAF_SECONDS, COLUMN_IF_ANY, 2,
	    "last_error_s", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view status_list = { "herd.providers/1", "providers",
	VIEW_LIST, status_columns, HERD_ARRAY_LEN(status_columns) };

static enum status
list_providers(struct run *run, const struct view *view)
{
	struct answers answers;
	enum status status =
	    json_command(run, view, "/v1/places", "providers", NULL, &answers);

	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}

static enum status
run_status(struct run *run)
{
	return list_providers(run, &status_list);
}

/* --- test: one question, with the time of each step ----------------------- */

enum {
	TEST_NODE,
	TEST_PROVIDER,
	TEST_STATUS,
	TEST_RESULTS,
	TEST_TOTAL,
	TEST_HTTP,
	TEST_DNS,
	TEST_CONNECT,
	TEST_TLS,
	TEST_FIRST,
	TEST_MESSAGE,
	TEST_ERROR,
	TEST_COLUMNS
};

static const struct column test_columns[TEST_COLUMNS] = {
	[TEST_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME, 0, NULL, 0 },
	[TEST_PROVIDER] = { "provider", "PROVIDER", LEAF_TEXT, 0, 0, "provider",
	    0 },
	[TEST_STATUS] = { "status", "STATUS", LEAF_TEXT, 0, 0, "status", 0 },
	[TEST_RESULTS] = { "results", "RESULTS", LEAF_INTEGER, 0, 0, "results",
	    0 },
	[TEST_TOTAL] = { "total_ms", "TOTAL", LEAF_MS, 0, 0, "total_ms", 0 },
	[TEST_HTTP] = { "http_status", "HTTP", LEAF_INTEGER, COLUMN_IF_ANY, 0,
	    "http_status", 0 },
	[TEST_DNS] = { "dns_ms", "DNS", LEAF_MS, COLUMN_IF_ANY, 1, "dns_ms",
	    0 },
	[TEST_CONNECT] = { "connect_ms", "CONNECT", LEAF_MS, COLUMN_IF_ANY, 1,
	    "connect_ms", 0 },
	[TEST_TLS] = { "tls_ms", "TLS", LEAF_MS, COLUMN_IF_ANY, 1, "tls_ms",
	    0 },
	[TEST_FIRST] = { "first_byte_ms", "FIRST BYTE", LEAF_MS, COLUMN_IF_ANY,
	    1, "first_byte_ms", 0 },
	[TEST_MESSAGE] = { "error_message", "MESSAGE", LEAF_TEXT,
	    COLUMN_IF_ANY | COLUMN_SHRINK, 0, "error_message", 0 },
	[TEST_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view test_view = { "herd.places-test/1", "tests", VIEW_LIST,
	test_columns, TEST_COLUMNS };

static bool
is_good(const char *status)
{
	return status != NULL && (strcmp(status, "OK") == 0 ||
				     strcmp(status, "ZERO_RESULTS") == 0);
}

static enum status
use_test(struct run *run, struct answers *answers)
{
	bool good = true;
	enum status status;

	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->items[i];

		if (a->status == STATUS_OK)
			good = good && is_good(json_text(a->json, "status"));
	}
	/* Each provider that was asked; the last of them answered. */
	json_rows(run, answers, "steps", NULL);
	status = json_finish(run, answers);
	if (status == STATUS_OK && !good)
		return run_fail(
		    run, STATUS_REFUSED, "Places did not answer with OK");
	return status;
}

static enum status
run_test(struct run *run)
{
	struct answers answers = { 0 };
	struct buf text;
	struct buf path;
	struct location at;
	enum status status;

	buf_init(&text, XBUF_MAX);
	buf_init(&path, XBUF_MAX);
	status = data_read_location(run, run_word(run, 0), &text, &at);
	put_text(&path, "/v1/places/test?near=");
	must(text_to_percent(&path, buf_span(&text)));
	if (status == STATUS_OK)
		status = run_begin(run, &test_view);
	if (status == STATUS_OK)
		status = ask_all(run, "POST", text_of(&path), NULL, &answers);
	if (status == STATUS_OK)
		status = use_test(run, &answers);
	answers_release(&answers);
	buf_release(&text);
	buf_release(&path);
	return status;
}

/* --- cache ------------------------------------------------------------------
 */

static const struct column cache_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE, 0, NULL, 0 },
	{ "name", "PROVIDER", LEAF_TEXT, COLUMN_NAME | COLUMN_LABEL, 0, "name",
	    0 },
	{ "entries", "ENTRIES", LEAF_INTEGER, 0, 0, "cache.entries", 0 },
	{ "bytes", "BYTES", LEAF_BYTES, 0, 0, "cache.bytes", 0 },
	{ "cached", "HITS", LEAF_INTEGER, COLUMN_COUNTER, 0, "cached", 0 },
	{ "stale", "STALE", LEAF_INTEGER, COLUMN_COUNTER, 0, "stale", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view cache_view = { "herd.places-cache/1", "providers",
	VIEW_LIST, cache_columns, HERD_ARRAY_LEN(cache_columns) };

static const struct column flush_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME,
	    0, NULL, 0 },
	{ "flushed", "FLUSHED", LEAF_INTEGER, 0, 0, "flushed", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view flush_view = { "herd.places-flush/1", "nodes",
	VIEW_LIST, flush_columns, HERD_ARRAY_LEN(flush_columns) };

static enum status
flush(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_may_change(run);

	if (status == STATUS_OK)
		status = run_targets(run);
	if (status == STATUS_OK)
		status = run_begin(run, &flush_view);
	if (status == STATUS_OK)
		status =
		    ask_all(run, "DELETE", "/v1/places/cache", NULL, &answers);
	if (status == STATUS_OK) {
		json_rows(run, &answers, NULL, NULL);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

static enum status
run_cache(struct run *run)
{
	if (strcmp(run_word(run, 0), "flush") == 0)
		return flush(run);
	return list_providers(run, &cache_view);
}

/* --- the table -------------------------------------------------------------
 */

static const struct argument location_arguments[] = {
	{ "LOCATION", COMPLETE_NONE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument cache_arguments[] = {
	{ "show|flush", COMPLETE_WORDS, false, false, "show flush", true },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct command client_places_commands[] = {
	{ "places status", "show a node's providers of places", NULL, NULL,
	    NULL, &status_list, COMMAND_READ, run_status,
	    "places status -n all", GROUP_PLACES },
	{ "places test", "ask a node's Places once, with the time of each step",
	    "There is a row for each provider that was asked, up to the one "
	    "that answered. The question passes by the cache and is not "
	    "shared with others.",
	    location_arguments, NULL, &test_view, COMMAND_WRITE, run_test,
	    "places test 34.068930,-118.445127", GROUP_PLACES },
	{ "places cache", "show or empty a node's cache of places", NULL,
	    cache_arguments, NULL, &cache_view, COMMAND_BY_LINE, run_cache,
	    "places cache show", GROUP_PLACES },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
