/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/glob.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES 256u
#define WORD_BITS 64u
#define WORDS_MAX (GLOB_MAX / WORD_BITS)

/* --- elements: each is one byte of a text ------------------------------- */

/* Where the element at `at` ends. */
static size_t
element_end(struct span pattern, size_t closes, size_t at)
{
	size_t end = at + 1;

	if (pattern.data[at] == '\\' && end < pattern.len)
		return end + 1;
	if (pattern.data[at] != '[')
		return end;
	if (end < closes && pattern.data[end] == '!')
		end++;
	/* A ']' that comes first is a byte of the set. */
	for (end++; end < closes; end++) {
		if (pattern.data[end] == ']')
			return end + 1;
	}
	return at + 1;
}

static bool
set_has(struct span set, unsigned char byte)
{
	bool wanted = true;
	bool found = false;

	if (set.len > 0 && set.data[0] == '!') {
		wanted = false;
		set = span_of(set.data + 1, set.len - 1);
	}
	for (size_t i = 0; i < set.len; i++) {
		unsigned char low = (unsigned char)set.data[i];
		unsigned char high = low;

		if (i + 2 < set.len && set.data[i + 1] == '-') {
			high = (unsigned char)set.data[i + 2];
			i += 2;
		}
		found |= low <= byte && byte <= high;
	}
	return found == wanted;
}

/* Is the byte of the element in pattern[at, end), no '*'? */
static bool
element_has(struct span pattern, size_t at, size_t end, char byte)
{
	if (end - at > 2)
		return set_has(span_of(pattern.data + at + 1, end - at - 2),
		    (unsigned char)byte);
	if (end - at == 2)
		return pattern.data[at + 1] == byte;
	return pattern.data[at] == '?' || pattern.data[at] == byte;
}

/* --- pieces: elements between two '*' ------------------------------------ */

struct piece {
	struct span text;
	size_t closes; /* after its last ']', so that each '[' ends soon */
	size_t count;  /* of elements */
};

static size_t
last_close(struct span text)
{
	while (text.len > 0 && text.data[text.len - 1] != ']')
		text.len--;
	return text.len;
}

/* Takes elements from the front of *rest, up to a '*' or its end. */
static struct piece
take_piece(struct span *rest)
{
	struct piece piece = { .closes = last_close(*rest) };
	size_t end = 0;

	for (; end < rest->len && rest->data[end] != '*'; piece.count++)
		end = element_end(*rest, piece.closes, end);
	piece.text = span_of(rest->data, end);
	if (piece.closes > end)
		piece.closes = last_close(piece.text);
	*rest = span_of(rest->data + end, rest->len - end);
	return piece;
}

/* Does the piece match the first bytes of a text that is long enough? */
static bool
piece_begins(const struct piece *piece, const char *text)
{
	size_t end;

	for (size_t at = 0; at < piece->text.len; at = end) {
		end = element_end(piece->text, piece->closes, at);
		if (!element_has(piece->text, at, end, *text++))
			return false;
	}
	return true;
}

/*
 * All positions of a long text at once, so that hostile patterns on long ids
 * hold nobody up: bit i of the state says that the bytes up to here match the
 * elements 0 to i.
 */
static bool
find_in_long(const struct piece *piece, struct span text, size_t *after)
{
	size_t words = (piece->count + WORD_BITS - 1) / WORD_BITS;
	size_t last = piece->count - 1;
	uint64_t masks[BYTES * WORDS_MAX];
	uint64_t state[WORDS_MAX] = { 0 };

	memset(masks, 0, BYTES * words * sizeof(*masks));
	for (size_t at = 0, end, i = 0; at < piece->text.len; at = end, i++) {
		end = element_end(piece->text, piece->closes, at);
		for (unsigned b = 0; b < BYTES; b++) {
			if (element_has(piece->text, at, end, (char)b))
				masks[b * words + i / WORD_BITS] |=
				    UINT64_C(1) << i % WORD_BITS;
		}
	}
	for (size_t t = 0; t < text.len; t++) {
		const uint64_t *mask =
		    &masks[(unsigned char)text.data[t] * words];
		uint64_t carry = 1;

		for (size_t w = 0; w < words; w++) {
			uint64_t moved = state[w] << 1 | carry;

			carry = state[w] >> (WORD_BITS - 1);
			state[w] = moved & mask[w];
		}
		*after = t + 1;
		if ((state[words - 1] >> last % WORD_BITS & 1) != 0)
			return true;
	}
	return false;
}

/* Sets where the first match ends. */
static bool
piece_find(const struct piece *piece, struct span text, size_t *after)
{
	*after = 0;
	if (piece->count == 0)
		return true;
	if (text.len > BYTES)
		return find_in_long(piece, text, after);
	for (size_t t = 0; t + piece->count <= text.len; t++) {
		*after = t + piece->count;
		if (piece_begins(piece, text.data + t))
			return true;
	}
	return false;
}

bool
glob_matches(struct span pattern, struct span text)
{
	struct piece piece;
	size_t after;

	if (pattern.len > GLOB_MAX)
		return false;
	piece = take_piece(&pattern);
	if (piece.count > text.len || !piece_begins(&piece, text.data))
		return false;
	after = piece.count;
	while (pattern.len > 0) {
		text = span_of(text.data + after, text.len - after);
		pattern = span_of(pattern.data + 1, pattern.len - 1);
		piece = take_piece(&pattern);
		if (pattern.len == 0)
			return piece.count <= text.len &&
			       piece_begins(&piece,
				   text.data + (text.len - piece.count));
		if (!piece_find(&piece, text, &after))
			return false;
	}
	return after == text.len;
}

struct span
glob_prefix(struct span pattern)
{
	size_t len = 0;

	while (
	    len < pattern.len && memchr("*?[\\", pattern.data[len], 4) == NULL)
		len++;
	return span_of(pattern.data, len);
}
