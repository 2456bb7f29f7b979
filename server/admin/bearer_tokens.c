/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/bearer_tokens.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include "herd/text.h"

static enum herd_error
read_tokens(const struct keyfile *file, const struct keyring *known,
    struct keyring *out, struct buf *message)
{
	if (file->value[0] == '\0')
		return HERD_OK;
	return keyring_read(file, KEYRING_TOKENS, TOKEN_MIN, KEYFILE_WORD_MAX,
	    known, out, message);
}

enum herd_error
bearer_tokens_read(const struct keyfile *write_file,
    const struct keyfile *read_file, const struct bearer_tokens *known,
    struct bearer_tokens *out, struct buf *message)
{
	struct bearer_tokens tokens = { 0 };
	enum herd_error error =
	    read_tokens(write_file, &known->write, &tokens.write, message);

	if (error == HERD_OK)
		error =
		    read_tokens(read_file, &known->read, &tokens.read, message);
	if (error == HERD_OK)
		*out = tokens;
	bearer_tokens_wipe(&tokens);
	return error;
}

void
bearer_tokens_wipe(struct bearer_tokens *tokens)
{
	OPENSSL_cleanse(tokens, sizeof(*tokens));
}

bool
bearer_tokens_exist(const struct bearer_tokens *tokens)
{
	return tokens->write.count + tokens->read.count > 0;
}

enum token_grant
bearer_tokens_check(
    const struct bearer_tokens *tokens, const char *authorization)
{
	static const char SCHEME[] = "Bearer ";
	struct span token;
	bool may_write;
	bool may_read;

	if (authorization == NULL ||
	    strncasecmp(authorization, SCHEME, strlen(SCHEME)) != 0)
		return TOKEN_NONE;
	token = text_trim(span_from(authorization + strlen(SCHEME)));
	may_write = keyring_has(&tokens->write, token);
	may_read = keyring_has(&tokens->read, token);
	return may_write ? TOKEN_WRITE : may_read ? TOKEN_READ : TOKEN_WRONG;
}
