/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With keyfile.c the only place of common/ that touches the file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/herdfile.h"

#define FILE_CHUNK 65536u

static ssize_t
read_some(int fd, void *to, size_t room)
{
	ssize_t n;

	do
		n = read(fd, to, room);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Appends what is left of the file, at most `max` bytes. */
static enum herd_error
read_all(int fd, size_t max, struct buf *out)
{
	size_t left = out->max - out->len, want;
	enum herd_error error;
	char beyond;
	ssize_t n;

	if (left > max)
		left = max;
	do {
		if (left == 0) {
			n = read_some(fd, &beyond, 1);
			if (n <= 0)
				break;
			errno = EFBIG;
			return HERD_ELIMIT;
		}
		want = left < FILE_CHUNK ? left : FILE_CHUNK;
		error = buf_reserve(out, want);
		if (error != HERD_OK)
			return error;
		n = read_some(fd, buf_tail(out), want);
		if (n > 0) {
			buf_grow(out, (size_t)n);
			left -= (size_t)n;
		}
	} while (n > 0);
	return n < 0 ? HERD_ESYSTEM : HERD_OK;
}

enum herd_error
file_read(const char *path, size_t max, struct buf *out)
{
	size_t before = out->len;
	enum herd_error error;
	struct stat status;
	int fd, saved;

	/* O_NONBLOCK: a FIFO in the file's place must not hang the caller. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return HERD_ESYSTEM;
	error = HERD_ESYSTEM;
	if (fstat(fd, &status) == 0) {
		if (S_ISREG(status.st_mode))
			error = read_all(fd, max, out);
		else
			errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	}
	saved = errno;
	close(fd);
	errno = saved;
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}
