/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_rows.h"

#include "herd/time.h"

/* clang-format off */
#define NODE_COLUMNS(X) \
	X(NODE_NAME, "node", "NODE", VALUE_TEXT, \
	    .traits = COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME) \
	X(NODE_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE, .path = "state") \
	X(NODE_VERSION, "version", "VERSION", VALUE_TEXT, .drop = 3, .path = "version") \
	X(NODE_UPTIME, "uptime_s", "UP", VALUE_SECONDS, .drop = 2, .path = "uptime_s") \
	X(NODE_CONNECTIONS, "connections", "CONNECTIONS", VALUE_INTEGER, .drop = 2, \
	    .path = "connections") \
	X(NODE_CLOCK, "clock_ms", "CLOCK", VALUE_MS, .drop = 5) \
	X(NODE_CLIENTS, "clients_address", "CLIENTS", VALUE_TEXT, .drop = 1, \
	    .path = "addresses.clients") \
	X(NODE_PEERS, "peers_address", "PEERS", VALUE_TEXT, .traits = COLUMN_WIDE, \
	    .path = "addresses.peers") \
	X(NODE_ADMIN, "admin_address", "ADMIN", VALUE_TEXT, .traits = COLUMN_WIDE, \
	    .path = "addresses.admin") \
	X(NODE_WORKERS, "workers", "WORKERS", VALUE_INTEGER, .traits = COLUMN_WIDE, \
	    .path = "workers") \
	X(NODE_RSS, "rss_bytes", "MEMORY", VALUE_BYTES, .drop = 4, .path = "rss_bytes") \
	X(NODE_TABLE, "table_bytes", "TABLE", VALUE_BYTES, .traits = COLUMN_WIDE, \
	    .path = "table_bytes") \
	X(NODE_PID, "pid", "PID", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_NUMERAL, \
	    .path = "pid") \
	X(NODE_HERD, "herd", "HERD", VALUE_TEXT, .traits = COLUMN_WIDE, .path = "herd") \
	X(NODE_ERROR, "error", "ERROR", VALUE_TEXT, \
	    .traits = COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK)
/* clang-format on */

enum { NODE_COLUMNS(COLUMN_ENUM) };

static const struct column columns[] = { NODE_COLUMNS(COLUMN_ROW) };

const struct view node_rows_view =
    VIEW(columns, .schema = "herd.nodes/1", .list = "nodes");

const struct view node_rows_record = VIEW(
    columns, .schema = "herd.nodes/1", .list = "nodes", .shape = VIEW_RECORD);

/* How far its clock is from this one; half the round trip is the error. */
static void
set_clock(
    struct out *out, const struct answer *answer, const struct cJSON *object)
{
	const char *text = fields_text(object, "time");
	uint64_t ns;

	if (text != NULL && time_parse(span_from(text), &ns) == HERD_OK)
		out_real(out, NODE_CLOCK,
		    ((double)ns - (double)now_wall().ns) / 1e6 +
			answer->ms / 2);
}

enum status
node_rows_run(struct run *run, const char *counts)
{
	return fields_run(
	    run, &(struct fields_request){
		     .path = "/v1/node", .hook = set_clock, .counts = counts });
}
