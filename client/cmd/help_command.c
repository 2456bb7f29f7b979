/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/help.h"
#include "run/run.h"

static enum status
help_run(struct run *run)
{
	size_t used = 0;
	const struct command *command = NULL;
	const char *group = NULL;
	const struct args *args = run->args;

	if (args->count > 0) {
		command = command_match(args->words, args->count, &used);
		if (args->count == 1 && command_is_group(args->words[0]) &&
		    command == NULL)
			group = args->words[0];
		else if (command == NULL || used < args->count)
			command = NULL;
	}
	if (args->count > 0 && command == NULL && group == NULL) {
		const char *near =
		    command_did_you_mean(args->words, args->count);

		return run_fail(run, STATUS_USAGE,
		    "no help for `%s': there is no such command%s%s%s",
		    args->words[0], near == NULL ? "" : ", did you mean `",
		    near == NULL ? "" : near, near == NULL ? "" : "'?");
	}
	help_print(&run->sink, command, group);
	return STATUS_OK;
}

const struct command cmd_help = {
	.path = "help",
	.summary = "show all commands, or help on one",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("COMMAND", .complete = COMPLETE_COMMAND,
	    .optional = true, .repeats = true)),
	.traits = COMMAND_HARMLESS,
	.run = help_run,
	.example = "help client show",
};
