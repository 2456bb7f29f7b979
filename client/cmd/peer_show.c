/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/peer_rows.h"

/* As `peer ls' has them, but for people: every value, one to a line. */
/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE),
	COLUMN("peer", "PEER", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("since_s", "SINCE", VALUE_SECONDS),
	COLUMN("enabled", "ENABLED", VALUE_BOOL),
	COLUMN("flood", "FLOOD", VALUE_TEXT),
	COLUMN("address", "ADDRESS", VALUE_TEXT),
	COLUMN("direction", "DIRECTION", VALUE_TEXT),
	COLUMN("security", "SECURITY", VALUE_TEXT),
	COLUMN("key", "KEY", VALUE_TEXT),
	COLUMN("rtt_ms", "RTT", VALUE_MS),
	COLUMN("clock_ms", "CLOCK", VALUE_MS),
	COLUMN("lag_ms", "LAG", VALUE_MS),
	COLUMN("owed", "OWED", VALUE_INTEGER),
	COLUMN("sent", "SENT", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("received", "RECEIVED", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("stale", "STALE", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("repaired", "REPAIRED", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("restored", "RESTORED", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("caught_up", "CAUGHT UP", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("exchanges", "EXCHANGES", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("connects", "CONNECTS", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("sent_bytes", "SENT BYTES", VALUE_BYTES, .traits = COLUMN_COUNTER),
	COLUMN("received_bytes", "RECEIVED BYTES", VALUE_BYTES, .traits = COLUMN_COUNTER),
	COLUMN("verified_s", "VERIFIED", VALUE_SECONDS),
	COLUMN("last_error", "LAST ERROR", VALUE_TEXT),
	COLUMN("last_error_s", "LAST ERROR AGE", VALUE_SECONDS),
	COLUMN("retry_in_s", "RETRY IN", VALUE_SECONDS),
	COLUMN("file_line", "FILE LINE", VALUE_INTEGER),
	COLUMN("history", "HISTORY", VALUE_JSON, .traits = COLUMN_COMPUTED),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view peer_view = VIEW(
    columns, .schema = "herd.peers/1", .list = "peers", .shape = VIEW_RECORD);

/* "22:57:20 backoff: Connection refused, 12 times until 22:58:17" */
static void
put_change(struct buf *out, const cJSON *change)
{
	const char *at = fields_text(change, "at");
	const char *last = fields_text(change, "last");
	const char *state = fields_text(change, "state");
	const char *error = fields_text(change, "error");
	double times = fields_number(change, "times", 1);

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
	const cJSON *history = fields_at(object, "history");
	const cJSON *change;
	struct buf shown = XBUF;

	if (!cJSON_IsArray(history))
		return;
	cJSON_ArrayForEach(change, history)
		put_change(&shown, change);
	fields_set(
	    out, fields_column(out, "history"), history, buf_span(&shown));
	buf_release(&shown);
}

static void
say_hint(struct run *run, const struct answers *answers)
{
	answers_each(a, answers) {
		if (!peer_rows_is_disabled(a->json))
			continue;
		peer_rows_hint_enable(run, a->target, a->json);
		return;
	}
}

static enum status
peer_show_run(struct run *run)
{
	char *path = ask_path("/v1/peers/", span_from(run_word(run, 0)), "");
	struct answers answers;
	enum status status =
	    fields_ask(run, &(struct fields_request){ .path = path }, &answers);

	free(path);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, NULL, derive_history);
	status = fields_report(run, &answers);
	peer_rows_hint(run, status);
	say_hint(run, &answers);
	answers_release(&answers);
	return status;
}

const struct command cmd_peer_show = {
	.path = "peer show",
	.summary = "show a node's link to a peer",
	.help =
	    "HISTORY has the last 16 changes of the link's state, the oldest "
	    "first. Attempts to dial are left out. A failure that repeats for the "
	    "same reason is one change, with its count and its last time.",
	.group = GROUP_LINKS,
	.args = ARGS(ARG("PEER", .complete = COMPLETE_PEER)),
	.view = &peer_view,
	.traits = COMMAND_READ,
	.run = peer_show_run,
	.example = "peer show Jaquez -n Riley",
};
