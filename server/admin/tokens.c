/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "herd/text.h"

/* Hashes are compared: same length, and nothing to learn from a prefix. */
struct token {
	bool set;
	unsigned char hash[SHA256_DIGEST_LENGTH];
};

struct tokens {
	struct token write;
	struct token read;
};

static const char *
file_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if ((st->st_mode & 077) != 0)
		return "others may read it; chmod 600 it";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "owned by another user; chown it";
	return NULL;
}

static const char *
token_fault(struct span token)
{
	if (token.len < TOKEN_MIN)
		return "shorter than 16 bytes; make one with `openssl rand "
		       "-hex 32`";
	if (token.len > TOKEN_MAX)
		return "longer than 512 bytes";
	for (size_t i = 0; i < token.len; i++) {
		if (token.data[i] <= ' ' || token.data[i] > '~')
			return "not one line of printable ASCII";
	}
	return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *
token_read(const char *path, struct token *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[TOKEN_MAX + 2];
	const char *fault = NULL;
	struct span token;
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &st) == 0)
		fault = file_fault(&st);
	if (fault == NULL)
		n = read(fd, text, sizeof(text));
	if (fault == NULL && n < 0)
		fault = strerror(errno);
	close(fd);
	if (fault != NULL)
		return fault;
	token = text_trim(span_of(text, (size_t)n));
	fault = token_fault(token);
	if (fault == NULL) {
		SHA256((const unsigned char *)token.data, token.len, out->hash);
		out->set = true;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return fault;
}

static enum herd_error
open_one(const char *setting, const char *path, struct buf *message,
    struct token *out)
{
	const char *fault;

	if (path[0] == '\0')
		return HERD_OK;
	fault = token_read(path, out);
	if (fault == NULL)
		return HERD_OK;
	return buf_addf(message, "%s %s: %s", setting, path, fault) == HERD_OK
		   ? HERD_ERANGE
		   : HERD_ENOMEM;
}

enum herd_error
tokens_open(const char *write_path, const char *read_path, struct buf *message,
    struct tokens **out)
{
	struct tokens *tokens = calloc(1, sizeof(*tokens));
	enum herd_error error;

	if (tokens == NULL)
		return HERD_ENOMEM;
	error =
	    open_one("admin.token_file", write_path, message, &tokens->write);
	if (error == HERD_OK)
		error = open_one(
		    "admin.read_token_file", read_path, message, &tokens->read);
	if (error != HERD_OK) {
		tokens_close(tokens);
		return error;
	}
	*out = tokens;
	return HERD_OK;
}

void
tokens_close(struct tokens *tokens)
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
tokens_check(const struct tokens *tokens, const char *authorization)
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
