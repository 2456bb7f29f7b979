/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys, an API key or tokens in a file, as a setting names it: a path (%n,
 * relative to the herd file's folder), or "credential:NAME" for a file in
 * $CREDENTIALS_DIRECTORY (systemd's LoadCredential=). The file must be
 * regular, belong to root or to the user of this process, and be closed to
 * others (a path also to its group).
 */
#ifndef HERD_KEYFILE_H
#define HERD_KEYFILE_H

#include <stdbool.h>

#include "herd/buf.h"

#define KEYFILE_WORD_MAX 512u
#define KEYFILE_WORDS_MAX 8u

struct keyfile {
	const char *name;     /* of the setting, for messages */
	const char *value;    /* of the setting, not "" */
	const char *node;     /* for %n; NULL: the path is taken as it is */
	const char *base_dir; /* NULL: the working directory */
	bool any_owner;       /* root uses the file of another user */
};

/*
 * The words of a file, one a line: the first is the one to use, all are
 * accepted, so that a new one can go to each machine before the old one goes.
 */
struct keyfile_words {
	unsigned count; /* at least 1 */
	struct span words[KEYFILE_WORDS_MAX];
	char *text;  /* where they are */
	size_t room; /* of `text` */
};

/* What a line may have. */
enum keyfile_form {
	KEYFILE_WORD,   /* printable ASCII without spaces */
	KEYFILE_PHRASE, /* spaces too; of a file with one line all bytes */
};

/*
 * Reads a file of one to KEYFILE_WORDS_MAX words of `least` to `most` bytes,
 * each on a line of its own. Empty lines and those that begin with # are no
 * words; white space around a word is no part of it. HERD_ESYSTEM, HERD_ENOMEM:
 * `message` says what is wrong and what to do, and never has a word.
 * keyfile_words_wipe() them after use.
 */
HERD_MUST_CHECK enum herd_error keyfile_read_words(const struct keyfile *file,
    enum keyfile_form form, size_t least, size_t most,
    struct keyfile_words *out, struct buf *message);

/* Overwrites and frees them; fine for one that is all zero. */
void keyfile_words_wipe(struct keyfile_words *words);

/*
 * Reads the whole file, such as a key in PEM form, of `least` to `most` bytes
 * without the white space at its end; `data` has room for one more. Errors as
 * above; then `data` is wiped.
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
