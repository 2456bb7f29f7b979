/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bearer tokens of the admin API over TCP: one that may read and write,
 * one that may only read, each in a file of mode 0600.
 */
#ifndef HERD_BEARER_TOKENS_H
#define HERD_BEARER_TOKENS_H

#include "herd/keyfile.h"

/* At most, as any key: KEYFILE_WORD_MAX. */
#define TOKEN_MIN 16u

struct bearer_tokens;

enum token_grant {
	TOKEN_NONE,  /* no Authorization, or not of the form "Bearer TOKEN" */
	TOKEN_WRONG, /* not one of ours */
	TOKEN_READ,
	TOKEN_WRITE,
};

/*
 * Reads the files; one whose value is "" is none. HERD_ERANGE, HERD_ESYSTEM
 * ...: `message` says what is wrong with which and what to do.
 */
HERD_MUST_CHECK enum herd_error bearer_tokens_open(
    const struct keyfile *write_file, const struct keyfile *read_file,
    struct buf *message, struct bearer_tokens **out);
void bearer_tokens_close(struct bearer_tokens *tokens); /* NULL is fine */

/*
 * What the value of an Authorization header (NULL: there was none) grants;
 * in a time that does not depend on how much of a token is right.
 */
enum token_grant bearer_tokens_check(
    const struct bearer_tokens *tokens, const char *authorization);

#endif
