/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status: a node on one screen. Every other format gets the same facts as
 * one record.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>

#include "base/xbuf.h"
#include "cmd/parts.h"
#include "cmd/peer_rows.h"
#include "cmd/status_screen.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_NAME),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("herd", "HERD", VALUE_TEXT),
	COLUMN("version", "VERSION", VALUE_TEXT),
	COLUMN("pid", "PID", VALUE_INTEGER, .traits = COLUMN_NUMERAL),
	COLUMN("uptime_s", "UP", VALUE_SECONDS),
	COLUMN("connections", "CONNECTIONS", VALUE_INTEGER),
	COLUMN("clients_address", "CLIENTS AT", VALUE_TEXT, .path = "addresses.clients"),
	COLUMN("peers_address", "PEERS AT", VALUE_TEXT, .path = "addresses.peers"),
	COLUMN("admin_address", "ADMIN AT", VALUE_TEXT, .path = "addresses.admin"),
	COLUMN("config_path", "CONFIG", VALUE_TEXT, .path = "config.path"),
	COLUMN("config_loaded_s", "CONFIG LOADED", VALUE_SECONDS, .path = "config.loaded_ago_s"),
	COLUMN("config_changed", "CONFIG CHANGED ON DISK", VALUE_BOOL,
	    .path = "config.changed_on_disk"),
	COLUMN("peers_total", "PEERS", VALUE_INTEGER, .path = "peers.total"),
	COLUMN("peers_synced", "PEERS SYNCED", VALUE_INTEGER, .path = "peers.synced"),
	COLUMN("peers_down", "PEERS DOWN", VALUE_JSON, .path = "peers.down"),
	COLUMN("clients_count", "CLIENTS", VALUE_INTEGER, .path = "clients.count"),
	COLUMN("clients_removals", "REMOVALS", VALUE_INTEGER, .path = "clients.removals"),
	COLUMN("clients_max", "CLIENTS AT MOST", VALUE_INTEGER, .path = "clients.max"),
	COLUMN("reported_per_s", "REPORTED PER SECOND", VALUE_REAL,
	    .path = "clients.reported_per_s", .digits = 1),
	COLUMN("newest_s", "NEWEST", VALUE_SECONDS, .path = "clients.newest_s"),
	COLUMN("oldest_s", "OLDEST", VALUE_SECONDS, .path = "clients.oldest_s"),
	COLUMN("iamat", "IAMAT", VALUE_INTEGER, .traits = COLUMN_COUNTER, .path = "requests.iamat"),
	COLUMN("whatsat", "WHATSAT", VALUE_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "requests.whatsat"),
	COLUMN("invalid", "INVALID", VALUE_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "requests.invalid"),
	COLUMN("places_provider", "PLACES", VALUE_TEXT, .path = "places.provider"),
	COLUMN("places_state", "PLACES STATE", VALUE_TEXT, .path = "places.state"),
	COLUMN("places_answered", "PLACES ANSWERED", VALUE_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "places.answered"),
	COLUMN("places_failed", "PLACES FAILED", VALUE_INTEGER, .traits = COLUMN_COUNTER,
	    .path = "places.failed"),
	COLUMN("places_p50_ms", "PLACES P50", VALUE_MS, .path = "places.p50_ms"),
	COLUMN("places_p99_ms", "PLACES P99", VALUE_MS, .path = "places.p99_ms"),
	COLUMN("store_engine", "STORE", VALUE_TEXT, .path = "store.engine"),
	COLUMN("store_durability", "DURABILITY", VALUE_TEXT, .path = "store.durability"),
	COLUMN("store_state", "STORE STATE", VALUE_TEXT, .path = "store.state"),
	COLUMN("store_lag", "STORE LAG", VALUE_INTEGER, .path = "store.lag"),
	COLUMN("store_damaged", "STORE DAMAGED", VALUE_INTEGER, .traits = COLUMN_IF_ANY,
	    .path = "store.damaged"),
	COLUMN("store_last_commit_ms", "LAST COMMIT", VALUE_MS, .path = "store.last_commit_ms"),
	COLUMN("store_error", "STORE ERROR", VALUE_TEXT, .traits = COLUMN_IF_ANY,
	    .path = "store.error"),
	COLUMN("connections_max", "CONNECTIONS AT MOST", VALUE_INTEGER,
	    .path = "bounds.connections_max"),
	COLUMN("open_files", "OPEN FILES", VALUE_INTEGER, .path = "bounds.open_files"),
	COLUMN("open_files_max", "OPEN FILES AT MOST", VALUE_INTEGER, .path = "bounds.open_files_max"),
	COLUMN("table_bytes", "TABLE", VALUE_BYTES, .path = "bounds.table_bytes"),
	COLUMN("table_bytes_max", "TABLE AT MOST", VALUE_BYTES, .path = "bounds.table_bytes_max"),
	COLUMN("memory_bytes", "MEMORY", VALUE_BYTES, .path = "bounds.memory_bytes"),
	COLUMN("memory_bytes_max", "MEMORY AT MOST", VALUE_BYTES, .path = "bounds.memory_bytes_max"),
	COLUMN("split", "HERD SPLIT", VALUE_TEXT, .traits = COLUMN_IF_ANY | COLUMN_COMPUTED),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view status_view = VIEW(
    columns, .schema = "herd.status/1", .list = "nodes", .shape = VIEW_RECORD);

/* A link that somebody disabled, else the first that is down, or NULL. */
static const cJSON *
link_to_look_at(const cJSON *json)
{
	const cJSON *list = fields_at(json, "peers.down");
	const cJSON *link;

	cJSON_ArrayForEach(link, list) {
		if (peer_rows_is_disabled(link))
			return link;
	}
	return cJSON_GetArrayItem(list, 0);
}

/* The one thing to look at next. */
static void
say_hint(struct run *run, const struct answers *answers)
{
	const struct answer *a = &answers->items[0];
	const cJSON *link = link_to_look_at(a->json);
	const char *peer = fields_text(link, "peer");

	if (answers->count != 1)
		return;
	if (peer != NULL && peer_rows_is_disabled(link)) {
		peer_rows_hint_enable(run, a->target, link);
	} else if (peer != NULL) {
		args_quote(&run->message, peer);
		run_hint(run,
		    "`peer show %s` for the link, `herd diff` to compare "
		    "tables",
		    text_of(&run->message));
		buf_clear(&run->message);
	} else if (status_screen_is_changed(a->json)) {
		run_hint(run,
		    "`config diff` shows what differs, `config reload` "
		    "applies the file");
	}
}

/* Columns, rows or a format that were chosen get the record. */
static bool
wants_screen(const struct run *run)
{
	return out_is_looks(&run->out) && run->out.options.columns == NULL &&
	       run->out.options.where == NULL &&
	       (run->out.options.format->traits & FORMAT_WIDE) == 0;
}

static void
draw_screen(struct run *run, const struct answers *answers, struct parts *parts)
{
	struct buf line = XBUF;

	status_screen_draw(run, answers);
	if (parts->count > 1) {
		putf(&line, "%-9sthe herd is split into %zu parts: ", "split",
		    parts->count);
		put_clean(&line, buf_span(&parts->names));
		put_byte(&line, '\n');
		sink_write(&run->sink, buf_span(&line));
	}
	sink_flush(&run->sink);
	buf_release(&line);
}

static enum status
show_status(struct run *run, const struct answers *answers, struct parts *parts)
{
	enum status status;

	parts_rows(run, answers, parts);
	if (!wants_screen(run))
		return fields_report(run, answers);
	draw_screen(run, answers, parts);
	status = answers_report(run, answers);
	if (status == STATUS_OK)
		say_hint(run, answers);
	return status;
}

/*
 * A split does not show in a single node's answer, so the others are asked as
 * well.
 */
static enum status
status_run(struct run *run)
{
	struct answers answers;
	struct parts parts;
	enum status status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/status" }, &answers);

	if (status != STATUS_OK)
		return status;
	status = parts_ask(run, &answers, &parts);
	if (status == STATUS_OK)
		status = show_status(run, &answers, &parts);
	parts_release(&parts);
	answers_release(&answers);
	return status;
}

const struct command cmd_status = {
	.path = "status",
	.summary = "show a node's state on one screen",
	.group = GROUP_LINKS,
	.view = &status_view,
	.traits = COMMAND_READ,
	.run = status_run,
	.example = "status -n Riley",
};
