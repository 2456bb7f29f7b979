/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/users_edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/secret_file.h"
#include "conf/herd_users.h"
#include "herd/text.h"

#define LOCK_PAUSE_NS (20u * HERD_NS_PER_MS)

/* --- which file ----------------------------------------------------------- */

enum status
users_edit_path(struct run *run, char **path)
{
	const char *named = run_flag(run, "users-file");
	const struct target *target;
	enum status status;

	*path = named == NULL ? NULL : xstrdup(named);
	if (named != NULL)
		return STATUS_OK;
	status = run_one_target(run, &target);
	if (status != STATUS_OK)
		return status;
	*path = herd_users_path(run->herd, target->name, &run->message);
	return *path != NULL ? STATUS_OK : run_fail_message(run, STATUS_LOCAL);
}

/* --- reading -------------------------------------------------------------- */

/*
 * The file is replaced as a whole, so a lock on it would be one on a file that
 * is gone; its folder stays.
 */
static enum status
lock(struct run *run, struct users_edit *edit)
{
	const char *slash = strrchr(edit->path, '/');
	char *folder = slash == NULL ? xstrdup(".")
				     : xstrndup(edit->path,
					   (size_t)(slash - edit->path) + 1);
	enum status status = STATUS_OK;

	edit->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (edit->folder < 0)
		status = run_fail(run, STATUS_LOCAL, "cannot open %s: %s",
		    folder, strerror(errno));
	while (status == STATUS_OK &&
	       flock(edit->folder, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			status = run_fail(run, STATUS_LOCAL,
			    "cannot lock %s: %s", folder, strerror(errno));
		else if (deadline_left_ms(run->deadline) == 0)
			status = run_fail(run, STATUS_TIMEOUT,
			    "another herdctl is at the files in %s: try again",
			    folder);
		else if (loop_rest(app_loop(run->app), LOCK_PAUSE_NS) !=
			 WAIT_TIMEOUT)
			status = STATUS_SIGINT;
	}
	free(folder);
	return status;
}

enum status
users_edit_begin(struct run *run, struct users_edit *edit)
{
	enum status status;
	char *path;

	*edit = (struct users_edit){ .folder = -1 };
	status = users_edit_path(run, &path);
	if (status != STATUS_OK)
		return status;
	edit->path = secret_file_resolve(path);
	free(path);
	/* The time for a password does not count. */
	run_renew_deadline(run);
	status = lock(run, edit);
	if (status != STATUS_OK)
		return status;
	edit->is_new = access(edit->path, F_OK) != 0 && errno == ENOENT;
	if (edit->is_new)
		return STATUS_OK;
	return herd_users_read(edit->path, &edit->file, &run->message) ==
		       STATUS_OK
		   ? STATUS_OK
		   : run_fail_message(run, STATUS_LOCAL);
}

void
users_edit_end(struct users_edit *edit)
{
	if (edit->folder >= 0)
		(void)close(edit->folder);
	users_file_release(&edit->file);
	free(edit->path);
}

/* --- writing -------------------------------------------------------------- */

/* Would a node take it? */
static enum status
check(struct run *run, const struct users_edit *edit, struct span text)
{
	struct users_file file;
	enum herd_error error;

	putf(&run->message, "%s stays as it is; it would have: ", edit->path);
	error = users_file_parse(text, &file, &run->message);
	if (error == HERD_ENOMEM)
		out_of_memory();
	if (error != HERD_OK)
		return run_fail_message(run, STATUS_LOCAL);
	users_file_release(&file);
	buf_clear(&run->message);
	return STATUS_OK;
}

static enum status
save(struct run *run, const struct users_edit *edit, struct span text)
{
	enum status status = check(run, edit, text);

	if (status != STATUS_OK)
		return status;
	if (edit->is_new ? !secret_file_write(edit->path, text)
			 : !secret_file_replace(edit->path, text))
		return run_fail(run, STATUS_LOCAL, "cannot write %s: %s",
		    edit->path, strerror(errno));
	return edit->is_new ? secret_file_own(run, edit->path) : STATUS_OK;
}

bool
users_edit_concerns(const struct users_entry *entry, struct span name)
{
	return span_equal(entry->name, name) || span_equal(entry->user, name);
}

static void
put_line(struct buf *text, struct span line)
{
	put_span(text, line);
	put_byte(text, '\n');
}

enum status
users_edit_put(struct run *run, struct users_edit *edit, struct span name,
    struct span line)
{
	struct span rest =
	    text_without_bom(span_of(edit->file.text, edit->file.len));
	struct buf text = XBUF;
	struct users_entry entry;
	bool is_there = false;
	enum status status;
	const char *why;

	while (rest.len > 0) {
		struct span old = span_cut(&rest, '\n');
		bool is_it = users_file_line(old, &entry, &why) &&
			     span_equal(entry.name, name);

		put_line(&text, is_it ? line : old);
		is_there |= is_it;
	}
	if (!is_there)
		put_line(&text, line);
	status = save(run, edit, buf_span(&text));
	buf_release(&text);
	return status;
}

enum status
users_edit_remove(struct run *run, struct users_edit *edit, struct span name)
{
	struct span rest =
	    text_without_bom(span_of(edit->file.text, edit->file.len));
	struct buf text = XBUF;
	struct users_entry entry;
	enum status status;
	const char *why;

	while (rest.len > 0) {
		struct span line = span_cut(&rest, '\n');

		if (!users_file_line(line, &entry, &why) ||
		    !users_edit_concerns(&entry, name))
			put_line(&text, line);
	}
	status = save(run, edit, buf_span(&text));
	buf_release(&text);
	return status;
}
