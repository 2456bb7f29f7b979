/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_state.h"

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE, .path = "state"),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_ERROR | COLUMN_IF_ANY),
};
/* clang-format on */

const struct view node_state_view =
    VIEW(columns, .schema = "herd.node-state/1", .list = "nodes");

enum status
node_state_change(struct run *run, const char *path)
{
	enum status status = run_use_node(run, run_word(run, 0));

	if (status != STATUS_OK)
		return status;
	return fields_run(
	    run, &(struct fields_request){ .method = "POST", .path = path });
}
