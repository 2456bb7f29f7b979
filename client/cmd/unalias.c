/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "run/run.h"

static enum status
unalias_run(struct run *run)
{
	const struct alias *alias =
	    alias_find(&run->app->aliases, run_word(run, 0));

	if (alias == NULL)
		return run_fail(run, STATUS_NEGATIVE,
		    "there is no alias `%s' (`alias' lists them)",
		    run_word(run, 0));
	alias_remove(&run->app->aliases, alias);
	return STATUS_OK;
}

const struct command cmd_unalias = {
	.path = "unalias",
	.summary = "forget an alias for this session",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("NAME", .complete = COMPLETE_ALIAS)),
	.traits = COMMAND_HARMLESS,
	.run = unalias_run,
	.example = "unalias stale",
};
