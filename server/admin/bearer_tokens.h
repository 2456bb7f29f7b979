/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bearer tokens of the admin API over TCP: those that may read and write,
 * and those that may only read, each kind in a file of mode 0600.
 */
#ifndef HERD_BEARER_TOKENS_H
#define HERD_BEARER_TOKENS_H

#include "base/keyring.h"

/* At most, as any key: KEYFILE_WORD_MAX. */
#define TOKEN_MIN 16u

/* All zero: none. */
struct bearer_tokens {
	struct keyring write;
	struct keyring read;
};

enum token_grant {
	TOKEN_NONE,  /* no Authorization, or not of the form "Bearer TOKEN" */
	TOKEN_WRONG, /* not one of ours */
	TOKEN_READ,
	TOKEN_WRITE,
};

/*
 * Reads the files; one whose value is "" has none. `known`: see keyring.h; it
 * may be `out`, which an error leaves as it is. HERD_ESYSTEM ...: `message`
 * says what is wrong with which and what to do.
 */
HERD_MUST_CHECK enum herd_error bearer_tokens_read(
    const struct keyfile *write_file, const struct keyfile *read_file,
    const struct bearer_tokens *known, struct bearer_tokens *out,
    struct buf *message);
void bearer_tokens_wipe(struct bearer_tokens *tokens);

/* Is there any? */
bool bearer_tokens_exist(const struct bearer_tokens *tokens);

/*
 * What the value of an Authorization header (NULL: there was none) grants;
 * in a time that does not depend on how much of a token is right.
 */
enum token_grant bearer_tokens_check(
    const struct bearer_tokens *tokens, const char *authorization);

#endif
