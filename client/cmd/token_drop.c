/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/secret_file.h"

static enum status
token_drop_run(struct run *run)
{
	return secret_file_drop(run, "token");
}

const struct command cmd_token_drop = {
	.path = "token drop",
	.summary = "drop the old tokens of a token file",
	.help = "All but the last token of the file go, so the new one is "
		"used. Do it when all nodes accept that: `config diff' says "
		"whether their key and token files differ. Comments in the "
		"file go too.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.traits = COMMAND_WRITE,
	.run = token_drop_run,
	.example = "token drop admin.token",
};
