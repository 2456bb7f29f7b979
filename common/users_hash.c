/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/users_hash.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

#include "herd/users_file.h"

bool
users_hash_takes(struct span password)
{
	for (size_t i = 0; i < password.len; i++) {
		unsigned char c = (unsigned char)password.data[i];

		if (c < ' ' || c == 0x7f)
			return false;
	}
	return password.len > 0 && password.len <= USERS_PASSWORD_MAX;
}

/* Runs crypt(3); `hash` gets what it gives. False with errno. */
static bool
compute(struct span password, const char *setting, char hash[USERS_HASH_MAX])
{
	struct crypt_data *room = calloc(1, sizeof(*room));
	char phrase[USERS_PASSWORD_MAX + 1];
	const char *got;

	if (room == NULL)
		return false;
	memcpy(phrase, password.data, password.len);
	phrase[password.len] = '\0';
	got = crypt_rn(phrase, setting, room, (int)sizeof(*room));
	if (got != NULL)
		memcpy(hash, got, strlen(got) + 1);
	explicit_bzero(phrase, sizeof(phrase));
	explicit_bzero(room, sizeof(*room));
	free(room);
	return got != NULL;
}

enum herd_error
users_hash_make(struct span password, struct buf *out)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	char hash[USERS_HASH_MAX];

	if (!users_hash_takes(password)) {
		errno = EINVAL;
		return HERD_ESYSTEM;
	}
	if (crypt_gensalt_rn(NULL, 0, NULL, 0, setting, (int)sizeof(setting)) ==
		NULL ||
	    !compute(password, setting, hash))
		return HERD_ESYSTEM;
	return buf_add_text(out, hash);
}

bool
users_hash_fits(struct span hash, struct span password)
{
	char setting[USERS_HASH_MAX];
	char again[USERS_HASH_MAX] = "";
	unsigned char other = 0;

	if (hash.len >= sizeof(setting) || !users_hash_takes(password))
		return false;
	memcpy(setting, hash.data, hash.len);
	setting[hash.len] = '\0';
	if (!compute(password, setting, again) || strlen(again) != hash.len)
		return false;
	for (size_t i = 0; i < hash.len; i++)
		other |= (unsigned char)(again[i] ^ setting[i]);
	return other == 0;
}
