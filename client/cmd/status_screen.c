/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status: a node on one screen. Every other format gets the same facts as
 * one record.
 */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/fields.h"
#include "cmd/node_family.h"
#include "out/width.h"
#include "base/xbuf.h"

static const struct column columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_NAME, 0, NULL, 0 },
	{ "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state", 0 },
	{ "herd", "HERD", LEAF_TEXT, 0, 0, "herd", 0 },
	{ "version", "VERSION", LEAF_TEXT, 0, 0, "version", 0 },
	{ "pid", "PID", LEAF_INTEGER, COLUMN_NUMERAL, 0, "pid", 0 },
	{ "uptime_s", "UP", LEAF_SECONDS, 0, 0, "uptime_s", 0 },
	{ "connections", "CONNECTIONS", LEAF_INTEGER, 0, 0, "connections", 0 },
	{ "clients_address", "CLIENTS AT", LEAF_TEXT, 0, 0, "addresses.clients",
	    0 },
	{ "peers_address", "PEERS AT", LEAF_TEXT, 0, 0, "addresses.peers", 0 },
	{ "admin_address", "ADMIN AT", LEAF_TEXT, 0, 0, "addresses.admin", 0 },
	{ "config_path", "CONFIG", LEAF_TEXT, 0, 0, "config.path", 0 },
	{ "config_loaded_s", "CONFIG LOADED", LEAF_SECONDS, 0, 0,
	    "config.loaded_ago_s", 0 },
	{ "config_changed", "CONFIG CHANGED ON DISK", LEAF_BOOL, 0, 0,
	    "config.changed_on_disk", 0 },
	{ "peers_total", "PEERS", LEAF_INTEGER, 0, 0, "peers.total", 0 },
	{ "peers_synced", "PEERS SYNCED", LEAF_INTEGER, 0, 0, "peers.synced",
	    0 },
	{ "peers_down", "PEERS DOWN", LEAF_JSON, 0, 0, "peers.down", 0 },
	{ "clients_count", "CLIENTS", LEAF_INTEGER, 0, 0, "clients.count", 0 },
	{ "clients_removals", "REMOVALS", LEAF_INTEGER, 0, 0,
	    "clients.removals", 0 },
	{ "clients_max", "CLIENTS AT MOST", LEAF_INTEGER, 0, 0, "clients.max",
	    0 },
	{ "reported_per_s", "REPORTED PER SECOND", LEAF_REAL, 0, 0,
	    "clients.reported_per_s", 1 },
	{ "newest_s", "NEWEST", LEAF_SECONDS, 0, 0, "clients.newest_s", 0 },
	{ "oldest_s", "OLDEST", LEAF_SECONDS, 0, 0, "clients.oldest_s", 0 },
	{ "iamat", "IAMAT", LEAF_INTEGER, COLUMN_COUNTER, 0, "requests.iamat",
	    0 },
	{ "whatsat", "WHATSAT", LEAF_INTEGER, COLUMN_COUNTER, 0,
	    "requests.whatsat", 0 },
	{ "invalid", "INVALID", LEAF_INTEGER, COLUMN_COUNTER, 0,
	    "requests.invalid", 0 },
	{ "places_provider", "PLACES", LEAF_TEXT, 0, 0, "places.provider", 0 },
	{ "places_state", "PLACES STATE", LEAF_TEXT, 0, 0, "places.state", 0 },
	{ "places_answered", "PLACES ANSWERED", LEAF_INTEGER, COLUMN_COUNTER, 0,
	    "places.answered", 0 },
	{ "places_failed", "PLACES FAILED", LEAF_INTEGER, COLUMN_COUNTER, 0,
	    "places.failed", 0 },
	{ "places_p50_ms", "PLACES P50", LEAF_MS, 0, 0, "places.p50_ms", 0 },
	{ "places_p99_ms", "PLACES P99", LEAF_MS, 0, 0, "places.p99_ms", 0 },
	{ "store_engine", "STORE", LEAF_TEXT, 0, 0, "store.engine", 0 },
	{ "store_durability", "DURABILITY", LEAF_TEXT, 0, 0, "store.durability",
	    0 },
	{ "store_state", "STORE STATE", LEAF_TEXT, 0, 0, "store.state", 0 },
	{ "store_lag", "STORE LAG", LEAF_INTEGER, 0, 0, "store.lag", 0 },
	{ "store_damaged", "STORE DAMAGED", LEAF_INTEGER, COLUMN_IF_ANY, 0,
	    "store.damaged", 0 },
	{ "store_last_commit_ms", "LAST COMMIT", LEAF_MS, 0, 0,
	    "store.last_commit_ms", 0 },
	{ "store_error", "STORE ERROR", LEAF_TEXT, COLUMN_IF_ANY, 0,
	    "store.error", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

const struct view status_view = { "herd.status/1", "nodes", VIEW_RECORD,
	columns, HERD_ARRAY_LEN(columns) };

/* One line of the screen being put together. */
struct screen {
	struct run *run;
	struct buf line;
};

static void
end_line(struct screen *s)
{
	size_t width = s->run->out.options.width;
	struct buf cut;

	while (
	    s->line.len > 0 && buf_span(&s->line).data[s->line.len - 1] == ' ')
		buf_truncate(&s->line, s->line.len - 1);
	buf_init(&cut, XBUF_MAX);
	width_cut(&cut, buf_span(&s->line), width == 0 ? SIZE_MAX : width,
	    s->run->ctl->utf8);
	put_byte(&cut, '\n');
	sink_write(&s->run->sink, buf_span(&cut));
	buf_release(&cut);
	buf_clear(&s->line);
}

static void
add_text(struct screen *s, const char *text)
{
	put_clean(&s->line, span_from(text == NULL ? "-" : text));
}

static void
add_age(struct screen *s, const char *what, const cJSON *json, const char *path,
    const char *after)
{
	const cJSON *item = json_at(json, path);

	if (!cJSON_IsNumber(item))
		return;
	put_text(&s->line, what);
	put_duration(&s->line, item->valuedouble);
	put_text(&s->line, after);
}

/* The first word of a line and its value, in columns. */
static void
add_head(struct screen *s, const char *name, const char *value)
{
	size_t width;

	putf(&s->line, "%-9s", name);
	put_clean(&s->line, span_from(value == NULL ? "-" : value));
	width = width_of(buf_span(&s->line));
	put_fill(&s->line, ' ', width < 19 ? 21 - width : 2);
}

/* Whether the file has changed must be seen: if need be on its own line. */
static void
add_config(struct screen *s, const cJSON *json)
{
	const char *path = json_text(json, "config.path");
	size_t width = s->run->out.options.width;
	size_t before = s->line.len;
	struct buf config;

	if (path == NULL)
		return;
	put_text(&s->line, "  config ");
	add_text(s, path);
	add_age(s, " (loaded ", json, "config.loaded_ago_s", " ago, ");
	put_text(&s->line, json_is(json, "config.changed_on_disk")
			       ? "changed on disk)"
			       : "unchanged on disk)");
	if (width == 0 || width_of(buf_span(&s->line)) <= width)
		return;
	buf_init(&config, XBUF_MAX);
	put_text(&config, text_of(&s->line) + before + strlen("  config "));
	buf_truncate(&s->line, before);
	end_line(s);
	putf(&s->line, "%-9s", "config");
	put_span(&s->line, buf_span(&config));
	buf_release(&config);
}

static void
draw_node(struct screen *s, const struct answer *a)
{
	const cJSON *json = a->json;
	const char *state = json_text(json, "state");

	add_text(s, a->target->name);
	put_text(&s->line, "  herdd ");
	add_text(s, json_text(json, "version"));
	if (state != NULL && strcmp(state, "ready") != 0) {
		put_text(&s->line, "  ");
		add_text(s, state);
	}
	add_age(s, "  up ", json, "uptime_s", "");
	put_text(&s->line, "  clients ");
	add_text(s, json_text(json, "addresses.clients"));
	add_config(s, json);
	end_line(s);
}

static void
draw_peers(struct screen *s, const cJSON *json)
{
	const cJSON *down;
	char up[64];
	bool first = true;

	snprintf(up, sizeof(up), "%.0f/%.0f up",
	    json_number(json, "peers.synced", 0),
	    json_number(json, "peers.total", 0));
	add_head(s, "peers", up);
	cJSON_ArrayForEach(down, json_at(json, "peers.down"))
	{
		const char *state = json_text(down, "state");
		const char *error = json_text(down, "last_error");

		put_text(&s->line, first ? "" : "; ");
		first = false;
		add_text(s, json_text(down, "peer"));
		put_text(
		    &s->line, state != NULL && strcmp(state, "disabled") == 0
				  ? " disabled"
				  : " down");
		add_age(s, " ", down, "since_s", "");
		if (error == NULL) {
			put_text(&s->line, " (");
			add_text(s, state);
			put_byte(&s->line, ')');
			continue;
		}
		put_text(&s->line, " (");
		add_text(s, error);
		add_age(s, ", retry in ", down, "retry_in_s", "");
		put_byte(&s->line, ')');
	}
	end_line(s);
}

static void
add_report_age(struct screen *s, const char *what, const cJSON *json,
    const char *path, const char *after)
{
	double age = json_number(json, path, 0);

	if (age >= 0) {
		add_age(s, what, json, path, after);
		return;
	}
	/* The client's clock is ahead of the node's. */
	put_text(&s->line, what);
	put_duration(&s->line, -age);
	put_text(&s->line, " ahead");
}

static void
draw_clients(struct screen *s, const cJSON *json)
{
	struct buf count;

	buf_init(&count, XBUF_MAX);
	put_grouped(&count, (int64_t)json_number(json, "clients.count", 0));
	add_head(s, "clients", text_of(&count));
	buf_release(&count);
	putf(&s->line, "%.3g/s reported",
	    json_number(json, "clients.reported_per_s", 0));
	add_report_age(s, "  newest ", json, "clients.newest_s", " ago");
	add_report_age(s, "  oldest ", json, "clients.oldest_s", "");
	if (json_number(json, "clients.max", 0) > 0) {
		put_text(&s->line, "  at most ");
		put_grouped(
		    &s->line, (int64_t)json_number(json, "clients.max", 0));
	}
	end_line(s);
}

static void
draw_places(struct screen *s, const cJSON *json)
{
	const char *state = json_text(json, "places.state");
	double failed = json_number(json, "places.failed", 0);

	add_head(s, "places", json_text(json, "places.provider"));
	put_grouped(&s->line, (int64_t)json_number(json, "places.answered", 0));
	put_text(&s->line, " answered");
	if (failed > 0) {
		put_text(&s->line, "  ");
		put_grouped(&s->line, (int64_t)failed);
		put_text(&s->line, " failed");
	}
	if (cJSON_IsNumber(json_at(json, "places.p99_ms"))) {
		put_text(&s->line, "  p99 ");
		put_duration(
		    &s->line, json_number(json, "places.p99_ms", 0) / 1e3);
	}
	if (state != NULL && strcmp(state, "ready") != 0) {
		put_text(&s->line, "  ");
		add_text(s, state);
	}
	end_line(s);
}

static void
draw_store(struct screen *s, const cJSON *json)
{
	const char *engine = json_text(json, "store.engine");
	const char *error = json_text(json, "store.error");

	add_head(s, "store", engine);
	if (engine == NULL || strcmp(engine, "none") == 0) {
		put_text(&s->line, "reports are in memory only");
		end_line(s);
		return;
	}
	put_text(&s->line, "durability ");
	add_text(s, json_text(json, "store.durability"));
	putf(&s->line, "  lag %.0f", json_number(json, "store.lag", 0));
	if (cJSON_IsNumber(json_at(json, "store.last_commit_ms"))) {
		put_text(&s->line, "  last commit ");
		put_duration(&s->line,
		    json_number(json, "store.last_commit_ms", 0) / 1e3);
	}
	if (error != NULL) {
		put_text(&s->line, "  FAILED: ");
		add_text(s, error);
	}
	end_line(s);
}

static void
draw(struct run *run, const struct answers *answers)
{
	struct screen s = { .run = run };
	bool first = true;

	buf_init(&s.line, XBUF_MAX);
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->items[i];

		if (a->status != STATUS_OK && !run->all_nodes)
			continue;
		if (!first)
			end_line(&s);
		first = false;
		if (a->status != STATUS_OK) {
			add_text(&s, a->target->name);
			put_text(&s.line, "  unreachable: ");
			add_text(&s, a->message);
			end_line(&s);
			continue;
		}
		draw_node(&s, a);
		draw_peers(&s, a->json);
		draw_clients(&s, a->json);
		draw_places(&s, a->json);
		draw_store(&s, a->json);
	}
	buf_release(&s.line);
}

/* The one thing to look at next. */
static void
say_hint(struct run *run, const struct answers *answers)
{
	const cJSON *json = answers->items[0].json;
	const char *peer = json_text(
	    cJSON_GetArrayItem(json_at(json, "peers.down"), 0), "peer");

	if (answers->count != 1)
		return;
	if (peer != NULL) {
		args_quote(&run->message, peer);
		run_hint(run,
		    "`peer show %s` for the link, `herd diff` to compare "
		    "tables",
		    text_of(&run->message));
		buf_clear(&run->message);
	} else if (json_is(json, "config.changed_on_disk")) {
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

enum status
status_run(struct run *run)
{
	struct answers answers;
	enum status status =
	    json_command(run, &status_view, "/v1/status", NULL, NULL, &answers);

	if (status == STATUS_OK && wants_screen(run)) {
		draw(run, &answers);
		sink_flush(&run->sink);
		status = answers_report(run, &answers);
		if (status == STATUS_OK)
			say_hint(run, &answers);
	} else if (status == STATUS_OK) {
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}
