/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/store_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/file.h"

enum status
store_place_open(
    struct run *run, const char *path, const char *temporary, int *fd)
{
	struct stat there;

	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
		return run_fail(run, STATUS_LOCAL,
		    "cannot write %s: it is no regular file", path);
	if (file_open_private(temporary,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, fd, NULL) == HERD_OK)
		return STATUS_OK;
	return run_fail(run, STATUS_LOCAL, "cannot write %s: %s", temporary,
	    file_strerror(errno));
}

void
store_place_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL   ? xstrdup(".")
		       : slash == path ? xstrdup("/")
				       : xstrndup(path, (size_t)(slash - path));
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(folder);
}

enum status
store_place_keep(
    struct run *run, int fd, const char *temporary, const char *path)
{
	if (fsync(fd) != 0)
		return run_fail(run, STATUS_LOCAL, "cannot write %s: %s",
		    temporary, strerror(errno));
	if (rename(temporary, path) != 0)
		return run_fail(run, STATUS_LOCAL, "cannot make %s: %s", path,
		    strerror(errno));
	store_place_sync_folder(path);
	return STATUS_OK;
}
