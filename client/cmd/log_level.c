/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "base/xbuf.h"
#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("level", "LEVEL", VALUE_TEXT),
	COLUMN("for_s", "FOR", VALUE_SECONDS, .traits = COLUMN_IF_ANY),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view log_level_view =
    VIEW(columns, .schema = "herd.log-level/1", .list = "nodes");

/* Appends what the server is to set. Says what is wrong with --for. */
static enum status
put_level(struct run *run, const char *level, struct buf *body)
{
	struct json json;
	uint64_t for_ns;
	enum status status = run_duration_flag(run, "for", 0, &for_ns);

	json_begin(&json, body, JSON_COMPACT);
	json_object(&json, NULL);
	json_word(&json, "level", level);
	if (run_flag(run, "for") != NULL)
		json_seconds(&json, "for_s", for_ns);
	json_object_end(&json);
	must(json_end(&json));
	return status;
}

static enum status
log_level_run(struct run *run)
{
	struct fields_request request = { .path = "/v1/log/level" };
	const char *level = run_word(run, 0);
	struct buf body = XBUF;
	enum status status;

	if (level == NULL && run_flag(run, "for") != NULL)
		return run_fail(run, STATUS_USAGE, "--for needs a LEVEL");
	if (level == NULL)
		return fields_run(run, &request);
	status = run_targets(run);
	if (status == STATUS_OK)
		status = run_may_change(run);
	if (status == STATUS_OK)
		status = put_level(run, level, &body);
	if (status == STATUS_OK) {
		request.method = "PUT";
		request.body = text_of(&body);
		status = fields_run(run, &request);
	}
	buf_release(&body);
	return status;
}

const struct command cmd_log_level = {
	.path = "log level",
	.summary = "show or set a node's log level",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("LEVEL", .complete = COMPLETE_WORDS,
	    .words = "debug info warn error", .optional = true, .fixed = true)),
	.flags = FLAGS(FLAG("for", .value = "DURATION",
	    .help = "go back to the present level after this")),
	.view = &log_level_view,
	.traits = COMMAND_BY_LINE,
	.run = log_level_run,
	.example = "log level debug --for 10m",
};
