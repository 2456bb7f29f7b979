/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/peer_rows.h"

#include "base/xbuf.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE),
	COLUMN("peer", "PEER", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL | COLUMN_SHRINK),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("since_s", "SINCE", VALUE_SECONDS, .drop = 2),
	COLUMN("rtt_ms", "RTT", VALUE_MS, .drop = 3),
	COLUMN("sent", "SENT", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_LEFT, .drop = 5),
	COLUMN("received", "RECEIVED", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_LEFT,
	    .drop = 5),
	COLUMN("stale_percent", "STALE", VALUE_PERCENT, .traits = COLUMN_COMPUTED | COLUMN_LEFT,
	    .drop = 6),
	COLUMN("owed", "OWED", VALUE_INTEGER, .traits = COLUMN_LEFT, .drop = 3),
	COLUMN("lag_ms", "LAG", VALUE_MS, .drop = 4),
	COLUMN("error", "LAST ERROR", VALUE_TEXT, .traits = COLUMN_ERROR | COLUMN_SHRINK),
	COLUMN("stale", "STALE COUNT", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("direction", "DIRECTION", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("security", "SECURITY", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("key", "KEY", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("enabled", "ENABLED", VALUE_BOOL, .traits = COLUMN_WIDE),
	COLUMN("flood", "FLOOD", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("clock_ms", "CLOCK", VALUE_MS, .traits = COLUMN_WIDE),
	COLUMN("repaired", "REPAIRED", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("restored", "RESTORED", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("caught_up", "CAUGHT UP", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("exchanges", "EXCHANGES", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("connects", "CONNECTS", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("sent_bytes", "SENT BYTES", VALUE_BYTES, .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("received_bytes", "RECEIVED BYTES", VALUE_BYTES,
	    .traits = COLUMN_WIDE | COLUMN_COUNTER),
	COLUMN("last_error", "LAST ERROR TEXT", VALUE_TEXT, .traits = COLUMN_MACHINE),
	COLUMN("last_error_s", "LAST ERROR AGE", VALUE_SECONDS, .traits = COLUMN_WIDE),
	COLUMN("retry_in_s", "RETRY IN", VALUE_SECONDS, .traits = COLUMN_WIDE),
	COLUMN("verified_s", "VERIFIED", VALUE_SECONDS, .traits = COLUMN_WIDE),
	COLUMN("file_line", "FILE LINE", VALUE_INTEGER, .traits = COLUMN_WIDE),
};
/* clang-format on */

const struct view peer_rows_view =
    VIEW(columns, .schema = "herd.peers/1", .list = "peers");

void
peer_rows_derive(struct out *out, const struct answer *answer HERD_UNUSED,
    const struct cJSON *object)
{
	double received = fields_number(object, "received", 0);
	double retry = fields_number(object, "retry_in_s", -1);
	const char *error = fields_text(object, "last_error");
	struct buf text = XBUF;

	if (received > 0)
		out_real(out, fields_column(out, "stale_percent"),
		    100 * fields_number(object, "stale", 0) / received);
	/* An old error of a link that works is history: `peer show` has it. */
	if (error == NULL || fields_says(object, "state", "synced"))
		return;
	put_text(&text, error);
	if (retry >= 0) {
		put_text(&text, ", retry in ");
		put_duration(&text, retry);
	}
	out_text(out, fields_column(out, "error"), buf_span(&text));
	buf_release(&text);
}

bool
peer_rows_is_disabled(const struct cJSON *link)
{
	return fields_says(link, "state", "disabled");
}

void
peer_rows_hint_enable(
    struct run *run, const struct target *target, const struct cJSON *link)
{
	const char *peer = fields_text(link, "peer");
	struct buf command = XBUF;

	put_text(&command, "peer enable ");
	args_quote(&command, peer == NULL ? "" : peer);
	if (run->all_nodes) {
		put_text(&command, " -n ");
		args_quote(&command, target->name);
	}
	run_hint(run, "`%s` uses the link again", text_of(&command));
	buf_release(&command);
}

void
peer_rows_hint(struct run *run, enum status status)
{
	if (status == STATUS_NEGATIVE)
		run_hint(run, "`peer ls` has the links of %s", run_where(run));
}
