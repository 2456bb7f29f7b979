/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * user ls: who may report over HTTP.
 */
#include "cmd/list.h"

#include <stdlib.h>
#include <unistd.h>

#include "cmd/users_edit.h"
#include "conf/herd_users.h"

/* clang-format off */
#define USER_COLUMNS(X) \
	X(USER_NAME, "name", "NAME", VALUE_TEXT, .traits = COLUMN_NAME) \
	X(USER_LOGIN, "login", "LOGIN", VALUE_TEXT) \
	X(USER_DEVICES, "devices", "DEVICES", VALUE_TEXT, .traits = COLUMN_SHRINK, .drop = 2) \
	X(USER_USER, "user", "USER", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(USER_DEVICE, "device", "DEVICE", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(USER_LINE, "line", "LINE", VALUE_INTEGER, .traits = COLUMN_WIDE)
/* clang-format on */

COLUMN_TABLE(columns, USER_COLUMNS);

static const struct view user_view =
    VIEW(columns, .schema = "herdctl.users/1", .list = "users");

static void
add_row(struct out *out, const struct users_entry *entry)
{
	out_text(out, USER_NAME, entry->name);
	out_word(out, USER_LOGIN, entry->device.len > 0 ? "key" : "password");
	if (entry->devices.len > 0)
		out_text(out, USER_DEVICES, entry->devices);
	out_text(out, USER_USER, entry->user);
	if (entry->device.len > 0)
		out_text(out, USER_DEVICE, entry->device);
	out_integer(out, USER_LINE, entry->line);
	out_row(out);
}

static enum status
fail(struct run *run, const char *path)
{
	bool is_there = access(path, F_OK) == 0;
	enum status status = run_fail_message(run, STATUS_LOCAL);

	if (!is_there)
		run_hint(run, "`user add NAME' makes it");
	return status;
}

static enum status
user_ls_run(struct run *run)
{
	struct users_file file = { 0 };
	enum status status;
	char *path;

	status = users_edit_path(run, &path);
	if (status != STATUS_OK)
		return status;
	if (herd_users_read(path, &file, &run->message) != STATUS_OK)
		status = fail(run, path);
	if (status == STATUS_OK)
		status = run_begin(run, &user_view);
	if (status == STATUS_OK) {
		for (size_t i = 0; i < file.count; i++)
			add_row(&run->out, &file.entries[i]);
		out_end(&run->out);
	}
	users_file_release(&file);
	free(path);
	return status;
}

const struct command cmd_user_ls = {
	.path = "user ls",
	.summary = "list who may report over HTTP",
	.help = "Reads the users file of this machine. DEVICES are those that "
		"a user may name, if not any.",
	.group = GROUP_CONFIG,
	.flags = FLAGS(USERS_FILE_FLAG),
	.view = &user_view,
	.traits = COMMAND_READ,
	.run = user_ls_run,
	.example = "user ls",
};
