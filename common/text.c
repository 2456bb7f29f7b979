/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/text.h"

#include <string.h>

/* "\u{10FFFF}" fits. */
#define CODE_ESCAPE_MAX 12u

/* Words longer than this are too unlike each other to compare. */
#define DISTANCE_WORD_MAX 64u

static const char hex_digits[] = "0123456789abcdef";

struct span
text_next_field(struct span *rest)
{
	const char *p = rest->data, *end = p + rest->len;
	struct span field;

	while (p < end && text_is_space(*p))
		p++;
	field.data = p;
	while (p < end && !text_is_space(*p))
		p++;
	field.len = (size_t)(p - field.data);
	rest->data = p;
	rest->len = (size_t)(end - p);
	return field;
}

struct span
text_without_bom(struct span text)
{
	static const char bom[] = "\xef\xbb\xbf";
	size_t len = sizeof(bom) - 1u;

	if (text.len < len || memcmp(text.data, bom, len) != 0)
		return text;
	return span_of(text.data + len, text.len - len);
}

struct span
text_trim(struct span text)
{
	while (text.len > 0 && text_is_space(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && text_is_space(text.data[text.len - 1u]))
		text.len--;
	return text;
}

/* The letter that follows the backslash, or NUL when it takes hex. */
static char
escape_letter(char c)
{
	switch (c) {
	case '\n': return 'n';
	case '\t': return 't';
	case '\r': return 'r';
	case '"':
	case '\\': return c;
	default: return '\0';
	}
}

static size_t
put_hex_byte(char *out, unsigned char byte)
{
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex_digits[byte >> 4];
	out[3] = hex_digits[byte & 0xf];
	return 4;
}

size_t
text_escape_byte(char out[TEXT_ESCAPE_MAX], char c)
{
	out[0] = '\\';
	out[1] = escape_letter(c);
	if (out[1] != '\0')
		return 2;
	if (c < ' ' || c > '~')
		return put_hex_byte(out, (unsigned char)c);
	out[0] = c;
	return 1;
}

enum herd_error
text_escape(struct buf *out, struct span text, size_t max)
{
	size_t before = out->len, shown = text.len < max ? text.len : max, i, n;
	enum herd_error error = HERD_OK;
	char piece[TEXT_ESCAPE_MAX];

	for (i = 0; i < shown && error == HERD_OK; i++) {
		n = text_escape_byte(piece, text.data[i]);
		error = buf_add(out, piece, n);
	}
	if (error == HERD_OK && shown < text.len)
		error = buf_add_text(out, "...");
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

/* Source: RFC 3629, 4 (the table of well-formed sequences). */
size_t
text_utf8_take(struct span text, uint32_t *code)
{
	const unsigned char *p = (const unsigned char *)text.data;
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (text.len < len)
		return 0;
	/* Narrower second bytes: no overlong form, surrogate, > 10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	*code = p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3fu);
	}
	return len;
}

size_t
text_utf8_put(char out[TEXT_UTF8_MAX], uint32_t code)
{
	static const unsigned char first[] = { 0, 0xc0, 0xe0, 0xf0 };
	unsigned more = code < 0x80      ? 0
			: code < 0x800   ? 1
			: code < 0x10000 ? 2
					 : 3;
	size_t len = 0;

	out[len++] = (char)(first[more] | (code >> (6 * more)));
	while (more-- > 0)
		out[len++] = (char)(0x80 | ((code >> (6 * more)) & 0x3f));
	return len;
}

bool
text_is_utf8(struct span text)
{
	uint32_t code;
	size_t n;

	while (text.len > 0) {
		n = text_utf8_take(text, &code);
		if (n == 0)
			return false;
		text.data += n;
		text.len -= n;
	}
	return true;
}

struct span
text_utf8_last(struct span text, unsigned count)
{
	size_t at = text.len;

	while (count > 0 && at > 0) {
		at--;
		/* The bytes of a character after its first one are 10xxxxxx. */
		count -= (text.data[at] & 0xc0) != 0x80;
	}
	return span_of(text.data + at, text.len - at);
}

struct span
text_utf8_whole(struct span text)
{
	for (size_t n = 1; n <= 3 && n <= text.len; n++) {
		unsigned char c = (unsigned char)text.data[text.len - n];
		size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c < 0x80)
			break;
		if (c >= 0xc0)
			return span_of(text.data, text.len - (len > n ? n : 0));
	}
	return text;
}

enum herd_error
text_to_utf8(struct buf *out, struct span text)
{
	size_t before = out->len, n;
	enum herd_error error;
	uint32_t code;

	while (text.len > 0) {
		n = text_utf8_take(text, &code);
		if (n > 0) {
			error = buf_add(out, text.data, n);
		} else {
			error = buf_add_text(out, "\xef\xbf\xbd");
			n = 1;
		}
		if (error != HERD_OK) {
			buf_truncate(out, before);
			return error;
		}
		text.data += n;
		text.len -= n;
	}
	return HERD_OK;
}

bool
text_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* "\xHH" for ASCII, "\u{HHHH}" beyond. */
static size_t
put_code_escape(char *out, uint32_t code)
{
	unsigned shift = 16;
	size_t n = 3;

	if (code < 0x80)
		return put_hex_byte(out, (unsigned char)code);
	memcpy(out, "\\u{", 3);
	while (shift > 0) {
		shift -= 4;
		out[n++] = hex_digits[code >> shift & 0xf];
	}
	out[n++] = '}';
	return n;
}

size_t
text_shown(struct span text)
{
	uint32_t code;
	size_t len = text_utf8_take(text, &code);

	return len > 0 && !text_is_control(code) ? len : 0;
}

enum herd_error
text_to_terminal(struct buf *out, struct span text)
{
	size_t before = out->len, n, taken;
	enum herd_error error;
	char piece[CODE_ESCAPE_MAX];
	uint32_t code;

	while (text.len > 0) {
		taken = text_utf8_take(text, &code);
		if (taken == 0) {
			n = put_hex_byte(piece, (unsigned char)text.data[0]);
			error = buf_add(out, piece, n);
			taken = 1;
		} else if (text_is_control(code)) {
			n = put_code_escape(piece, code);
			error = buf_add(out, piece, n);
		} else {
			error = buf_add(out, text.data, taken);
		}
		if (error != HERD_OK) {
			buf_truncate(out, before);
			return error;
		}
		text.data += taken;
		text.len -= taken;
	}
	return HERD_OK;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum herd_error
text_to_base64(struct buf *out, struct span bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.data;
	size_t before = out->len, i, n;
	enum herd_error error;
	uint32_t group;
	char four[4];

	for (i = 0; i < bytes.len; i += 3) {
		n = bytes.len - i < 3 ? bytes.len - i : 3;
		group = (uint32_t)p[i] << 16;
		if (n > 1)
			group |= (uint32_t)p[i + 1u] << 8;
		if (n > 2)
			group |= p[i + 2u];
		four[0] = base64_digits[group >> 18];
		four[1] = base64_digits[group >> 12 & 0x3f];
		four[2] = n > 1 ? base64_digits[group >> 6 & 0x3f] : '=';
		four[3] = n > 2 ? base64_digits[group & 0x3f] : '=';
		error = buf_add(out, four, sizeof(four));
		if (error != HERD_OK) {
			buf_truncate(out, before);
			return error;
		}
	}
	return HERD_OK;
}

static bool
base64_value(char c, uint32_t *value)
{
	if (c >= 'A' && c <= 'Z')
		*value = (uint32_t)(c - 'A');
	else if (c >= 'a' && c <= 'z')
		*value = (uint32_t)(c - 'a') + 26u;
	else if (text_is_digit(c))
		*value = (uint32_t)(c - '0') + 52u;
	else if (c == '+')
		*value = 62;
	else if (c == '/')
		*value = 63;
	else
		return false;
	return true;
}

/* Four digits; `used` of them count, the others are padding. */
static bool
base64_group(const char *four, size_t used, char three[3])
{
	uint32_t group = 0, value;
	size_t i;

	for (i = 0; i < 4; i++) {
		value = 0;
		if (i < used && !base64_value(four[i], &value))
			return false;
		group = group << 6 | value;
	}
	/* Bits that no byte takes must be 0: one text per value. */
	if ((used == 2 && (group & 0xffffu) != 0) ||
	    (used == 3 && (group & 0xffu) != 0))
		return false;
	three[0] = (char)(unsigned char)(group >> 16);
	three[1] = (char)(unsigned char)(group >> 8 & 0xff);
	three[2] = (char)(unsigned char)(group & 0xff);
	return true;
}

enum herd_error
text_from_base64(struct buf *out, struct span text)
{
	size_t before = out->len, i, used;
	enum herd_error error = HERD_OK;
	char three[3];

	if (text.len % 4u != 0)
		return HERD_ESYNTAX;
	for (i = 0; i < text.len && error == HERD_OK; i += 4) {
		used = 4;
		if (i + 4u == text.len)
			while (used > 2 && text.data[i + used - 1u] == '=')
				used--;
		if (base64_group(text.data + i, used, three))
			error = buf_add(out, three, used - 1u);
		else
			error = HERD_ESYNTAX;
	}
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

/* Source: RFC 3986, 2.3. */
static bool
is_unreserved(char c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

enum herd_error
text_to_percent(struct buf *out, struct span bytes)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t before = out->len, i;
	enum herd_error error = HERD_OK;
	unsigned char byte;
	char three[3];

	for (i = 0; i < bytes.len && error == HERD_OK; i++) {
		byte = (unsigned char)bytes.data[i];
		three[0] = '%';
		three[1] = digits[byte >> 4];
		three[2] = digits[byte & 0xf];
		if (is_unreserved(bytes.data[i]))
			error = buf_add_byte(out, bytes.data[i]);
		else
			error = buf_add(out, three, sizeof(three));
	}
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

static bool
hex_value(char c, unsigned *value)
{
	if (text_is_digit(c))
		*value = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*value = (unsigned)(c - 'a') + 10u;
	else if (c >= 'A' && c <= 'F')
		*value = (unsigned)(c - 'A') + 10u;
	else
		return false;
	return true;
}

enum herd_error
text_from_percent(struct buf *out, struct span text)
{
	size_t before = out->len, i;
	enum herd_error error = HERD_OK;
	unsigned high, low;

	for (i = 0; i < text.len && error == HERD_OK; i++) {
		if (text.data[i] != '%') {
			error = buf_add_byte(out, text.data[i]);
		} else if (text.len - i > 2 &&
			   hex_value(text.data[i + 1u], &high) &&
			   hex_value(text.data[i + 2u], &low)) {
			error = buf_add_byte(
			    out, (char)(unsigned char)(high << 4 | low));
			i += 2;
		} else {
			error = HERD_ESYNTAX;
		}
	}
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

enum herd_error
text_to_flag(struct span text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} WORDS[] = {
		{ "", true },
		{ "1", true },
		{ "true", true },
		{ "yes", true },
		{ "0", false },
		{ "false", false },
		{ "no", false },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(WORDS); i++) {
		if (span_is(text, WORDS[i].word)) {
			*out = WORDS[i].value;
			return HERD_OK;
		}
	}
	return HERD_ESYNTAX;
}

enum herd_error
text_to_u64(struct span text, uint64_t min, uint64_t max, uint64_t *out)
{
	bool too_large = false;
	uint64_t value = 0, digit;
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (!text_is_digit(text.data[i]))
			return HERD_ESYNTAX;
		digit = (uint64_t)(text.data[i] - '0');
		if (value > (UINT64_MAX - digit) / 10u)
			too_large = true;
		else
			value = value * 10u + digit;
	}
	if (text.len == 0)
		return HERD_ESYNTAX;
	if (too_large || value < min || value > max)
		return HERD_ERANGE;
	*out = value;
	return HERD_OK;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment: three rows of the table are enough, since a swap
 * looks two rows back.
 */
unsigned
text_distance(struct span a, struct span b)
{
	unsigned rows[3][DISTANCE_WORD_MAX + 1u];
	unsigned *before, *last = rows[0], *row;
	size_t i, j;

	if (a.len > DISTANCE_WORD_MAX || b.len > DISTANCE_WORD_MAX)
		return (unsigned)(a.len > b.len ? a.len : b.len);
	for (j = 0; j <= b.len; j++)
		last[j] = (unsigned)j;
	before = last;
	for (i = 1; i <= a.len; i++) {
		row = rows[i % 3u];
		row[0] = (unsigned)i;
		for (j = 1; j <= b.len; j++) {
			bool same = a.data[i - 1u] == b.data[j - 1u];

			row[j] = least(last[j] + 1u, row[j - 1u] + 1u);
			row[j] = least(row[j], last[j - 1u] + !same);
			if (i > 1 && j > 1 &&
			    a.data[i - 1u] == b.data[j - 2u] &&
			    a.data[i - 2u] == b.data[j - 1u])
				row[j] = least(row[j], before[j - 2u] + 1u);
		}
		before = last;
		last = row;
	}
	return last[b.len];
}

const char *
text_did_you_mean(struct span word, const char *const *candidates)
{
	const char *found = NULL;
	/* In a short word, two edits change too much to be a useful guess. */
	unsigned nearest = word.len < 5 ? 2 : 3, distance;

	for (; *candidates != NULL; candidates++) {
		distance = text_distance(word, span_from(*candidates));
		if (distance < nearest && distance < word.len) {
			nearest = distance;
			found = *candidates;
		}
	}
	return found;
}
