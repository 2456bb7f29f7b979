/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/peer_rows.h"

#include "base/xbuf.h"

/* clang-format off */
#define PEER_COLUMNS(X) \
	X(PEER_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE) \
	X(PEER_NAME, "peer", "PEER", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_LABEL | COLUMN_SHRINK, .path = "peer") \
	X(PEER_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE, .path = "state") \
	X(PEER_SINCE, "since_s", "SINCE", VALUE_SECONDS, .drop = 2, .path = "since_s") \
	X(PEER_RTT, "rtt_ms", "RTT", VALUE_MS, .drop = 3, .path = "rtt_ms") \
	X(PEER_SENT, "sent", "SENT", VALUE_INTEGER, .traits = COLUMN_COUNTER | COLUMN_LEFT, \
	    .drop = 5, .path = "sent") \
	X(PEER_RECEIVED, "received", "RECEIVED", VALUE_INTEGER, \
	    .traits = COLUMN_COUNTER | COLUMN_LEFT, .drop = 5, .path = "received") \
	X(PEER_STALE, "stale_percent", "STALE", VALUE_PERCENT, .traits = COLUMN_LEFT, .drop = 6) \
	X(PEER_OWED, "owed", "OWED", VALUE_INTEGER, .traits = COLUMN_LEFT, .drop = 3, \
	    .path = "owed") \
	X(PEER_LAG, "lag_ms", "LAG", VALUE_MS, .drop = 4, .path = "lag_ms") \
	X(PEER_ERROR, "error", "LAST ERROR", VALUE_TEXT, .traits = COLUMN_ERROR | COLUMN_SHRINK) \
	X(PEER_STALE_COUNT, "stale", "STALE COUNT", VALUE_INTEGER, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "stale") \
	X(PEER_ADDRESS, "address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_WIDE, .path = "address") \
	X(PEER_DIRECTION, "direction", "DIRECTION", VALUE_TEXT, .traits = COLUMN_WIDE, \
	    .path = "direction") \
	X(PEER_SECURITY, "security", "SECURITY", VALUE_TEXT, .traits = COLUMN_WIDE, \
	    .path = "security") \
	X(PEER_ENABLED, "enabled", "ENABLED", VALUE_BOOL, .traits = COLUMN_WIDE, .path = "enabled") \
	X(PEER_CLOCK, "clock_ms", "CLOCK", VALUE_MS, .traits = COLUMN_WIDE, .path = "clock_ms") \
	X(PEER_REPAIRED, "repaired", "REPAIRED", VALUE_INTEGER, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "repaired") \
	X(PEER_RESTORED, "restored", "RESTORED", VALUE_INTEGER, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "restored") \
	X(PEER_EXCHANGES, "exchanges", "EXCHANGES", VALUE_INTEGER, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "exchanges") \
	X(PEER_CONNECTS, "connects", "CONNECTS", VALUE_INTEGER, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "connects") \
	X(PEER_SENT_BYTES, "sent_bytes", "SENT BYTES", VALUE_BYTES, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "sent_bytes") \
	X(PEER_RECEIVED_BYTES, "received_bytes", "RECEIVED BYTES", VALUE_BYTES, \
	    .traits = COLUMN_WIDE | COLUMN_COUNTER, .path = "received_bytes") \
	X(PEER_LAST_ERROR, "last_error", "LAST ERROR TEXT", VALUE_TEXT, .traits = COLUMN_MACHINE, \
	    .path = "last_error") \
	X(PEER_LAST_ERROR_AGE, "last_error_s", "LAST ERROR AGE", VALUE_SECONDS, \
	    .traits = COLUMN_WIDE, .path = "last_error_s") \
	X(PEER_RETRY, "retry_in_s", "RETRY IN", VALUE_SECONDS, .traits = COLUMN_WIDE, \
	    .path = "retry_in_s") \
	X(PEER_VERIFIED, "verified_s", "VERIFIED", VALUE_SECONDS, .traits = COLUMN_WIDE, \
	    .path = "verified_s") \
	X(PEER_LINE, "file_line", "FILE LINE", VALUE_INTEGER, .traits = COLUMN_WIDE, \
	    .path = "file_line")
/* clang-format on */

enum { PEER_COLUMNS(COLUMN_ENUM) };

static const struct column columns[] = { PEER_COLUMNS(COLUMN_ROW) };

const struct view peer_rows_view =
    VIEW(columns, .schema = "herd.peers/1", .list = "peers");

void
peer_rows_derive(struct out *out, const struct answer *answer HERD_UNUSED,
    const struct cJSON *object)
{
	double received = fields_number(object, "received", 0);
	double retry = fields_number(object, "retry_in_s", -1);
	const char *error = fields_text(object, "last_error");
	struct buf text;

	if (received > 0)
		out_real(out, PEER_STALE,
		    100 * fields_number(object, "stale", 0) / received);
	/* An old error of a link that works is history: `peer show` has it. */
	if (error == NULL || fields_says(object, "state", "synced"))
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

void
peer_rows_hint(struct run *run, enum status status)
{
	if (status == STATUS_NEGATIVE)
		run_hint(run, "`peer ls` has the links of %s", run_where(run));
}
