/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bearer tokens of the admin API over TCP: one that may read and write,
 * one that may only read, each in a file of mode 0600.
 */
#ifndef HERD_ADMIN_TOKENS_H
#define HERD_ADMIN_TOKENS_H

#include "admin/routes.h"

#define TOKEN_MIN 16u
#define TOKEN_MAX 512u

struct tokens;

enum token_grant {
	TOKEN_NONE,  /* no Authorization, or not of the form "Bearer TOKEN" */
	TOKEN_WRONG, /* not one of ours */
	TOKEN_READ,
	TOKEN_WRITE,
};

/*
 * Reads the files; "" is no file. HERD_ERANGE: `message` says what is wrong
 * with which and what to do. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error tokens_open(const char *write_path,
    const char *read_path, struct buf *message, struct tokens **out);
void tokens_close(struct tokens *tokens); /* NULL is fine */

/*
 * What the value of an Authorization header (NULL: there was none) grants;
 * in a time that does not depend on how much of a token is right.
 */
enum token_grant tokens_check(
    const struct tokens *tokens, const char *authorization);

#endif
