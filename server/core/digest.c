/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/digest.h"

#include <assert.h>
#include <stdlib.h>

#define LEAF_SHIFT (64u - 18u)
#define LINE_INLINE 1024u
#define HASH_HEX 16u
#define HASH_BASE64 11u
#define PAIR_LEN (1u + HASH_BASE64)
#define NO_PAIRS "-"

static const char BASE64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char HEX[] = "0123456789abcdef";

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

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

/* A row is made for its first record, so small tables stay cheap. */
static enum herd_error
digest_mix(struct digest *digest, const struct report *report, struct span line)
{
	uint32_t leaf = digest_leaf(&digest->key, report->client);
	uint64_t **row = &digest->rows[leaf / DIGEST_FAN];
	uint64_t hash;

	/* Fetches the leaf from memory while its record is hashed. */
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
	digest->size.records++;
	digest->size.bytes += line.len + 1;
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
		/* The buffer borrows the stack, so this path allocates nothing.
		 */
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
		int digit = base64_digit(text.data[i]);

		if (digit < 0)
			return HERD_ESYNTAX;
		path = digest_child(path, (unsigned)digit);
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

/* The value of the digits, which must fit: `bits` a digit. */
static bool
hash_parse(const char *text, unsigned digits, unsigned bits,
    int digit_of(char c), uint64_t *hash)
{
	uint64_t parsed = 0;

	for (unsigned i = 0; i < digits; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0 || parsed >> (64 - bits) != 0)
			return false;
		parsed = parsed << bits | (unsigned)digit;
	}
	*hash = parsed;
	return true;
}

static void
hash_format(uint64_t hash, unsigned digits, unsigned bits, const char *alphabet,
    char *text)
{
	for (unsigned i = digits; i > 0; i--) {
		text[i - 1] = alphabet[hash & ((1u << bits) - 1)];
		hash >>= bits;
	}
}

static bool
dense_parse(struct span text, uint64_t hashes[DIGEST_FAN])
{
	for (size_t i = 0; i < DIGEST_FAN; i++) {
		if (!hash_parse(text.data + i * HASH_HEX, HASH_HEX, 4,
			hex_digit, &hashes[i]))
			return false;
	}
	return true;
}

/* A list has one text only: ascending places, and no hash of 0. */
static bool
pairs_parse(struct span text, uint64_t hashes[DIGEST_FAN])
{
	int last = -1;

	if (text.len == 0 || text.len % PAIR_LEN != 0)
		return false;
	for (size_t i = 0; i < text.len; i += PAIR_LEN) {
		int place = base64_digit(text.data[i]);

		if (place <= last ||
		    !hash_parse(text.data + i + 1, HASH_BASE64, 6, base64_digit,
			&hashes[place]) ||
		    hashes[place] == 0)
			return false;
		last = place;
	}
	return true;
}

enum herd_error
digest_hashes_parse(struct span text, uint64_t hashes[DIGEST_FAN])
{
	uint64_t parsed[DIGEST_FAN] = { 0 };
	bool fine =
	    span_is(text, NO_PAIRS) ||
	    (text.len == DIGEST_FAN * HASH_HEX ? dense_parse(text, parsed)
					       : pairs_parse(text, parsed));

	if (!fine)
		return HERD_ESYNTAX;
	memcpy(hashes, parsed, sizeof(parsed));
	return HERD_OK;
}

enum herd_error
digest_hashes_format(
    struct buf *out, const uint64_t hashes[DIGEST_FAN], bool pairs)
{
	char text[DIGEST_FAN * HASH_HEX];
	size_t len = 0;

	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		if (!pairs) {
			hash_format(hashes[i], HASH_HEX, 4, HEX, text + len);
			len += HASH_HEX;
		} else if (hashes[i] != 0) {
			text[len] = BASE64[i];
			hash_format(
			    hashes[i], HASH_BASE64, 6, BASE64, text + len + 1);
			len += PAIR_LEN;
		}
	}
	return len == 0 ? buf_add_text(out, NO_PAIRS) : buf_add(out, text, len);
}

enum herd_error
digest_hex_format(struct buf *out, const uint8_t *bytes, size_t len)
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
digest_hex_parse(struct span text, uint8_t *bytes, size_t len)
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
