/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the file at a path still the one that is being written? Writes to a file
 * that was removed, moved away or replaced are lost at the next start, and none
 * of them fails.
 */
#ifndef HERD_SAME_FILE_H
#define HERD_SAME_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "herd/compiler.h"
#include "herd/error.h"

struct same_file {
	const char *path;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/*
 * Remembers the file at `path`, which is borrowed. Call it again after each
 * write. HERD_ESYSTEM with errno.
 */
HERD_MUST_CHECK enum herd_error same_file_note(
    struct same_file *file, const char *path);

/*
 * NULL, or what happened since it was noted: "was removed", "was replaced",
 * "was written by another program", "cannot be looked at". While the caller
 * writes, `writing`, it may grow and have a new time of modification. Local
 * file systems only: others may set that time later. One system call.
 */
HERD_MUST_CHECK const char *same_file_check(
    const struct same_file *file, bool writing);

#endif
