/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/digest.h"

#include <assert.h>
#include <stdlib.h>

#define LEAF_SHIFT (64u - 18u)
#define LINE_INLINE 1024u

static const char BASE64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char HEX[] = "0123456789abcdef";

struct siphash_key
digest_key(const uint8_t first[DIGEST_NONCE_LEN],
    const uint8_t second[DIGEST_NONCE_LEN], uint64_t exchange)
{
	struct siphash_key base = siphash_key(first);
	uint8_t message[DIGEST_NONCE_LEN + 9];
	struct siphash_key key;

	memcpy(message, second, DIGEST_NONCE_LEN);
	for (unsigned i = 0; i < 8; i++)
		message[DIGEST_NONCE_LEN + i] = (uint8_t)(exchange >> (8 * i));
	message[DIGEST_NONCE_LEN + 8] = 0;
	key.k0 = siphash(&base, message, sizeof(message));
	message[DIGEST_NONCE_LEN + 8] = 1;
	key.k1 = siphash(&base, message, sizeof(message));
	return key;
}

enum herd_error
digest_new(const struct siphash_key *key, struct digest **out)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (digest == NULL)
		return HERD_ENOMEM;
	digest->key = *key;
	*out = digest;
	return HERD_OK;
}

void
digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	for (unsigned i = 0; i < DIGEST_FAN * DIGEST_FAN; i++)
		free(digest->rows[i]);
	free(digest);
}

uint32_t
digest_leaf(const struct siphash_key *key, struct span client)
{
	return (uint32_t)(siphash(key, client.data, client.len) >> LEAF_SHIFT);
}

/* Rows are made when a record falls into them: small tables stay cheap. */
static enum herd_error
digest_mix(struct digest *digest, const struct report *report, struct span line)
{
	uint32_t leaf = digest_leaf(&digest->key, report->client);
	uint64_t **row = &digest->rows[leaf / DIGEST_FAN];
	uint64_t hash;

	/* The leaf comes from memory while its record is hashed. */
	if (*row != NULL)
		__builtin_prefetch(&(*row)[leaf % DIGEST_FAN], 1);
	hash = siphash(&digest->key, line.data, line.len);
	if (*row == NULL)
		*row = calloc(DIGEST_FAN, sizeof(**row));
	if (*row == NULL)
		return HERD_ENOMEM;
	(*row)[leaf % DIGEST_FAN] ^= hash;
	digest->middle[leaf / DIGEST_FAN] ^= hash;
	digest->top[leaf / (DIGEST_FAN * DIGEST_FAN)] ^= hash;
	digest->records++;
	return HERD_OK;
}

enum herd_error
digest_add(struct digest *digest, const struct report *report)
{
	size_t len = report_line_len(report);
	char small[LINE_INLINE];
	struct buf line;
	enum herd_error error;

	buf_init(&line, len);
	if (len <= sizeof(small)) {
		/* No allocation on this path: the buffer borrows the stack. */
		line.data = small;
		line.cap = sizeof(small);
		error = report_format(&line, report);
		assert(error == HERD_OK && line.data == small);
		return digest_mix(digest, report, buf_span(&line));
	}
	error = report_format(&line, report);
	if (error == HERD_OK)
		error = digest_mix(digest, report, buf_span(&line));
	buf_release(&line);
	return error;
}

const uint64_t *
digest_children(const struct digest *digest, struct digest_path path)
{
	static const uint64_t empty[DIGEST_FAN];

	assert(path.depth < DIGEST_DEPTH);
	if (path.depth == 0)
		return digest->top;
	if (path.depth == 1)
		return &digest->middle[path.index * DIGEST_FAN];
	return digest->rows[path.index] == NULL ? empty
						: digest->rows[path.index];
}

struct digest_path
digest_child(struct digest_path path, unsigned child)
{
	return (struct digest_path){ path.depth + 1,
		path.index * DIGEST_FAN + child };
}

uint32_t
digest_first_leaf(struct digest_path path, uint32_t *count)
{
	uint32_t leaves = 1;

	for (unsigned i = path.depth; i < DIGEST_DEPTH; i++)
		leaves *= DIGEST_FAN;
	*count = leaves;
	return path.index * leaves;
}

enum herd_error
digest_path_parse(struct span text, unsigned max_depth, struct digest_path *out)
{
	struct digest_path path = { 0, 0 };

	if (span_is(text, "-")) {
		*out = path;
		return HERD_OK;
	}
	if (text.len == 0 || text.len > max_depth)
		return HERD_ESYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(BASE64, text.data[i], DIGEST_FAN);

		if (digit == NULL)
			return HERD_ESYNTAX;
		path = digest_child(path, (unsigned)(digit - BASE64));
	}
	*out = path;
	return HERD_OK;
}

enum herd_error
digest_path_format(struct buf *out, struct digest_path path)
{
	char digits[DIGEST_DEPTH];
	uint32_t index = path.index;

	if (path.depth == 0)
		return buf_add_byte(out, '-');
	for (unsigned i = path.depth; i > 0; i--) {
		digits[i - 1] = BASE64[index % DIGEST_FAN];
		index /= DIGEST_FAN;
	}
	return buf_add(out, digits, path.depth);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum herd_error
digest_hashes_parse(struct span text, uint64_t hashes[DIGEST_FAN])
{
	uint64_t parsed[DIGEST_FAN] = { 0 };

	if (text.len != DIGEST_FAN * 16u)
		return HERD_ESYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_digit(text.data[i]);

		if (digit < 0)
			return HERD_ESYNTAX;
		parsed[i / 16] = parsed[i / 16] << 4 | (unsigned)digit;
	}
	memcpy(hashes, parsed, sizeof(parsed));
	return HERD_OK;
}

enum herd_error
digest_hashes_format(struct buf *out, const uint64_t hashes[DIGEST_FAN])
{
	char text[DIGEST_FAN * 16u];

	for (unsigned i = 0; i < DIGEST_FAN * 16u; i++)
		text[i] = HEX[(hashes[i / 16] >> (60u - 4u * (i % 16u))) & 15u];
	return buf_add(out, text, sizeof(text));
}

enum herd_error
hex_format(struct buf *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char digits[2] = { HEX[bytes[i] >> 4], HEX[bytes[i] & 15u] };
		enum herd_error error = buf_add(out, digits, sizeof(digits));

		if (error != HERD_OK)
			return error;
	}
	return HERD_OK;
}

enum herd_error
hex_parse(struct span text, uint8_t *bytes, size_t len)
{
	if (text.len != 2 * len)
		return HERD_ESYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		if (hex_digit(text.data[i]) < 0)
			return HERD_ESYNTAX;
	}
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text.data[2 * i]);
		int low = hex_digit(text.data[2 * i + 1]);

		assert(high >= 0 && low >= 0);
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return HERD_OK;
}
