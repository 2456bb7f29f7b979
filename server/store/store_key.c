/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_key.h"

#include <openssl/sha.h>

_Static_assert(ENGINE_KEY_LEN == SHA256_DIGEST_LENGTH, "a key is a SHA-256");

void
store_key(struct span client, uint8_t key[ENGINE_KEY_LEN])
{
	SHA256((const unsigned char *)client.data, client.len, key);
}
