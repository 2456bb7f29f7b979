/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <stdlib.h>

#include "cmd/context_switch.h"
#include "conf/contexts.h"
#include "repl/repl.h"

static enum status
context_previous_run(struct run *run)
{
	char *current = NULL;
	char *previous = NULL;
	enum status status;

	if (run->app->repl != NULL)
		previous = repl_previous_context(run->app->repl);
	if (previous == NULL) {
		contexts_read_state(&current, &previous);
		free(current);
	}
	if (previous == NULL)
		return run_fail(
		    run, STATUS_NEGATIVE, "there was no context before");
	status = context_switch(run, previous);
	free(previous);
	return status;
}

const struct command cmd_context_previous = {
	.path = "context previous",
	.summary = "go back to the context before",
	.group = GROUP_TOOL,
	.flags = CONTEXT_SWITCH_FLAGS,
	.traits = COMMAND_BY_LINE,
	.run = context_previous_run,
	.example = "context previous",
};
