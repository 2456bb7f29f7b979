/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/context_switch.h"

const struct command cmd_context_none = {
	.path = "context none",
	.summary = "work in no context",
	.group = GROUP_TOOL,
	.flags = CONTEXT_SWITCH_FLAGS,
	.traits = COMMAND_BY_LINE,
	.run = context_switch_run,
	.example = "context none",
};
