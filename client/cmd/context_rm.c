/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/context_rows.h"
#include "conf/contexts.h"

static enum status
context_rm_run(struct run *run)
{
	const char *name = run_word(run, 0);
	enum status status = context_rows_find(run, name);
	char *path;

	if (status == STATUS_OK)
		status = run_confirm(run, "Remove the context %s?", name);
	if (status != STATUS_OK)
		return status;
	path = context_path(name);
	if (unlink(path) != 0)
		status = run_fail(run, STATUS_LOCAL, "cannot remove %s: %s",
		    path, strerror(errno));
	free(path);
	return status;
}

const struct command cmd_context_rm = {
	.path = "context rm",
	.summary = "remove a context",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("NAME", .complete = COMPLETE_CONTEXT)),
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = context_rm_run,
	.example = "context rm lab --yes",
};
