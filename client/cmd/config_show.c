/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/prefs_rows.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL),
	COLUMN("name", "SETTING", VALUE_TEXT, .traits = COLUMN_NAME | COLUMN_LABEL),
	COLUMN("value", "VALUE", VALUE_TEXT, .traits = COLUMN_SHRINK),
	COLUMN("default", "DEFAULT", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 2),
	COLUMN("origin", "ORIGIN", VALUE_TEXT),
	COLUMN("reloadable", "RELOADABLE", VALUE_BOOL, .drop = 3),
	COLUMN("help", "MEANING", VALUE_TEXT, .traits = COLUMN_WIDE),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view config_show_view =
    VIEW(columns, .schema = "herd.config/1", .list = "settings");

static enum status
config_show_run(struct run *run)
{
	if (run_flag(run, "origin") != NULL)
		return prefs_rows_run(run);
	return fields_run_command(run);
}

const struct command cmd_config_show = {
	.path = "config show",
	.summary = "show a node's settings",
	.group = GROUP_CONFIG,
	.flags = FLAGS(FLAG("origin",
	    .help = "herdctl's own settings, and where each comes from")),
	.view = &config_show_view,
	.traits = COMMAND_READ,
	.run = config_show_run,
	.request = REQUEST(.path = "/v1/config", .list = "settings"),
	.example = "config show --origin",
};
