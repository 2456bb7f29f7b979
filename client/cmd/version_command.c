/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "herd/version.h"
#include "run/run.h"

static const struct column columns[] = {
	COLUMN("program", "PROGRAM", VALUE_TEXT, .traits = COLUMN_NAME),
	COLUMN("version", "VERSION", VALUE_TEXT),
};

static const struct view version_view =
    VIEW(columns, .schema = "herd.version/1", .list = "programs");

/* People and scripts know the line `herdctl 1.0.0' of a --version. */
static bool
wants_line(const struct run *run)
{
	return prefs_text(&run->prefs, PREF_OUTPUT) == NULL &&
	       prefs_text(&run->prefs, PREF_TEMPLATE) == NULL;
}

static enum status
version_run(struct run *run)
{
	enum status status;

	if (wants_line(run)) {
		sink_write(&run->sink, span_from("herdctl " HERD_VERSION "\n"));
		return STATUS_OK;
	}
	status = run_begin(run, &version_view);
	if (status != STATUS_OK)
		return status;
	out_word(&run->out, 0, "herdctl");
	out_word(&run->out, 1, HERD_VERSION);
	out_row(&run->out);
	out_member_word(&run->out, "version", HERD_VERSION);
	out_raw(&run->out, span_from(HERD_VERSION));
	out_end(&run->out);
	return STATUS_OK;
}

const struct command cmd_version = {
	.path = "version",
	.summary = "show the version",
	.group = GROUP_TOOL,
	.view = &version_view,
	.traits = COMMAND_READ,
	.run = version_run,
	.example = "version",
};
