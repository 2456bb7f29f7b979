/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's links: peer ls, show, enable, disable, reconnect.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "herd/text.h"
#include "run/fields.h"
#include "cmd/node_family.h"
#include "base/xbuf.h"

enum {
	PEER_NODE,
	PEER_NAME,
	PEER_STATE,
	PEER_SINCE,
	PEER_RTT,
	PEER_SENT,
	PEER_RECEIVED,
	PEER_STALE,
	PEER_OWED,
	PEER_LAG,
	PEER_ERROR,
	PEER_STALE_COUNT,
	PEER_ADDRESS,
	PEER_DIRECTION,
	PEER_SECURITY,
	PEER_ENABLED,
	PEER_CLOCK,
	PEER_REPAIRED,
	PEER_RESTORED,
	PEER_EXCHANGES,
	PEER_CONNECTS,
	PEER_SENT_BYTES,
	PEER_RECEIVED_BYTES,
	PEER_LAST_ERROR,
	PEER_LAST_ERROR_AGE,
	PEER_RETRY,
	PEER_VERIFIED,
	PEER_LINE,
	PEER_COLUMNS
};

static const struct column columns[PEER_COLUMNS] = {
	[PEER_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE, 0, NULL, 0 },
	[PEER_NAME] = { "peer", "PEER", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_LABEL | COLUMN_SHRINK, 0, "peer", 0 },
	[PEER_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state",
	    0 },
	[PEER_SINCE] = { "since_s", "SINCE", LEAF_SECONDS, 0, 2, "since_s", 0 },
	[PEER_RTT] = { "rtt_ms", "RTT", LEAF_MS, 0, 3, "rtt_ms", 0 },
	[PEER_SENT] = { "sent", "SENT", LEAF_INTEGER,
	    COLUMN_COUNTER | COLUMN_LEFT, 5, "sent", 0 },
	[PEER_RECEIVED] = { "received", "RECEIVED", LEAF_INTEGER,
	    COLUMN_COUNTER | COLUMN_LEFT, 5, "received", 0 },
	[PEER_STALE] = { "stale_percent", "STALE", LEAF_PERCENT, COLUMN_LEFT, 6,
	    NULL, 0 },
	[PEER_OWED] = { "owed", "OWED", LEAF_INTEGER, COLUMN_LEFT, 3, "owed",
	    0 },
	[PEER_LAG] = { "lag_ms", "LAG", LEAF_MS, 0, 4, "lag_ms", 0 },
	[PEER_ERROR] = { "error", "LAST ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_SHRINK, 0, NULL, 0 },
	[PEER_STALE_COUNT] = { "stale", "STALE COUNT", LEAF_INTEGER,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "stale", 0 },
	[PEER_ADDRESS] = { "address", "ADDRESS", LEAF_TEXT, COLUMN_WIDE, 0,
	    "address", 0 },
	[PEER_DIRECTION] = { "direction", "DIRECTION", LEAF_TEXT, COLUMN_WIDE,
	    0, "direction", 0 },
	[PEER_SECURITY] = { "security", "SECURITY", LEAF_TEXT, COLUMN_WIDE, 0,
	    "security", 0 },
	[PEER_ENABLED] = { "enabled", "ENABLED", LEAF_BOOL, COLUMN_WIDE, 0,
	    "enabled", 0 },
	[PEER_CLOCK] = { "clock_ms", "CLOCK", LEAF_MS, COLUMN_WIDE, 0,
	    "clock_ms", 0 },
	[PEER_REPAIRED] = { "repaired", "REPAIRED", LEAF_INTEGER,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "repaired", 0 },
	[PEER_RESTORED] = { "restored", "RESTORED", LEAF_INTEGER,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "restored", 0 },
	[PEER_EXCHANGES] = { "exchanges", "EXCHANGES", LEAF_INTEGER,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "exchanges", 0 },
	[PEER_CONNECTS] = { "connects", "CONNECTS", LEAF_INTEGER,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "connects", 0 },
	[PEER_SENT_BYTES] = { "sent_bytes", "SENT BYTES", LEAF_BYTES,
	    COLUMN_WIDE | COLUMN_COUNTER, 0, "sent_bytes", 0 },
	[PEER_RECEIVED_BYTES] = { "received_bytes", "RECEIVED BYTES",
	    LEAF_BYTES, COLUMN_WIDE | COLUMN_COUNTER, 0, "received_bytes", 0 },
	[PEER_LAST_ERROR] = { "last_error", "LAST ERROR TEXT", LEAF_TEXT,
	    COLUMN_MACHINE, 0, "last_error", 0 },
	[PEER_LAST_ERROR_AGE] = { "last_error_s", "LAST ERROR AGE",
	    LEAF_SECONDS, COLUMN_WIDE, 0, "last_error_s", 0 },
	[PEER_RETRY] = { "retry_in_s", "RETRY IN", LEAF_SECONDS, COLUMN_WIDE, 0,
	    "retry_in_s", 0 },
	[PEER_VERIFIED] = { "verified_s", "VERIFIED", LEAF_SECONDS, COLUMN_WIDE,
	    0, "verified_s", 0 },
	[PEER_LINE] = { "file_line", "FILE LINE", LEAF_INTEGER, COLUMN_WIDE, 0,
	    "file_line", 0 },
};

const struct view peer_view = { "herd.peers/1", "peers", VIEW_LIST, columns,
	PEER_COLUMNS };

/* `peer show`: people read every value, one to a line. */
static const struct column record_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE, 0, NULL, 0 },
	{ "peer", "PEER", LEAF_TEXT, COLUMN_NAME | COLUMN_LABEL, 0, "peer", 0 },
	{ "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state", 0 },
	{ "since_s", "SINCE", LEAF_SECONDS, 0, 0, "since_s", 0 },
	{ "enabled", "ENABLED", LEAF_BOOL, 0, 0, "enabled", 0 },
	{ "address", "ADDRESS", LEAF_TEXT, 0, 0, "address", 0 },
	{ "direction", "DIRECTION", LEAF_TEXT, 0, 0, "direction", 0 },
	{ "security", "SECURITY", LEAF_TEXT, 0, 0, "security", 0 },
	{ "rtt_ms", "RTT", LEAF_MS, 0, 0, "rtt_ms", 0 },
	{ "clock_ms", "CLOCK", LEAF_MS, 0, 0, "clock_ms", 0 },
	{ "lag_ms", "LAG", LEAF_MS, 0, 0, "lag_ms", 0 },
	{ "owed", "OWED", LEAF_INTEGER, 0, 0, "owed", 0 },
	{ "sent", "SENT", LEAF_INTEGER, COLUMN_COUNTER, 0, "sent", 0 },
	{ "received", "RECEIVED", LEAF_INTEGER, COLUMN_COUNTER, 0, "received",
	    0 },
	{ "stale", "STALE", LEAF_INTEGER, COLUMN_COUNTER, 0, "stale", 0 },
	{ "repaired", "REPAIRED", LEAF_INTEGER, COLUMN_COUNTER, 0, "repaired",
	    0 },
	{ "restored", "RESTORED", LEAF_INTEGER, COLUMN_COUNTER, 0, "restored",
	    0 },
	{ "exchanges", "EXCHANGES", LEAF_INTEGER, COLUMN_COUNTER, 0,
	    "exchanges", 0 },
	{ "connects", "CONNECTS", LEAF_INTEGER, COLUMN_COUNTER, 0, "connects",
	    0 },
	{ "sent_bytes", "SENT BYTES", LEAF_BYTES, COLUMN_COUNTER, 0,
	    "sent_bytes", 0 },
	{ "received_bytes", "RECEIVED BYTES", LEAF_BYTES, COLUMN_COUNTER, 0,
	    "received_bytes", 0 },
	{ "verified_s", "VERIFIED", LEAF_SECONDS, 0, 0, "verified_s", 0 },
	{ "last_error", "LAST ERROR", LEAF_TEXT, 0, 0, "last_error", 0 },
	{ "last_error_s", "LAST ERROR AGE", LEAF_SECONDS, 0, 0, "last_error_s",
	    0 },
	{ "retry_in_s", "RETRY IN", LEAF_SECONDS, 0, 0, "retry_in_s", 0 },
	{ "file_line", "FILE LINE", LEAF_INTEGER, 0, 0, "file_line", 0 },
	{ "history", "HISTORY", LEAF_JSON, 0, 0, NULL, 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

const struct view peer_record = { "herd.peers/1", "peers", VIEW_RECORD,
	record_columns, HERD_ARRAY_LEN(record_columns) };

/* "22:57:20 backoff: Connection refused, 12 times until 22:58:17" */
static void
put_change(struct buf *out, const cJSON *change)
{
	const char *at = json_text(change, "at");
	const char *last = json_text(change, "last");
	const char *state = json_text(change, "state");
	const char *error = json_text(change, "error");
	double times = json_number(change, "times", 1);

	if (at == NULL || state == NULL)
		return;
	if (out->len > 0)
		put_byte(out, '\n');
	put_clock(out, span_from(at));
	put_byte(out, ' ');
	put_clean(out, span_from(state));
	if (error != NULL) {
		put_text(out, ": ");
		put_clean(out, span_from(error));
	}
	if (times > 1 && last != NULL) {
		putf(out, ", %.0f times until ", times);
		put_clock(out, span_from(last));
	}
}

static void
derive_history(struct out *out, const struct answer *answer HERD_UNUSED,
    const cJSON *object)
{
	const cJSON *history = json_at(object, "history");
	const cJSON *change;
	struct buf shown;

	if (!cJSON_IsArray(history))
		return;
	buf_init(&shown, XBUF_MAX);
	cJSON_ArrayForEach(change, history) put_change(&shown, change);
	json_set(out, view_find(out->view, span_from("history")), history,
	    buf_span(&shown));
	buf_release(&shown);
}

/* What the table derives: the share of stale reports, the error in words. */
static void
derive(struct out *out, const struct answer *answer HERD_UNUSED,
    const cJSON *object)
{
	double received = json_number(object, "received", 0);
	double retry = json_number(object, "retry_in_s", -1);
	const char *error = json_text(object, "last_error");
	const char *state = json_text(object, "state");
	struct buf text;

	if (received > 0)
		out_real(out, PEER_STALE,
		    100 * json_number(object, "stale", 0) / received);
	/* An old error of a link that works is history: `peer show` has it. */
	if (error == NULL || (state != NULL && strcmp(state, "synced") == 0))
		return;
	buf_init(&text, XBUF_MAX);
	put_text(&text, error);
	if (retry >= 0) {
		put_text(&text, ", retry in ");
		put_duration(&text, retry);
	}
	out_text(out, PEER_ERROR, buf_span(&text));
	buf_release(&text);
}

static void
add_footer(struct run *run)
{
	struct buf text;

	buf_init(&text, XBUF_MAX);
	node_count_states(&run->out, PEER_STATE, "link", &text);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

enum status
peer_run_ls(struct run *run)
{
	struct answers answers;
	enum status status = json_command(
	    run, &peer_view, "/v1/peers", "peers", derive, &answers);

	if (status == STATUS_OK) {
		add_footer(run);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

static char *
peer_path(const char *name, const char *verb)
{
	struct buf path;

	buf_init(&path, XBUF_MAX);
	put_text(&path, "/v1/peers/");
	must(text_to_percent(&path, span_from(name)));
	put_text(&path, verb);
	return text_take(&path);
}

/* Which links there are instead of the one that is not. */
static enum status
finish(struct run *run, struct answers *answers)
{
	enum status status = json_finish(run, answers);

	if (status == STATUS_NEGATIVE)
		run_hint(run, "`peer ls` has the links of %s", run_where(run));
	return status;
}

enum status
peer_run_show(struct run *run)
{
	struct answers answers;
	char *path = peer_path(run_word(run, 0), "");
	enum status status = json_command(
	    run, &peer_record, path, NULL, derive_history, &answers);

	free(path);
	if (status == STATUS_OK)
		return finish(run, &answers);
	answers_release(&answers);
	return status;
}

/* Does the link come back only when the other side wants to? */
static bool
waits_for_peer(const struct answers *answers)
{
	const cJSON *link = answers->count == 1 ? answers->items[0].json : NULL;
	const char *direction = json_text(link, "direction");
	const char *state = json_text(link, "state");

	return direction != NULL && strcmp(direction, "accept") == 0 &&
	       state != NULL && strcmp(state, "waiting") == 0;
}

static void
hint_who_dials(struct run *run)
{
	words_quote(&run->message, run_word(run, 0));
	run_hint(run,
	    "%s dials this link; `peer reconnect %s -n %s` makes it dial now",
	    text_of(&run->message), run->targets[0]->name,
	    text_of(&run->message));
	buf_clear(&run->message);
}

static enum status
change(struct run *run, const char *verb)
{
	struct answers answers = { 0 };
	char *path = peer_path(run_word(run, 0), verb);
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &peer_view);
	if (status == STATUS_OK)
		status = ask_all(run, "POST", path, NULL, &answers);
	free(path);
	if (status == STATUS_OK) {
		bool waits = waits_for_peer(&answers);

		json_rows(run, &answers, NULL, derive);
		status = finish(run, &answers);
		if (status == STATUS_OK && waits)
			hint_who_dials(run);
		return status;
	}
	answers_release(&answers);
	return status;
}

enum status
peer_run_enable(struct run *run)
{
	return change(run, "/enable");
}

enum status
peer_run_reconnect(struct run *run)
{
	return change(run, "/reconnect");
}

enum status
peer_run_disable(struct run *run)
{
	enum status status = run_targets(run);

	if (status == STATUS_OK) {
		struct buf peer;

		buf_init(&peer, XBUF_MAX);
		put_clean(&peer, span_from(run_word(run, 0)));
		status = run_confirm(run, "Disable the link to %s on %s (%s)?",
		    text_of(&peer), run_where(run), node_herd_name(run));
		buf_release(&peer);
	}
	return status == STATUS_OK ? change(run, "/disable") : status;
}
