/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_rows.h"

#include "herd/time.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("version", "VERSION", VALUE_TEXT, .drop = 3),
	COLUMN("uptime_s", "UP", VALUE_SECONDS, .drop = 2),
	COLUMN("connections", "CONNECTIONS", VALUE_INTEGER, .drop = 2),
	COLUMN("clock_ms", "CLOCK", VALUE_MS, .traits = COLUMN_COMPUTED, .drop = 5),
	COLUMN("clients_address", "CLIENTS", VALUE_TEXT, .drop = 1, .path = "addresses.clients"),
	COLUMN("peers_address", "PEERS", VALUE_TEXT, .traits = COLUMN_WIDE,
	    .path = "addresses.peers"),
	COLUMN("admin_address", "ADMIN", VALUE_TEXT, .traits = COLUMN_WIDE,
	    .path = "addresses.admin"),
	COLUMN("workers", "WORKERS", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("rss_bytes", "MEMORY", VALUE_BYTES, .drop = 4),
	COLUMN("table_bytes", "TABLE", VALUE_BYTES, .traits = COLUMN_WIDE),
	COLUMN("pid", "PID", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_NUMERAL),
	COLUMN("herd", "HERD", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

const struct view node_rows_view =
    VIEW(columns, .schema = "herd.nodes/1", .list = "nodes");

const struct view node_rows_record = VIEW(
    columns, .schema = "herd.nodes/1", .list = "nodes", .shape = VIEW_RECORD);

void
node_rows_set_clock(
    struct out *out, const struct answer *answer, const struct cJSON *object)
{
	const char *text = fields_text(object, "time");
	uint64_t ns;

	if (text != NULL && time_parse(span_from(text), &ns) == HERD_OK)
		out_real(out, fields_column(out, "clock_ms"),
		    ((double)ns - (double)answer->came.ns) / 1e6 +
			answer->ms / 2);
}
