/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column refused_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL),
	COLUMN("client", "CLIENT", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK),
	COLUMN("reason", "REASON", VALUE_STATE),
	COLUMN("times", "TIMES", VALUE_INTEGER, .drop = 2),
	COLUMN("address", "ADDRESS", VALUE_TEXT, .drop = 1),
	COLUMN("at", "LAST", VALUE_CLOCK, .drop = 3),
	COLUMN("cut", "CUT", VALUE_BOOL, .traits = COLUMN_WIDE),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view refused_view =
    VIEW(refused_columns, .schema = "herd.refused/1", .list = "refused");

const struct command cmd_client_refused = {
	.path = "client refused",
	.summary = "list the clients whose reports were refused",
	.help =
	    "The last 100 of each node, by client and REASON: `ahead' of the "
	    "node's clock beyond max_ahead, `memory' or `clients' when the "
	    "table is at max_memory or max_clients. CUT ids are shown in part.",
	.group = GROUP_TABLE,
	.view = &refused_view,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/refused", .list = "refused"),
	.example = "client refused -n all",
};
