/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/fields.h"

/* clang-format off */
static const struct column reload_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("changed", "CHANGED", VALUE_BOOL),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view reload_view =
    VIEW(reload_columns, .schema = "herd.places-reload/1", .list = "nodes");

const struct command cmd_places_reload = {
	.path = "places reload",
	.summary = "let a node read its gazetteer's file again",
	.help = "The old answers go on until the new file is in use, and if it "
		"cannot be used.",
	.group = GROUP_PLACES,
	.view = &reload_view,
	.traits = COMMAND_WRITE,
	.run = fields_run_command,
	.request = REQUEST(.method = "POST", .path = "/v1/places/reload"),
	.example = "places reload -n all",
};
