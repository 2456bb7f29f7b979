/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include "cmd/secret_file.h"

static enum status
token_new_run(struct run *run)
{
	return secret_file_new(run, "token");
}

const struct command cmd_token_new = {
	.path = "token new",
	.summary = "make a token for the admin API",
	.help = "Makes a file of mode 0600 and never overwrites one; "
		"without FILE the token is printed. --add appends the token "
		"to a file that there is: nodes that read it again accept "
		"the new one and go on to use the first, until `token "
		"drop'. herdd(8) has the whole change.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE, .optional = true)),
	.flags =
	    FLAGS(FLAG("add", .help = "append it to a file that there is")),
	.traits = COMMAND_WRITE,
	.run = token_new_run,
	.example = "token new admin.token",
};
