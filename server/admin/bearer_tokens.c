/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/bearer_tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "herd/text.h"

/* Compares hashes, because their length is fixed and a prefix tells nothing. */
struct token {
	bool set;
	unsigned char hash[SHA256_DIGEST_LENGTH];
};

struct bearer_tokens {
	struct token write;
	struct token read;
};

static enum herd_error
read_token(const struct keyfile *file, struct token *out, struct buf *message)
{
	char word[KEYFILE_WORD_MAX + 1];
	size_t len = 0;
	enum herd_error error = HERD_OK;

	if (file->value[0] == '\0')
		return HERD_OK;
	error = keyfile_read_word(file, word, &len, message);
	if (error == HERD_OK && len < TOKEN_MIN) {
		error = buf_addf(message,
		    "%s %s: shorter than %u bytes; make one with `openssl"
		    " rand -hex 32`",
		    file->name, file->value, TOKEN_MIN);
		if (error == HERD_OK)
			error = HERD_ERANGE;
	}
	if (error == HERD_OK) {
		SHA256((const unsigned char *)word, len, out->hash);
		out->set = true;
	}
	OPENSSL_cleanse(word, sizeof(word));
	return error;
}

enum herd_error
bearer_tokens_open(const struct keyfile *write_file,
    const struct keyfile *read_file, struct buf *message,
    struct bearer_tokens **out)
{
	struct bearer_tokens *tokens = calloc(1, sizeof(*tokens));
	enum herd_error error;

	if (tokens == NULL)
		return HERD_ENOMEM;
	error = read_token(write_file, &tokens->write, message);
	if (error == HERD_OK)
		error = read_token(read_file, &tokens->read, message);
	if (error != HERD_OK) {
		bearer_tokens_close(tokens);
		return error;
	}
	*out = tokens;
	return HERD_OK;
}

void
bearer_tokens_close(struct bearer_tokens *tokens)
{
	if (tokens == NULL)
		return;
	OPENSSL_cleanse(tokens, sizeof(*tokens));
	free(tokens);
}

static bool
token_is(const struct token *token, const unsigned char *hash)
{
	return (CRYPTO_memcmp(token->hash, hash, SHA256_DIGEST_LENGTH) == 0) &
	       token->set;
}

enum token_grant
bearer_tokens_check(
    const struct bearer_tokens *tokens, const char *authorization)
{
	static const char SCHEME[] = "Bearer ";
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct span token;
	bool may_write;
	bool may_read;

	if (authorization == NULL ||
	    strncasecmp(authorization, SCHEME, strlen(SCHEME)) != 0)
		return TOKEN_NONE;
	token = text_trim(span_from(authorization + strlen(SCHEME)));
	SHA256((const unsigned char *)token.data, token.len, hash);
	may_write = token_is(&tokens->write, hash);
	may_read = token_is(&tokens->read, hash);
	return may_write ? TOKEN_WRITE : may_read ? TOKEN_READ : TOKEN_WRONG;
}
