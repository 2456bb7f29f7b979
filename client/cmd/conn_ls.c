/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column conn_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL),
	COLUMN("address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE, .drop = 4),
	COLUMN("age_s", "AGE", VALUE_SECONDS),
	COLUMN("idle_s", "IDLE", VALUE_SECONDS, .drop = 3),
	COLUMN("requests", "REQUESTS", VALUE_INTEGER, .traits = COLUMN_COUNTER),
	COLUMN("invalid", "INVALID", VALUE_INTEGER, .traits = COLUMN_COUNTER, .drop = 2),
	COLUMN("unsent_bytes", "UNSENT", VALUE_BYTES, .drop = 1),
	COLUMN("worker", "WORKER", VALUE_INTEGER, .traits = COLUMN_WIDE | COLUMN_NUMERAL),
	COLUMN("kind", "KIND", VALUE_TEXT, .drop = 5),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view conn_view =
    VIEW(conn_columns, .schema = "herd.connections/1", .list = "connections");

const struct command cmd_conn_ls = {
	.path = "conn ls",
	.summary = "list the connections of clients and of operators",
	.help =
	    "IDLE is the time since the last request, UNSENT the replies "
	    "that the client has not taken. STATE: `idle'; `handshake' of "
	    "TLS; `reading' a request; `waiting' for places; `held' until the store has "
	    "committed; `throttled' by request_rate; `stalled' with unsent "
	    "replies; `lingering' before it is closed. KIND is `client', or `admin' "
	    "for a request to the admin API that is under way: `serving' it, or "
	    "`stalled'; who asks is its ADDRESS.",
	.group = GROUP_LINKS,
	.view = &conn_view,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/connections", .list = "connections",
	    .counts = "connection"),
	.example = "conn ls --where 'unsent > 0' --sort age:desc",
};
