/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "herd/file.h"

/* Between two looks at the clock; 256 KiB of most stores. */
#define PAGES_PER_LOOK 64

struct copy_job {
	sqlite3 *copy;
	sqlite3_backup *backup;
	char path[PATH_MAX + sizeof("-backup-journal")];
};

static void
remove_copy(const char *path)
{
	static const char *const ends[] = { "", "-journal", "-wal", "-shm" };
	char file[PATH_MAX + sizeof("-backup-journal-journal")];

	for (size_t i = 0; i < HERD_ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		(void)unlink(file);
	}
}

void
sqlite_backup_remove(const struct sqlite_engine *self)
{
	char path[PATH_MAX + sizeof("-backup")];

	snprintf(path, sizeof(path), "%s-backup", self->real);
	remove_copy(path);
}

void
sqlite_backup_drop(struct engine_task *task)
{
	struct copy_job *backup = task->state;

	if (backup == NULL)
		return;
	(void)sqlite3_backup_finish(backup->backup);
	sqlite3_close(backup->copy);
	remove_copy(backup->path);
	free(backup);
	task->state = NULL;
}

static enum herd_error
fail(struct engine_task *task, const char *hint, const char *what,
    const char *why)
{
	snprintf(task->error, sizeof(task->error), "%.120s: %.120s", what, why);
	task->hint = hint;
	return HERD_ESYSTEM;
}

static enum herd_error
fail_copy(struct engine_task *task)
{
	struct copy_job *backup = task->state;
	int code = sqlite3_errcode(backup->copy);
	int cause = sqlite3_system_errno(backup->copy);

	return fail(task, "is the disk full? The copy is made beside the store",
	    "the copy",
	    cause != 0 && code != SQLITE_FULL ? strerror(cause)
					      : sqlite3_errmsg(backup->copy));
}

/* Both have to fit: the copy's rest, and what the store writes meanwhile. */
static enum herd_error
check_room(const struct sqlite_engine *self, struct engine_task *task)
{
	struct statvfs disk;
	struct stat store;
	uint64_t copied;
	uint64_t wanted;
	uint64_t free_bytes;
	char why[128];

	if (fstat(self->owner, &store) != 0 || statvfs(self->path, &disk) != 0)
		return fail(task, NULL, "the disk", strerror(errno));
	wanted = (uint64_t)store.st_size + SQLITE_BACKUP_RESERVE;
	copied = task->total == 0
		     ? 0
		     : (uint64_t)store.st_size * task->done / task->total;
	free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (free_bytes + copied >= wanted)
		return HERD_OK;
	snprintf(why, sizeof(why), "%llu bytes are free, %llu are needed",
	    (unsigned long long)free_bytes,
	    (unsigned long long)(wanted - copied));
	return fail(task, "make room: the copy is made beside the store",
	    "the disk has no room for a copy", why);
}

static enum herd_error
begin(struct sqlite_engine *self, struct engine_task *task)
{
	struct copy_job *backup;
	int fd;
	enum herd_error error = check_room(self, task);

	if (error != HERD_OK)
		return error;
	backup = calloc(1, sizeof(*backup));
	if (backup == NULL)
		return HERD_ENOMEM;
	task->state = backup;
	snprintf(backup->path, sizeof(backup->path), "%s-backup", self->real);
	remove_copy(backup->path);
	if (file_open_private(
		backup->path, O_RDWR | O_CREAT | O_EXCL, &fd, NULL) != HERD_OK)
		return fail(task, "may the node write in its store's folder?",
		    "the copy", file_strerror(errno));
	(void)close(fd);
	/* A crash leaves no half copy that counts, so nothing is synced. */
	if (sqlite3_open_v2(backup->path, &backup->copy,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK ||
	    sqlite3_exec(backup->copy,
		"PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF;"
		"PRAGMA journal_mode=OFF",
		NULL, NULL, NULL) != SQLITE_OK)
		return fail_copy(task);
	backup->backup =
	    sqlite3_backup_init(backup->copy, "main", self->db, "main");
	return backup->backup == NULL ? fail_copy(task) : HERD_EAGAIN;
}

/* The copy says that it has a log, as the store does; it has none. */
static enum herd_error
finish(struct engine_task *task)
{
	struct copy_job *backup = task->state;
	int code = sqlite3_backup_finish(backup->backup);
	struct stat copy;

	backup->backup = NULL;
	if (code != SQLITE_OK ||
	    sqlite3_exec(backup->copy, "PRAGMA journal_mode=DELETE", NULL, NULL,
		NULL) != SQLITE_OK)
		return fail_copy(task);
	code = sqlite3_close(backup->copy);
	if (code != SQLITE_OK)
		return fail_copy(task);
	backup->copy = NULL;
	task->fd = open(backup->path, O_RDONLY | O_CLOEXEC);
	if (task->fd < 0 || fstat(task->fd, &copy) != 0)
		return fail(task, NULL, backup->path, strerror(errno));
	task->bytes = (uint64_t)copy.st_size;
	return HERD_OK;
}

static enum herd_error
go_on(struct sqlite_engine *self, struct engine_task *task)
{
	struct copy_job *backup = task->state;
	struct mono until = mono_add(clock_mono(), ENGINE_SLICE_NS);
	int code;
	enum herd_error error = check_room(self, task);

	if (error != HERD_OK)
		return error;
	do
		code = sqlite3_backup_step(backup->backup, PAGES_PER_LOOK);
	while (code == SQLITE_OK && clock_mono().ns < until.ns);
	task->total = (uint64_t)sqlite3_backup_pagecount(backup->backup);
	task->done =
	    task->total - (uint64_t)sqlite3_backup_remaining(backup->backup);
	task->is_blocked = code == SQLITE_BUSY || code == SQLITE_LOCKED;
	if (code == SQLITE_OK || task->is_blocked)
		return HERD_EAGAIN;
	return code == SQLITE_DONE ? finish(task) : fail_copy(task);
}

enum herd_error
sqlite_backup_slice(struct engine *engine, struct engine_task *task)
{
	struct sqlite_engine *self = (struct sqlite_engine *)engine;

	return engine_sqlite_blame(self, task,
	    task->state == NULL ? begin(self, task) : go_on(self, task));
}
