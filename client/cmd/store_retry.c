/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("engine", "ENGINE", VALUE_TEXT),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("lag", "LAG", VALUE_INTEGER),
	COLUMN("retries", "RETRIES", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view retry_view =
    VIEW(columns, .schema = "herd.store-retries/1", .list = "stores");

const struct command cmd_store_retry = {
	.path = "store retry",
	.summary = "have a node seek contact with its shared store",
	.help = "The node reads the file of store.url_file again and connects "
		"again, also after a refusal, which is final otherwise. The "
		"answer is the state before that: `store status' has the "
		"result.",
	.group = GROUP_TABLE,
	.view = &retry_view,
	.traits = COMMAND_WRITE,
	.run = fields_run_command,
	.request = REQUEST(.method = "POST", .path = "/v1/store/retry"),
	.example = "store retry -n all",
};
