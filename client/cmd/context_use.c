/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/context_switch.h"

const struct command cmd_context_use = {
	.path = "context use",
	.summary = "work in a context from now on",
	.help =
	    "On a command line: in later commands too. In a session: in this "
	    "session only, unless --save is given.",
	.group = GROUP_TOOL,
	.args = ARGS(ARG("NAME", .complete = COMPLETE_CONTEXT)),
	.flags = CONTEXT_SWITCH_FLAGS,
	.traits = COMMAND_BY_LINE,
	.run = context_switch_run,
	.example = "context use lab",
};
