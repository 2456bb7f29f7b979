/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of keys and tokens, as `key new', `token new' and their like make and
 * change them. See herd/keyfile.h for what is in one. No secret is shown,
 * except by secret_file_print().
 */
#ifndef HERD_SECRET_FILE_H
#define HERD_SECRET_FILE_H

#include "run/run.h"

/*
 * What `key new' and `token new' do with their arguments: print a word, make
 * a file with it, or append it to a file. `what` is "key" or "token".
 */
enum status secret_file_new(struct run *run, const char *what);

/* What `key drop' and `token drop' do: only the last word stays. */
enum status secret_file_drop(struct run *run, const char *what);

/* Makes the file, of mode 0600, with a new word. Says what fails. */
enum status secret_file_make(struct run *run, const char *path);

/* Room for a word of so many random bytes, without the NUL. */
#define SECRET_FILE_WORD(bytes) (2 * (bytes))

/* A new word of at most 32 random bytes, with a NUL. Says what fails. */
enum status secret_file_word(struct run *run, size_t bytes, char *word);

/* Root gives a new file to the user that the service runs as. */
enum status secret_file_own(struct run *run, const char *path);

/* Makes the file, of mode 0600, with that text. False with errno. */
bool secret_file_write(const char *path, struct span text);

/*
 * Puts the text in the place of the file at once, with its owner and mode, so
 * that a node that reads it meanwhile gets all of the one or of the other.
 * False with errno.
 */
bool secret_file_replace(const char *path, struct span text);

/* Gives what a link names, so that the link stays when that is replaced. */
char *secret_file_resolve(const char *path);

#endif
