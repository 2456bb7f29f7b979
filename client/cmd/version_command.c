/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <string.h>

#include "herd/version.h"
#include "run/run.h"

static enum status
version_run(struct run *run)
{
	const char *format = prefs_text(&run->prefs, PREF_OUTPUT);

	if (format != NULL && strcmp(format, "json") == 0)
		sink_write(&run->sink,
		    span_from("{\"schema\":\"herd.version/1\",\"version\":"
			      "\"" HERD_VERSION "\"}\n"));
	else
		sink_write(&run->sink, span_from("herdctl " HERD_VERSION "\n"));
	return STATUS_OK;
}

const struct command cmd_version = {
	.path = "version",
	.summary = "show the version",
	.group = GROUP_TOOL,
	.traits = COMMAND_HARMLESS,
	.run = version_run,
	.example = "version",
};
