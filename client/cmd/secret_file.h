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

/* Root gives it to the user of the service, to whom keys of root are closed. */
enum status secret_file_give(struct run *run, const char *path);

#endif
