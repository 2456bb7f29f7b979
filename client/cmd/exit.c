/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/run.h"

static enum status
exit_run(struct run *run)
{
	run->app->leaving = true;
	return STATUS_OK;
}

const struct command cmd_exit = {
	.path = "exit",
	.summary = "leave the session",
	.group = GROUP_TOOL,
	.traits = COMMAND_HARMLESS,
	.run = exit_run,
};
