/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "repl/shells.h"
#include "run/run.h"

static enum status
completion_run(struct run *run)
{
	sink_write(&run->sink, span_from(shells_script(run_word(run, 0))));
	return STATUS_OK;
}

const struct command cmd_completion = {
	.path = "completion",
	.summary = "print the completion script for a shell",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("SHELL", .complete = COMPLETE_WORDS,
	    .words = "bash zsh fish", .fixed = true)),
	.traits = COMMAND_HARMLESS,
	.run = completion_run,
	.example = "completion bash",
};
