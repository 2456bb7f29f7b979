/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/node_state.h"

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
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
