/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store restore: a backup becomes the store of a node of this machine, which
 * must not run. The file that was there is kept under another name, together
 * with its log, which has its newest rows.
 *
 * The node's lock is held until the new file is in place: a node that starts
 * meanwhile ends at once, and does not write into a file that is taken away.
 */
#include "cmd/list.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "cmd/store_place.h"
#include "herd/file.h"
#include "input/store_file.h"
#include "run/run.h"

#define COPY_BYTES (1u << 20)
/* The unit's folders. */
#define SERVICE_CONF "/etc/herd"
#define SERVICE_STATE "/var/lib/herd"
#define SQLITE_LOCKS_AT 0x40000000
#define SQLITE_LOCKS_LEN 512

/* clang-format off */
#define RESTORE_COLUMNS(X) \
	X(RESTORE_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(RESTORE_PATH, "path", "STORE", VALUE_TEXT) \
	X(RESTORE_ROWS, "rows", "ROWS", VALUE_INTEGER) \
	X(RESTORE_REMOVALS, "removals", "REMOVALS", VALUE_INTEGER) \
	X(RESTORE_BEFORE, "before", "OLD STORE", VALUE_TEXT)
/* clang-format on */

COLUMN_TABLE(restore_columns, RESTORE_COLUMNS);

static const struct view restore_view =
    VIEW(restore_columns, .schema = "herd.restore/1", .list = "nodes");

struct restore {
	struct run *run;
	const char *node;
	const char *from;
	char *path; /* of the store */
	char *temporary;
	char *before;    /* the old file's later name; NULL: there is none */
	int lock;        /* the old file, or -1 */
	struct stat old; /* of the old file, or of its folder */
};

/* --- which file ----------------------------------------------------------- */

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/")
			     : xstrndup(path, (size_t)(slash - path));
}

/* The folder of the herd file, without symbolic links. */
static char *
real_folder(const struct run *run)
{
	char *file = realpath(run->herd->path, NULL);
	char *folder = folder_of(file == NULL ? run->herd->path : file);

	free(file);
	return folder;
}

/*
 * The folder of a relative store.path, as herdd has it: systemd's, else the
 * herd file's. An operator's shell lacks systemd's variable, but a herd file
 * in its place is the unit's.
 */
static char *
base_folder(const struct run *run)
{
	const char *state = secure_getenv("STATE_DIRECTORY");
	char *folder = real_folder(run);
	bool is_service = strcmp(folder, SERVICE_CONF) == 0 &&
			  access(SERVICE_STATE, F_OK) == 0;

	if (state != NULL && state[0] == '/') {
		free(folder);
		return xstrndup(state, strcspn(state, ":"));
	}
	if (!is_service)
		return folder;
	free(folder);
	return xstrdup(SERVICE_STATE);
}

static enum status
find_path(struct restore *r)
{
	struct run *run = r->run;
	const char *flag = run_flag(run, "path");
	struct buf path = XBUF;
	char *folder;

	if (flag != NULL) {
		r->path = xstrdup(flag);
		return STATUS_OK;
	}
	if (!run->herd->has_file) {
		run_fail(run, STATUS_USAGE,
		    "there is no herd file to name the store: give --path");
		return STATUS_USAGE;
	}
	if (run->herd->file.settings.store.engine != STORE_SQLITE) {
		run_fail(run, STATUS_NEGATIVE, "%s: store.engine is not sqlite",
		    run->herd->path);
		return STATUS_NEGATIVE;
	}
	folder = base_folder(run);
	must(herdfile_expand(
	    &path, run->herd->file.settings.store.path, r->node, folder));
	free(folder);
	r->path = text_take(&path);
	return STATUS_OK;
}

/* A symbolic link stays one: what it names is replaced. */
static void
follow_links(struct restore *r)
{
	char *real = realpath(r->path, NULL);

	if (real == NULL)
		return;
	free(r->path);
	r->path = xstrdup(real);
	free(real);
}

/*
 * Has anybody the file open in SQLite? A herdd of before flock() has, and so
 * has a shell. The bytes are those that SQLite locks.
 */
static bool
is_used(int fd)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = SQLITE_LOCKS_AT,
		.l_len = SQLITE_LOCKS_LEN };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static enum status
lock_old(struct restore *r)
{
	r->lock = open(r->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (r->lock < 0)
		return run_fail(r->run, STATUS_LOCAL, "cannot open %s: %s",
		    r->path, strerror(errno));
	if (fstat(r->lock, &r->old) != 0 || !S_ISREG(r->old.st_mode))
		return run_fail(
		    r->run, STATUS_LOCAL, "%s is no regular file", r->path);
	if (flock(r->lock, LOCK_EX | LOCK_NB) != 0 || is_used(r->lock))
		return run_fail(r->run, STATUS_REFUSED,
		    "node %s runs: %s is in use; stop it first", r->node,
		    r->path);
	return STATUS_OK;
}

/* The owner of a store that is not there yet is its folder's. */
static enum status
look_at_folder(struct restore *r)
{
	char *folder = folder_of(r->path);
	bool there = stat(folder, &r->old) == 0;
	enum status status = STATUS_OK;

	if (!there)
		status = run_fail(r->run, STATUS_LOCAL,
		    "there is no folder %s: is this the machine of node %s?",
		    folder, r->node);
	free(folder);
	return status;
}

static void
name_before(struct restore *r)
{
	char date[32] = "";
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc) != NULL)
		(void)strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	r->before = xasprintf("%s.before-%s", r->path, date);
	for (unsigned i = 2; access(r->before, F_OK) == 0; i++) {
		free(r->before);
		r->before = xasprintf("%s.before-%s.%u", r->path, date, i);
	}
}

static enum status
find_old(struct restore *r)
{
	struct stat there;
	enum status status;

	follow_links(r);
	r->temporary = xasprintf("%s.restore", r->path);
	if (lstat(r->path, &there) != 0)
		return look_at_folder(r);
	status = lock_old(r);
	if (status == STATUS_OK)
		name_before(r);
	return status;
}

/* --- the copy ------------------------------------------------------------- */

/* False: errno says why. */
static bool
copy_bytes(int from, int to)
{
	char *bytes = xmalloc(COPY_BYTES);
	ssize_t n;

	while ((n = read(from, bytes, COPY_BYTES)) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t m = write(to, bytes + done, (size_t)(n - done));

			if (m <= 0) {
				free(bytes);
				return false;
			}
			done += m;
		}
	}
	free(bytes);
	return n == 0;
}

/*
 * Owner and mode of the old file, as the node must be able to use it; nobody
 * else than its owner gets at it.
 */
static bool
give_away(const struct restore *r, int fd)
{
	mode_t mode = r->before == NULL ? 0600 : r->old.st_mode & 0700;

	if (fchmod(fd, mode) != 0)
		return false;
	return geteuid() != 0 || fchown(fd, r->old.st_uid, r->old.st_gid) == 0;
}

static enum status
copy_file(struct restore *r, int to)
{
	int from = open(r->from, O_RDONLY | O_CLOEXEC);
	bool done = from >= 0 && copy_bytes(from, to) && give_away(r, to);
	int error = errno;

	if (from >= 0)
		(void)close(from);
	return done ? STATUS_OK
		    : run_fail(r->run, STATUS_LOCAL, "cannot copy %s to %s: %s",
			  r->from, r->temporary, strerror(error));
}

/* --- the change ----------------------------------------------------------- */

/* Moves what belongs to the old file; what it has not is fine. */
static bool
move_aside(const struct restore *r, const char *end)
{
	char *from = xasprintf("%s%s", r->path, end);
	char *to = xasprintf("%s%s", r->before, end);
	bool done = rename(from, to) == 0 || errno == ENOENT;

	free(from);
	free(to);
	return done;
}

static void
drop(const struct restore *r, const char *end)
{
	char *path = xasprintf("%s%s", r->path, end);

	(void)unlink(path);
	free(path);
}

/*
 * A log without its file would be taken for the new file's. It goes first, so
 * that a crash in between leaves none beside the new one.
 */
static enum status
keep_old(struct restore *r)
{
	drop(r, "-shm");
	if (r->before == NULL) {
		drop(r, "-wal");
		drop(r, "-journal");
		return STATUS_OK;
	}
	if (move_aside(r, "-wal") && move_aside(r, "-journal") &&
	    move_aside(r, ""))
		return STATUS_OK;
	return run_fail(r->run, STATUS_LOCAL, "cannot move %s to %s: %s",
	    r->path, r->before, strerror(errno));
}

static enum status
put_in_place(struct restore *r)
{
	int fd;
	enum status status =
	    store_place_open(r->run, r->path, r->temporary, &fd);

	if (status != STATUS_OK)
		return status;
	status = copy_file(r, fd);
	if (status == STATUS_OK)
		status = keep_old(r);
	if (status == STATUS_OK)
		status = store_place_keep(r->run, fd, r->temporary, r->path);
	if (status != STATUS_OK)
		(void)unlink(r->temporary);
	(void)close(fd);
	return status;
}

/* --- the command ---------------------------------------------------------- */

/* A log beside it would be left behind, and with it the newest rows. */
static enum status
look_at_backup(struct restore *r, struct store_file *file)
{
	struct run *run = r->run;
	char *log = xasprintf("%s-wal", r->from);
	struct stat found;
	bool has_log = stat(log, &found) == 0 && found.st_size > 0;
	enum status status;

	free(log);
	*file = (struct store_file){ .rows = 0 };
	if (has_log) {
		run_fail(run, STATUS_LOCAL,
		    "%s has a log beside it, so it is no backup: `sqlite3 %s "
		    "'.backup FILE'' makes one of it",
		    r->from, r->from);
		return STATUS_LOCAL;
	}
	if (r->lock >= 0 && stat(r->from, &found) == 0 &&
	    found.st_ino == r->old.st_ino && found.st_dev == r->old.st_dev) {
		run_fail(run, STATUS_LOCAL, "%s is the store itself", r->from);
		return STATUS_LOCAL;
	}
	status = store_file_read(r->from, file, &run->message);
	if (status != STATUS_OK) {
		run_fail_message(run, status);
		return status;
	}
	if (file->is_whole)
		return STATUS_OK;
	run_fail(run, STATUS_LOCAL, "%s is damaged, nothing is changed: %s",
	    r->from,
	    file->fault.len > 0 ? text_of(&file->fault)
				: "rows are not as they were put");
	store_file_release(file);
	return STATUS_LOCAL;
}

static enum status
restore(struct restore *r, const struct store_file *file)
{
	struct run *run = r->run;
	struct out *out = &run->out;
	enum status status = run_confirm(run,
	    "Put %s (%llu rows) in place of %s, the store of node %s?", r->from,
	    (unsigned long long)file->rows, r->path, r->node);

	if (status == STATUS_OK)
		status = run_begin(run, &restore_view);
	if (status == STATUS_OK)
		status = put_in_place(r);
	if (status != STATUS_OK)
		return status;
	out_word(out, RESTORE_NODE, r->node);
	out_word(out, RESTORE_PATH, r->path);
	out_integer(out, RESTORE_ROWS, (int64_t)file->rows);
	out_integer(out, RESTORE_REMOVALS, (int64_t)file->removals);
	if (r->before != NULL)
		out_word(out, RESTORE_BEFORE, r->before);
	out_row(out);
	out_end(out);
	run_hint(run,
	    "start node %s; what its neighbours have that is newer "
	    "comes to it then",
	    r->node);
	return STATUS_OK;
}

static enum status
store_restore_run(struct run *run)
{
	struct restore r = { .run = run, .from = run_word(run, 0), .lock = -1 };
	struct store_file file;
	const struct target *target;
	enum status status = run_one_target(run, &target);

	if (status != STATUS_OK)
		return status;
	r.node = target->name;
	status = find_path(&r);
	if (status == STATUS_OK)
		status = find_old(&r);
	if (status == STATUS_OK)
		status = look_at_backup(&r, &file);
	if (status == STATUS_OK) {
		status = restore(&r, &file);
		store_file_release(&file);
	}
	if (r.lock >= 0)
		(void)close(r.lock);
	free(r.path);
	free(r.temporary);
	free(r.before);
	return status;
}

const struct command cmd_store_restore = {
	.path = "store restore",
	.summary = "put a backup in place of a stopped node's store",
	.help =
	    "On the node's machine, by the node's user or root. The herd file "
	    "says where the store is: a relative path is in $STATE_DIRECTORY, "
	    "else, with the herd file in /etc/herd, in /var/lib/herd as the "
	    "service has it, else beside the herd file. FILE is looked at as by `store check'. The old store "
	    "stays as PATH.before-DATE. What the neighbours have that is newer "
	    "comes to the node when it starts: to go back in time, restore all "
	    "nodes before one is started.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("FILE", .complete = COMPLETE_FILE)),
	.flags = FLAGS(FLAG("path", .value = "PATH", .complete = COMPLETE_FILE,
	    .help = "the node's store")),
	.view = &restore_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM,
	.run = store_restore_run,
	.example = "-n Riley store restore riley.sqlite --yes",
};
