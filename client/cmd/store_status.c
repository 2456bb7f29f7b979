/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("engine", "ENGINE", VALUE_TEXT, .drop = 3),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("durability", "DURABILITY", VALUE_TEXT, .drop = 2),
	COLUMN("lag", "LAG", VALUE_INTEGER),
	COLUMN("rows", "ROWS", VALUE_INTEGER),
	COLUMN("bytes", "BYTES", VALUE_BYTES),
	COLUMN("log_bytes", "LOG", VALUE_BYTES, .traits = COLUMN_WIDE),
	COLUMN("last_commit", "LAST COMMIT", VALUE_CLOCK),
	COLUMN("last_commit_ms", "TOOK", VALUE_MS, .traits = COLUMN_WIDE),
	COLUMN("last_backup", "LAST BACKUP", VALUE_CLOCK),
	COLUMN("last_backup_bytes", "BACKUP BYTES", VALUE_BYTES, .traits = COLUMN_WIDE),
	COLUMN("work", "WORK", VALUE_TEXT, .traits = COLUMN_IF_ANY, .path = "work.kind"),
	COLUMN("damaged", "DAMAGED", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("state_s", "FOR", VALUE_SECONDS, .traits = COLUMN_IF_ANY),
	COLUMN("retries", "RETRIES", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("repaired", "REPAIRED", VALUE_INTEGER, .traits = COLUMN_WIDE),
	COLUMN("compared", "COMPARED", VALUE_CLOCK, .traits = COLUMN_WIDE),
	COLUMN("server", "SERVER", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("address", "ADDRESS", VALUE_TEXT, .traits = COLUMN_WIDE | COLUMN_SHRINK),
	COLUMN("path", "PATH", VALUE_TEXT, .traits = COLUMN_SHRINK),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK),
};
/* clang-format on */

static const struct view status_view =
    VIEW(columns, .schema = "herd.stores/1", .list = "stores");

const struct command cmd_store_status = {
	.path = "store status",
	.summary = "show a node's store: file, rows, last backup",
	.help = "LAG is how many reports are not on the disk yet. LAST COMMIT "
		"and LAST BACKUP are of the time since the node's start; a "
		"backup counts when it was sent whole. A store that nodes "
		"share is ok, loading, away (contact is sought), or refused "
		"(until `store retry'), and FOR is how long; its ROWS are the "
		"server's guess.",
	.group = GROUP_TABLE,
	.view = &status_view,
	.traits = COMMAND_READ,
	.run = fields_run_command,
	.request = REQUEST(.path = "/v1/store"),
	.example = "store status -n all",
};
