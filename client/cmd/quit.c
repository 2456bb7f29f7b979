/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/run.h"

static enum status
quit_run(struct run *run)
{
	run->app->leaving = true;
	return STATUS_OK;
}

const struct command cmd_quit = {
	.path = "quit",
	.summary = "leave the session",
	.group = GROUP_TOOL,
	.traits = COMMAND_HIDDEN | COMMAND_HARMLESS,
	.run = quit_run,
};
