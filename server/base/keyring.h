/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The secrets of a file with several of them: the links' keys, or the tokens
 * of the admin API. The first is the one to use, each is accepted.
 *
 * A fingerprint names a secret without telling it: for people who compare two
 * machines, and for the node that is dialled to choose the right key. It is
 * the first 32 bits of scrypt (N 4096, r 8, p 1) of the secret, with the kind
 * of the secret as salt, so that a key and a token of one text differ. Why it
 * may be shown and sent in clear: of a random secret 32 bits tell nothing that
 * helps. A secret that somebody thought up can be guessed, but each guess
 * costs 4 MB and ten milliseconds, and one in 4,000 million wrong ones
 * agrees too; the handshake of a link, which can be overheard, judges a guess
 * thousands of times faster and without doubt.
 */
#ifndef HERD_KEYRING_H
#define HERD_KEYRING_H

#include <stdbool.h>

#include "herd/keyfile.h"

#define KEYRING_HASH_LEN 32u       /* of SHA-256 */
#define KEYRING_FINGERPRINT_LEN 8u /* hexadecimal digits */

enum keyring_kind { KEYRING_LINK_KEYS, KEYRING_TOKENS };

struct keyring_key {
	unsigned char hash[KEYRING_HASH_LEN]; /* of the secret's text */
	char fingerprint[KEYRING_FINGERPRINT_LEN + 1];
};

/* All zero: none. */
struct keyring {
	unsigned count;
	struct keyring_key keys[KEYFILE_WORDS_MAX];
};

/*
 * Reads the file's secrets, of `least` to `most` bytes. `known`, which may be
 * NULL, saves the work for those whose fingerprint it has. Errors as in
 * keyfile.h. keyring_wipe() it after use.
 */
HERD_MUST_CHECK enum herd_error keyring_read(const struct keyfile *file,
    enum keyring_kind kind, size_t least, size_t most,
    const struct keyring *known, struct keyring *out, struct buf *message);

void keyring_wipe(struct keyring *ring);

/* The same secrets in the same order? Takes no secret time. */
bool keyring_equal(const struct keyring *a, const struct keyring *b);

/* The key with that fingerprint, NULL if none. */
const struct keyring_key *keyring_find(
    const struct keyring *ring, const char *fingerprint);

/*
 * Has it this secret? In a time that depends neither on how much of the secret
 * is right nor on which one it is.
 */
bool keyring_has(const struct keyring *ring, struct span secret);

/* Appends the fingerprints, the first first, with a space between two. */
HERD_MUST_CHECK enum herd_error keyring_names(
    const struct keyring *ring, struct buf *out);

/* Is that text of a fingerprint's form? */
bool keyring_is_fingerprint(const char *text);

#endif
