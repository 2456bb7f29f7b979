/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * user rm: a user with all devices, or one device's key.
 */
#include "cmd/list.h"

#include "cmd/users_edit.h"

static size_t
count(const struct users_edit *edit, struct span name)
{
	size_t n = 0;

	for (size_t i = 0; i < edit->file.count; i++)
		n += users_edit_concerns(&edit->file.entries[i], name);
	return n;
}

static enum status
remove_name(struct run *run, struct users_edit *edit, const char *name)
{
	size_t lines = count(edit, span_from(name));
	enum status status;

	if (lines == 0)
		return run_fail(run, STATUS_NEGATIVE,
		    "%s has no `%s' (see `user ls')", edit->path, name);
	status = users_edit_remove(run, edit, span_from(name));
	if (status == STATUS_OK)
		run_print(run, "%s: removed, %zu line%s", name, lines,
		    lines == 1 ? "" : "s");
	if (status == STATUS_OK)
		run_hint(run, "nodes refuse it after `config reload -n all'; "
			      "`client forget' removes where it was");
	return status;
}

static enum status
user_rm_run(struct run *run)
{
	const char *name = run_word(run, 0);
	struct users_edit edit;
	enum status status = run_confirm(run, "Remove %s?", name);

	if (status != STATUS_OK)
		return status;
	status = users_edit_begin(run, &edit);
	if (status == STATUS_OK)
		status = remove_name(run, &edit, name);
	users_edit_end(&edit);
	return status;
}

const struct command cmd_user_rm = {
	.path = "user rm",
	.summary = "remove a user with all devices, or a device's key",
	.help = "Only the users file changes: nodes refuse the name when they "
		"read it again, and keep what it has reported.",
	.group = GROUP_CONFIG,
	.args = ARGS(ARG("NAME[/DEVICE]", .complete = COMPLETE_USER)),
	.flags = FLAGS(USERS_FILE_FLAG),
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = user_rm_run,
	.example = "user rm jane/phone --yes",
};
