/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration and log: config show, check, reload; diff is in
 * config_diff.c, log in log.c.
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config_family.h"
#include "run/fields.h"
#include "cmd/tool.h"
#include "base/xbuf.h"

/* --- show -------------------------------------------------------------------
 */

static const struct column show_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_LABEL, 0, NULL, 0 },
	{ "name", "SETTING", LEAF_TEXT, COLUMN_NAME | COLUMN_LABEL, 0, "name",
	    0 },
	{ "value", "VALUE", LEAF_TEXT, COLUMN_SHRINK, 0, "value", 0 },
	{ "default", "DEFAULT", LEAF_TEXT, COLUMN_SHRINK, 2, "default", 0 },
	{ "origin", "ORIGIN", LEAF_TEXT, 0, 1, "origin", 0 },
	{ "reloadable", "RELOADABLE", LEAF_BOOL, 0, 3, "reloadable", 0 },
	{ "help", "MEANING", LEAF_TEXT, COLUMN_WIDE, 0, "help", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view show_view = { "herd.config/1", "settings", VIEW_LIST,
	show_columns, HERD_ARRAY_LEN(show_columns) };

static enum status
run_show(struct run *run)
{
	struct answers answers;
	enum status status;

	if (run_flag(run, "origin") != NULL)
		return tool_show_settings(run);
	status = json_command(
	    run, &show_view, "/v1/config", "settings", NULL, &answers);
	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}

/* --- check ------------------------------------------------------------------
 */

enum {
	CHECK_FILE,
	CHECK_LINE,
	CHECK_COLUMN,
	CHECK_SEVERITY,
	CHECK_TEXT,
	CHECK_COLUMNS
};

static const struct column check_columns[CHECK_COLUMNS] = {
	[CHECK_FILE] = { "file", "FILE", LEAF_TEXT, COLUMN_NAME, 0, NULL, 0 },
	[CHECK_LINE] = { "line", "LINE", LEAF_INTEGER, 0, 0, "line", 0 },
	[CHECK_COLUMN] = { "column", "COLUMN", LEAF_INTEGER, 0, 0, "column",
	    0 },
	[CHECK_SEVERITY] = { "severity", "SEVERITY", LEAF_TEXT, 0, 0, NULL, 0 },
	[CHECK_TEXT] = { "text", "TEXT", LEAF_TEXT, 0, 0, "text", 0 },
};

static const struct view check_view = { "herd.config-check/1", "diagnostics",
	VIEW_LIST, check_columns, CHECK_COLUMNS };

static void
add_diagnostics(
    struct run *run, const char *path, const struct diagnostics *diagnostics)
{
	struct out *out = &run->out;

	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *d = &diagnostics->items[i];

		out_word(out, CHECK_FILE, path);
		if (d->line > 0) {
			out_integer(out, CHECK_LINE, d->line);
			out_integer(out, CHECK_COLUMN, d->column);
		}
		out_word(out, CHECK_SEVERITY,
		    d->severity == DIAGNOSTIC_WARNING ? "warning" : "error");
		out_word(out, CHECK_TEXT, d->text);
		out_row(out);
	}
}

/* Every finding is a row; people get them as compilers say theirs. */
static enum status
check_text(struct run *run, const char *path, struct span text)
{
	struct diagnostics diagnostics;
	struct herdfile file;
	enum herd_error error;

	diagnostics_init(&diagnostics);
	error = herdfile_parse(text, &file, &diagnostics);
	if (error == HERD_ENOMEM)
		out_of_memory();
	add_diagnostics(run, path, &diagnostics);
	out_member_bool(&run->out, "valid", error == HERD_OK);
	if (error == HERD_OK) {
		out_footer(&run->out,
		    "%s is valid: herd %s, %zu nodes, %zu links", path,
		    file.herd, file.node_count, file.link_count);
		herdfile_release(&file);
	}
	diagnostics_release(&diagnostics);
	return error == HERD_OK ? STATUS_OK : STATUS_LOCAL;
}

static enum status
run_check(struct run *run)
{
	const char *path = run_word(run, 0);
	struct buf text;
	enum status status;

	buf_init(&text, HERDFILE_BYTES_MAX);
	status = config_read_text(run, path, &text);
	if (status == STATUS_OK)
		status = run_begin(run, &check_view);
	if (status == STATUS_OK) {
		status = check_text(run, path, buf_span(&text));
		out_end(&run->out);
		if (status != STATUS_OK)
			run_fail(
			    run, status, "%s is not a valid herd file", path);
	}
	buf_release(&text);
	return status;
}

/* --- reload -----------------------------------------------------------------
 */

enum {
	RELOAD_NODE,
	RELOAD_APPLIED,
	RELOAD_RESTART,
	RELOAD_REJECTED,
	RELOAD_ERROR,
	RELOAD_COLUMNS
};

static const struct column reload_columns[RELOAD_COLUMNS] = {
	[RELOAD_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME, 0, NULL, 0 },
	[RELOAD_APPLIED] = { "applied", "APPLIED", LEAF_JSON, 0, 0, "applied",
	    0 },
	[RELOAD_RESTART] = { "restart", "NEEDS A RESTART", LEAF_JSON, 0, 0,
	    "restart", 0 },
	[RELOAD_REJECTED] = { "rejected", "REJECTED", LEAF_JSON, 0, 0,
	    "rejected", 0 },
	[RELOAD_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view reload_view = { "herd.reload/1", "nodes", VIEW_LIST,
	reload_columns, RELOAD_COLUMNS };

/* A refused file comes back with where it is wrong. */
static void
say_diagnostics(struct run *run, const struct answer *a)
{
	struct span body = buf_span(&a->body);
	cJSON *json = cJSON_ParseWithLength(body.data, body.len);
	const cJSON *list = json_at(json, "error.diagnostics");
	const cJSON *item;

	if (list == NULL)
		list = json_at(json, "diagnostics");
	cJSON_ArrayForEach(item, list)
	{
		const char *text = json_text(item, "text");

		if (text == NULL)
			continue;
		put_clean(&run->message, span_from(a->target->name));
		putf(&run->message,
		    ": its herd file:%.0f:%.0f: ", json_number(item, "line", 0),
		    json_number(item, "column", 0));
		put_clean(&run->message, span_from(text));
		run_fail_message(run, STATUS_REFUSED);
	}
	cJSON_Delete(json);
}

static enum status
run_reload(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &reload_view);
	if (status == STATUS_OK)
		status =
		    ask_all(run, "POST", "/v1/config/reload", NULL, &answers);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < answers.count; i++)
			say_diagnostics(run, &answers.items[i]);
		json_rows(run, &answers, NULL, NULL);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

/* --- the table -------------------------------------------------------------
 */

static const struct flag show_flags[] = {
	{ "origin", 0, NULL, false, COMPLETE_NONE, NULL,
	    "herdctl's own settings, and where each comes from" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

static const struct argument file_arguments[] = {
	{ "FILE", COMPLETE_FILE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument level_arguments[] = {
	{ "LEVEL", COMPLETE_WORDS, true, false, "debug info warn error", true },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct flag level_flags[] = {
	{ "for", 0, "DURATION", false, COMPLETE_NONE, NULL,
	    "go back to the present level after this" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

static const struct flag tail_flags[] = {
	{ "lines", 'n', "N", false, COMPLETE_NONE, NULL, "so many lines (20)" },
	{ "follow", 'f', NULL, false, COMPLETE_NONE, NULL,
	    "and what is logged from now on" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

const struct command client_config_commands[] = {
	{ "config show", "show a node's settings", NULL, NULL, show_flags,
	    &show_view, COMMAND_READ, run_show, "config show --origin",
	    GROUP_CONFIG },
	{ "config check", "check a herd file",
	    "All errors are shown, each with line and column; nothing is "
	    "asked of any node.",
	    file_arguments, NULL, &check_view, COMMAND_READ, run_check,
	    "config check herd.yaml", GROUP_CONFIG },
	{ "config diff", "compare what nodes run with the herd file",
	    "The exit status is 1 when they differ.", NULL, NULL,
	    &config_diff_view, COMMAND_HERD | COMMAND_READ, config_diff_run,
	    "config diff -n all", GROUP_CONFIG },
	{ "config reload", "let a node read its herd file again",
	    "It is taken whole or not at all; what needs a restart is listed.",
	    NULL, NULL, &reload_view, COMMAND_WRITE, run_reload,
	    "config reload -n all", GROUP_CONFIG },
	{ "log level", "show or set a node's log level", NULL, level_arguments,
	    level_flags, &log_level_view, COMMAND_BY_LINE, log_run_level,
	    "log level debug --for 10m", GROUP_CONFIG },
	{ "log tail", "print the end of a node's log",
	    "Behind `log tail' -n is the number of lines and -f follows; "
	    "which node is said before it, or with --node.",
	    NULL, tail_flags, &log_view, COMMAND_STREAM | COMMAND_HARMLESS,
	    log_run_tail, "-n Riley log tail -n 50", GROUP_CONFIG },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
