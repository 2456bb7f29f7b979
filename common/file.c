/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With keyfile.c the only place of common/ that touches the file system.
 */
#include "herd/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static enum herd_error
check_regular(int fd, struct stat *facts)
{
	if (fstat(fd, facts) != 0)
		return HERD_ESYSTEM;
	if (S_ISREG(facts->st_mode))
		return HERD_OK;
	errno = S_ISDIR(facts->st_mode) ? EISDIR : EINVAL;
	return HERD_ESYSTEM;
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
	error = check_regular(fd, &status);
	if (error == HERD_OK)
		error = read_all(fd, max, out);
	saved = errno;
	close(fd);
	errno = saved;
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

enum herd_error
file_open_private(const char *path, int flags, int *out, bool *narrowed)
{
	mode_t others = S_IRWXG | S_IRWXO;
	enum herd_error error;
	struct stat facts;
	bool open_to_others;
	int fd, saved;

	fd = open(
	    path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR);
	if (fd < 0) {
		/* A FIFO without a reader, or a socket. */
		if (errno == ENXIO)
			errno = EINVAL;
		return HERD_ESYSTEM;
	}
	error = check_regular(fd, &facts);
	open_to_others = error == HERD_OK && (facts.st_mode & others) != 0;
	if (open_to_others && fchmod(fd, facts.st_mode & S_IRWXU) != 0)
		error = HERD_ESYSTEM;
	if (error != HERD_OK) {
		saved = errno;
		close(fd);
		errno = saved;
		return error;
	}
	if (narrowed != NULL)
		*narrowed = open_to_others;
	*out = fd;
	return HERD_OK;
}

const char *
file_strerror(int error)
{
	switch (error) {
	case EISDIR: return "it is a folder";
	case EINVAL: return "it is not a regular file";
	case ELOOP: return "it is a symbolic link";
	default: return strerror(error);
	}
}

enum herd_error
file_hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int got;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		got = fd == STDIN_FILENO ? open("/dev/null", O_WRONLY)
					 : open("/dev/null", O_RDONLY);
		/* open() takes the lowest number: those below are taken. */
		if (got != fd)
			return HERD_ESYSTEM;
	}
	return HERD_OK;
}
