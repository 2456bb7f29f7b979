/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/secret_file.h"

static enum status
key_new_run(struct run *run)
{
	return secret_file_new(run, "key");
}

const struct command cmd_key_new = {
	.path = "key new",
	.summary = "make a key for the links of a herd",
	.help = "Makes a file of mode 0600 and never overwrites one; "
		"without FILE the key is printed. --add appends the key to "
		"a file that there is: nodes that read it again accept the "
		"new one and go on to use the first, until `key drop'. "
		"herdd(8) has the whole change.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE, .optional = true)),
	.flags =
	    FLAGS(FLAG("add", .help = "append it to a file that there is")),
	.traits = COMMAND_WRITE,
	.run = key_new_run,
	.example = "key new links.key",
};
