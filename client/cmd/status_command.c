/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status: a node on one screen. Every other format gets the same facts as
 * one record.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>

#include "base/xbuf.h"
#include "cmd/status_screen.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", LEAF_TEXT, .traits = COLUMN_NODE | COLUMN_NAME),
	COLUMN("state", "STATE", LEAF_STATE, .traits = COLUMN_STATE, .path = "state"),
	COLUMN("herd", "HERD", LEAF_TEXT, .path = "herd"),
	COLUMN("version", "VERSION", LEAF_TEXT, .path = "version"),
	COLUMN("pid", "PID", LEAF_INTEGER, .traits = COLUMN_NUMERAL, .path = "pid"),
	COLUMN("uptime_s", "UP", LEAF_SECONDS, .path = "uptime_s"),
	COLUMN("connections", "CONNECTIONS", LEAF_INTEGER, .path = "connections"),
	COLUMN("clients_address", "CLIENTS AT", LEAF_TEXT, .path = "addresses.clients"),
	COLUMN("peers_address", "PEERS AT", LEAF_TEXT, .path = "addresses.peers"),
	COLUMN("admin_address", "ADMIN AT", LEAF_TEXT, .path = "addresses.admin"),
	COLUMN("config_path", "CONFIG", LEAF_TEXT, .path = "config.path"),
	COLUMN("config_loaded_s", "CONFIG LOADED", LEAF_SECONDS, .path = "config.loaded_ago_s"),
	COLUMN("config_changed", "CONFIG CHANGED ON DISK", LEAF_BOOL,
	    .path = "config.changed_on_disk"),
	COLUMN("peers_total", "PEERS", LEAF_INTEGER, .path = "peers.total"),
	COLUMN("peers_synced", "PEERS SYNCED", LEAF_INTEGER, .path = "peers.synced"),
	COLUMN("peers_down", "PEERS DOWN", LEAF_JSON, .path = "peers.down"),
	COLUMN("clients_count", "CLIENTS", LEAF_INTEGER, .path = "clients.count"),
	COLUMN("clients_removals", "REMOVALS", LEAF_INTEGER, .path = "clients.removals"),
	COLUMN("clients_max", "CLIENTS AT MOST", LEAF_INTEGER, .path = "clients.max"),
	COLUMN("reported_per_s", "REPORTED PER SECOND", LEAF_REAL,
	    .path = "clients.reported_per_s", .digits = 1),
	COLUMN("newest_s", "NEWEST", LEAF_SECONDS, .path = "clients.newest_s"),
	COLUMN("oldest_s", "OLDEST", LEAF_SECONDS, .path = "clients.oldest_s"),
	COLUMN("iamat", "IAMAT", LEAF_INTEGER, .traits = COLUMN_COUNTER, .path = "requests.iamat"),
	COLUMN("whatsat", "WHATSAT", LEAF_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "requests.whatsat"),
	COLUMN("invalid", "INVALID", LEAF_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "requests.invalid"),
	COLUMN("places_provider", "PLACES", LEAF_TEXT, .path = "places.provider"),
	COLUMN("places_state", "PLACES STATE", LEAF_TEXT, .path = "places.state"),
	COLUMN("places_answered", "PLACES ANSWERED", LEAF_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "places.answered"),
	COLUMN("places_failed", "PLACES FAILED", LEAF_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "places.failed"),
	COLUMN("places_p50_ms", "PLACES P50", LEAF_MS, .path = "places.p50_ms"),
	COLUMN("places_p99_ms", "PLACES P99", LEAF_MS, .path = "places.p99_ms"),
	COLUMN("store_engine", "STORE", LEAF_TEXT, .path = "store.engine"),
	COLUMN("store_durability", "DURABILITY", LEAF_TEXT, .path = "store.durability"),
	COLUMN("store_state", "STORE STATE", LEAF_TEXT, .path = "store.state"),
	COLUMN("store_lag", "STORE LAG", LEAF_INTEGER, .path = "store.lag"),
	COLUMN("store_damaged", "STORE DAMAGED", LEAF_INTEGER, .traits = COLUMN_IF_ANY,
	    .path = "store.damaged"),
	COLUMN("store_last_commit_ms", "LAST COMMIT", LEAF_MS, .path = "store.last_commit_ms"),
	COLUMN("store_error", "STORE ERROR", LEAF_TEXT, .traits = COLUMN_IF_ANY,
	    .path = "store.error"),
	COLUMN("error", "ERROR", LEAF_TEXT, .traits = COLUMN_ERROR | COLUMN_IF_ANY),
};
/* clang-format on */

static const struct view status_view = VIEW(
    columns, .schema = "herd.status/1", .list = "nodes", .shape = VIEW_RECORD);

/* The one thing to look at next. */
static void
say_hint(struct run *run, const struct answers *answers)
{
	const cJSON *json = answers->items[0].json;
	const char *peer = fields_text(
	    cJSON_GetArrayItem(fields_at(json, "peers.down"), 0), "peer");

	if (answers->count != 1)
		return;
	if (peer != NULL) {
		args_quote(&run->message, peer);
		run_hint(run,
		    "`peer show %s` for the link, `herd diff` to compare "
		    "tables",
		    text_of(&run->message));
		buf_clear(&run->message);
	} else if (fields_is(json, "config.changed_on_disk")) {
		run_hint(run,
		    "`config diff` says what differs, `config reload` takes "
		    "the file");
	}
}

/* The screen is for a screen; a chosen column or format gets the record. */
static bool
wants_screen(const struct run *run)
{
	return out_is_looks(&run->out) && run->out.options.columns == NULL &&
	       run->out.options.where == NULL &&
	       (run->out.options.format->traits & FORMAT_WIDE) == 0;
}

static enum status
status_run(struct run *run)
{
	struct answers answers;
	enum status status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/status" }, &answers);

	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, NULL, NULL);
	if (!wants_screen(run))
		return fields_finish(run, &answers);
	status_screen_draw(run, &answers);
	sink_flush(&run->sink);
	status = answers_report(run, &answers);
	if (status == STATUS_OK)
		say_hint(run, &answers);
	answers_release(&answers);
	return status;
}

const struct command cmd_status = {
	.path = "status",
	.summary = "show how a node is, on one screen",
	.group = GROUP_LINKS,
	.view = &status_view,
	.traits = COMMAND_READ,
	.run = status_run,
	.example = "status -n Riley",
};
