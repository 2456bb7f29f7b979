/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files, as far as both programs need them: whole texts, files that only their
 * owner may read, and the three standard descriptors.
 */
#ifndef HERD_FILE_H
#define HERD_FILE_H

#include <stdbool.h>

#include "herd/buf.h"

/*
 * Appends a whole regular file of at most `max` bytes. HERD_ESYSTEM,
 * HERD_ELIMIT (also EFBIG) with errno kept; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error file_read(
    const char *path, size_t max, struct buf *out);

/*
 * Opens a regular file for its owner alone, with open()'s `flags`; O_CREAT
 * makes it with mode 0600 whatever the umask is. A file that is there and
 * lets others at it is narrowed to its owner's bits, and *narrowed (NULL is
 * fine) is set. It never waits for the other end of a FIFO. Gives *fd.
 * HERD_ESYSTEM with errno, of which file_strerror() knows what EISDIR, EINVAL
 * (no regular file) and ELOOP (a symbolic link, with O_NOFOLLOW) mean here.
 */
HERD_MUST_CHECK enum herd_error file_open_private(
    const char *path, int flags, int *fd, bool *narrowed);

/* As strerror(), but in words that fit a file. */
const char *file_strerror(int error);

/*
 * Occupies each of the descriptors 0, 1 and 2 that is closed, so that no
 * file or socket gets its number and is then taken for standard input,
 * output or error. They are /dev/null, opened the wrong way round, so that to
 * read or write there fails, as on a closed one. HERD_ESYSTEM with errno.
 */
HERD_MUST_CHECK enum herd_error file_hold_standard(void);

#endif
