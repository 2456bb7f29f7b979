/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("applied", "APPLIED", VALUE_JSON),
	COLUMN("restart", "NEEDS A RESTART", VALUE_JSON),
	COLUMN("rejected", "REJECTED", VALUE_JSON),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view config_reload_view =
    VIEW(columns, .schema = "herd.reload/1", .list = "nodes");

/* The answer to a refused file has its errors. */
static void
say_diagnostics(struct run *run, const struct answer *a)
{
	struct span body = buf_span(&a->body);
	cJSON *json = cJSON_ParseWithLength(body.data, body.len);
	const cJSON *list = fields_at(json, "error.diagnostics");
	const cJSON *item;

	if (list == NULL)
		list = fields_at(json, "diagnostics");
	cJSON_ArrayForEach(item, list) {
		const char *text = fields_text(item, "text");

		if (text == NULL)
			continue;
		run_fail(run, STATUS_REFUSED, "%s: its herd file:%.0f:%.0f: %s",
		    a->target->name, fields_number(item, "line", 0),
		    fields_number(item, "column", 0), text);
	}
	cJSON_Delete(json);
}

static enum status
config_reload_run(struct run *run)
{
	struct answers answers;
	enum status status = fields_ask(run,
	    &(struct fields_request){
		.method = "POST", .path = "/v1/config/reload" },
	    &answers);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < answers.count; i++)
		say_diagnostics(run, &answers.items[i]);
	fields_rows(run, &answers, NULL, NULL);
	return fields_finish(run, &answers);
}

const struct command cmd_config_reload = {
	.path = "config reload",
	.summary = "let a node read its herd file again",
	.help =
	    "The file is applied as a whole or not at all. Settings that need a "
	    "restart are listed.",
	.group = GROUP_CONFIG,
	.view = &config_reload_view,
	.traits = COMMAND_WRITE,
	.run = config_reload_run,
	.example = "config reload -n all",
};
