/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xbuf.h"

static char *
below(const char *variable, const char *fallback, const char *name)
{
	const char *directory = getenv(variable);
	const char *home = getenv("HOME");

	/* The specification: a relative path in these is to be ignored. */
	if (directory != NULL && directory[0] == '/')
		return xasprintf("%s/%s", directory, name);
	if (home == NULL || home[0] == '\0')
		return NULL;
	return xasprintf("%s/%s/%s", home, fallback, name);
}

char *
path_config(const char *name)
{
	return below("XDG_CONFIG_HOME", ".config", name);
}

char *
path_state(const char *name)
{
	return below("XDG_STATE_HOME", ".local/state", name);
}

int
path_make_parents(const char *path)
{
	char *copy = xstrdup(path);
	int result = 0;

	for (char *slash = strchr(copy + 1, '/'); slash != NULL && result == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			result = -1;
		*slash = '/';
	}
	free(copy);
	return result;
}

static int
write_whole(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd);
}

int
path_write(const char *path, const char *text)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int result = -1;
	int error;
	int fd = -1;

	if (path_make_parents(path) == 0)
		fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0) {
		result = write_whole(fd, text);
		if (close(fd) != 0)
			result = -1;
		if (result == 0)
			result = rename(temporary, path);
		error = errno;
		if (result != 0)
			unlink(temporary);
		errno = error;
	}
	free(temporary);
	return result;
}
