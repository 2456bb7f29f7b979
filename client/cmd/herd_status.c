/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT | COLUMN_SHRINK),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("peers_synced", "SYNCED", VALUE_INTEGER, .drop = 1, .path = "peers.synced"),
	COLUMN("peers_total", "OF", VALUE_INTEGER, .drop = 1, .path = "peers.total"),
	COLUMN("clients_count", "CLIENTS", VALUE_INTEGER, .drop = 1, .path = "clients.count"),
	COLUMN("reported_per_s", "PER SECOND", VALUE_REAL, .drop = 2,
	    .path = "clients.reported_per_s", .digits = 1),
	COLUMN("newest_s", "NEWEST", VALUE_SECONDS, .drop = 3, .path = "clients.newest_s"),
	COLUMN("uptime_s", "UP", VALUE_SECONDS, .drop = 4),
	COLUMN("store_state", "STORE", VALUE_TEXT, .drop = 5, .path = "store.state"),
	COLUMN("clock_state", "CLOCK", VALUE_TEXT, .traits = COLUMN_IF_ANY, .drop = 5,
	    .path = "clock.state"),
	COLUMN("version", "VERSION", VALUE_TEXT, .drop = 6),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view herd_status_view =
    VIEW(columns, .schema = "herd.herd-status/1", .list = "nodes");

const struct command cmd_herd_status = {
	.path = "herd status",
	.summary = "show all nodes, one to a line",
	.group = GROUP_HERD,
	.view = &herd_status_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/status", .counts = "node"),
	.example = "herd status --watch",
};
