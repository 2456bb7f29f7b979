/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/keyring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define SCRYPT_N 4096u
#define SCRYPT_R 8u
#define SCRYPT_P 1u
#define SCRYPT_MEMORY (16u << 20)

static const char *const salts[] = {
	[KEYRING_LINK_KEYS] = "herd fingerprint of a link key",
	[KEYRING_TOKENS] = "herd fingerprint of a token",
};

static enum herd_error
fingerprint(enum keyring_kind kind, struct span secret, char *out)
{
	const char *salt = salts[kind];
	unsigned char raw[KEYRING_FINGERPRINT_LEN / 2];

	if (EVP_PBE_scrypt(secret.data, secret.len, (const unsigned char *)salt,
		strlen(salt), SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY, raw,
		sizeof(raw)) != 1)
		return HERD_ENOMEM;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return HERD_OK;
}

static enum herd_error
keyring_add(struct keyring *ring, enum keyring_kind kind, struct span secret,
    const struct keyring *known)
{
	struct keyring_key *key = &ring->keys[ring->count++];

	SHA256((const unsigned char *)secret.data, secret.len, key->hash);
	for (unsigned i = 0; known != NULL && i < known->count; i++) {
		if (CRYPTO_memcmp(
			known->keys[i].hash, key->hash, KEYRING_HASH_LEN) != 0)
			continue;
		memcpy(key->fingerprint, known->keys[i].fingerprint,
		    sizeof(key->fingerprint));
		return HERD_OK;
	}
	return fingerprint(kind, secret, key->fingerprint);
}

enum herd_error
keyring_read(const struct keyfile *file, enum keyring_kind kind, size_t least,
    size_t most, const struct keyring *known, struct keyring *out,
    struct buf *message)
{
	struct keyring ring = { 0 };
	struct keyfile_words words;
	enum herd_error error = keyfile_read_words(file,
	    kind == KEYRING_LINK_KEYS ? KEYFILE_PHRASE : KEYFILE_WORD, least,
	    most, &words, message);

	if (error != HERD_OK)
		return error;
	for (unsigned i = 0; i < words.count && error == HERD_OK; i++)
		error = keyring_add(&ring, kind, words.words[i], known);
	keyfile_words_wipe(&words);
	if (error == HERD_OK)
		*out = ring;
	keyring_wipe(&ring);
	return error;
}

void
keyring_wipe(struct keyring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}

bool
keyring_equal(const struct keyring *a, const struct keyring *b)
{
	bool equal = a->count == b->count;

	for (unsigned i = 0; equal && i < a->count; i++)
		equal = CRYPTO_memcmp(a->keys[i].hash, b->keys[i].hash,
			    KEYRING_HASH_LEN) == 0;
	return equal;
}

const struct keyring_key *
keyring_find(const struct keyring *ring, const char *name)
{
	for (unsigned i = 0; i < ring->count; i++) {
		if (strcmp(ring->keys[i].fingerprint, name) == 0)
			return &ring->keys[i];
	}
	return NULL;
}

bool
keyring_has(const struct keyring *ring, struct span secret)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	unsigned found = 0;

	SHA256((const unsigned char *)secret.data, secret.len, hash);
	for (unsigned i = 0; i < ring->count; i++)
		found |= CRYPTO_memcmp(
			     ring->keys[i].hash, hash, KEYRING_HASH_LEN) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	return found != 0;
}

enum herd_error
keyring_names(const struct keyring *ring, struct buf *out)
{
	enum herd_error error = HERD_OK;

	for (unsigned i = 0; i < ring->count && error == HERD_OK; i++)
		error = buf_addf(
		    out, "%s%s", i == 0 ? "" : " ", ring->keys[i].fingerprint);
	return error;
}

bool
keyring_is_fingerprint(const char *text)
{
	return strlen(text) == KEYRING_FINGERPRINT_LEN &&
	       strspn(text, "0123456789abcdef") == KEYRING_FINGERPRINT_LEN;
}
