/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/secret_file.h"

static enum status
key_drop_run(struct run *run)
{
	return secret_file_drop(run, "key");
}

const struct command cmd_key_drop = {
	.path = "key drop",
	.summary = "drop the old keys of a key file",
	.help = "All but the last key of the file go, so the new one is "
		"used. Do it when all nodes accept that: `config diff' says "
		"whether their key and token files differ. Comments in the "
		"file go too.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.traits = COMMAND_WRITE,
	.run = key_drop_run,
	.example = "key drop links.key",
};
