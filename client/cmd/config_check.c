/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <errno.h>
#include <string.h>

#include "base/xbuf.h"
#include "run/run.h"

/* clang-format off */
#define CHECK_COLUMNS(X) \
	X(CHECK_FILE, "file", "FILE", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(CHECK_LINE, "line", "LINE", VALUE_INTEGER) \
	X(CHECK_COLUMN, "column", "COLUMN", VALUE_INTEGER) \
	X(CHECK_SEVERITY, "severity", "SEVERITY", VALUE_TEXT) \
	X(CHECK_TEXT, "text", "TEXT", VALUE_TEXT)
/* clang-format on */

COLUMN_TABLE(columns, CHECK_COLUMNS);

static const struct view config_check_view =
    VIEW(columns, .schema = "herd.config-check/1", .list = "diagnostics");

/* Reads a herd file's text. Says what fails. */
static enum status
read_text(struct run *run, const char *path, struct buf *text)
{
	enum herd_error error = file_read(path, HERDFILE_BYTES_MAX, text);

	if (error == HERD_OK)
		return STATUS_OK;
	return run_fail(run, STATUS_LOCAL, "cannot read %s: %s", path,
	    error == HERD_ESYSTEM ? strerror(errno) : herd_strerror(error));
}

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

/* Every finding is a row. */
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
config_check_run(struct run *run)
{
	const char *path = run_word(run, 0);
	struct buf text;
	enum status status;

	buf_init(&text, HERDFILE_BYTES_MAX);
	status = read_text(run, path, &text);
	if (status == STATUS_OK)
		status = run_begin(run, &config_check_view);
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

const struct command cmd_config_check = {
	.path = "config check",
	.summary = "check a herd file",
	.help = "All errors are shown, each with line and column; nothing is "
		"asked of any node.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.view = &config_check_view,
	.traits = COMMAND_READ,
	.run = config_check_run,
	.example = "config check herd.yaml",
};
