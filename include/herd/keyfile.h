/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key, an API key or a token in a file, as a setting names it: a path (%n,
 * relative to the herd file's folder), or "credential:NAME" for a file in
 * $CREDENTIALS_DIRECTORY (systemd's LoadCredential=). The file must be
 * regular, belong to root or to the user of this process, and be closed to
 * others (a path also to its group).
 */
#ifndef HERD_KEYFILE_H
#define HERD_KEYFILE_H

#include "herd/buf.h"

#define KEYFILE_WORD_MAX 512u

struct keyfile {
	const char *name;     /* of the setting, for messages */
	const char *value;    /* of the setting, not "" */
	const char *node;     /* for %n; NULL: the path is taken as it is */
	const char *base_dir; /* NULL: the working directory */
};

/*
 * Reads the file's bytes, white space at its end not counted: `least` to
 * `most` of them; `data` has room for `most` + 1. HERD_ESYSTEM, HERD_ENOMEM:
 * `message` says what is wrong and what to do. Wipe `data` after use.
 */
HERD_MUST_CHECK enum herd_error keyfile_read(const struct keyfile *file,
    size_t least, size_t most, char *data, size_t *len, struct buf *message);

/*
 * Reads a file of one word, white space at its ends apart: 1 to
 * KEYFILE_WORD_MAX printable ASCII characters; `word` gets a NUL after them.
 * Errors as above; `message` never has the word. Wipe it after use.
 */
HERD_MUST_CHECK enum herd_error keyfile_read_word(const struct keyfile *file,
    char word[KEYFILE_WORD_MAX + 1], size_t *len, struct buf *message);

#endif
