/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changing a users file (herd/users_file.h): one herdctl at a time, as a whole
 * or not at all, with comments and order kept.
 */
#ifndef HERD_USERS_EDIT_H
#define HERD_USERS_EDIT_H

#include "herd/users_file.h"
#include "run/run.h"

/* The flag of all commands that read or change one. */
#define USERS_FILE_FLAG                                                \
	FLAG("users-file", .value = "FILE", .complete = COMPLETE_FILE, \
	    .help = "this users file, not the herd's (http.users_file)")

struct users_edit {
	char *path;
	int folder;             /* whose lock keeps others off, or -1 */
	bool is_new;            /* there is no file yet */
	struct users_file file; /* as it is */
};

/* The path that --users-file gives, or the herd file. Says why there is none.
 */
enum status users_edit_path(struct run *run, char **path);

/*
 * Locks and reads the file; one that is missing is empty. Says what is wrong.
 * users_edit_end() it in any case.
 */
enum status users_edit_begin(struct run *run, struct users_edit *edit);

/*
 * Writes it with that line for `name`, in the old one's place or at the end.
 * Says what is wrong; also that no node would take the new file.
 */
enum status users_edit_put(struct run *run, struct users_edit *edit,
    struct span name, struct span line);

/* Writes it without the lines that concern `name`. */
enum status users_edit_remove(
    struct run *run, struct users_edit *edit, struct span name);

void users_edit_end(struct users_edit *edit);

/* Is `entry` that user or device, or a device of that user? */
bool users_edit_concerns(const struct users_entry *entry, struct span name);

#endif
