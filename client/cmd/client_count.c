/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column count_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("count", "CLIENTS", VALUE_INTEGER),
	COLUMN("removals", "REMOVALS", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view count_view =
    VIEW(count_columns, .schema = "herd.client-count/1", .list = "nodes");

const struct command cmd_client_count = {
	.path = "client count",
	.summary = "count the clients that nodes know",
	.group = GROUP_TABLE,
	.view = &count_view,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/clients?count"),
	.example = "client count -n all",
};
