/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_state.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("connections", "CONNECTIONS", VALUE_INTEGER, .traits = COLUMN_IF_ANY),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

const struct view node_state_view =
    VIEW(columns, .schema = "herd.node-state/1", .list = "nodes");
