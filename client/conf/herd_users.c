/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/herd_users.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xbuf.h"

#define CREDENTIAL "credential:"

char *
herd_users_path(const struct herd *herd, const char *node, struct buf *message)
{
	const char *value =
	    herd->has_file ? herd->file.settings.http.users_file : "";
	struct buf path = XBUF;
	char *base;

	if (value[0] == '\0') {
		put_text(message,
		    "the herd names no users file (http.users_file): give one "
		    "with --users-file FILE");
		return NULL;
	}
	if (strncmp(value, CREDENTIAL, strlen(CREDENTIAL)) == 0) {
		putf(message,
		    "http.users_file is %s, which systemd gives to the node "
		    "alone: name the file of its LoadCredential= with "
		    "--users-file FILE",
		    value);
		return NULL;
	}
	base = herd_folder(herd);
	must(herdfile_expand(&path, value, node, base));
	free(base);
	return text_take(&path);
}

enum status
herd_users_read(const char *path, struct users_file *out, struct buf *message)
{
	const struct keyfile file = {
		.name = "users file", .value = path, .any_owner = geteuid() == 0
	};
	enum herd_error error = users_file_read(&file, out, message);

	if (error == HERD_ENOMEM)
		out_of_memory();
	return error == HERD_OK ? STATUS_OK : STATUS_LOCAL;
}
