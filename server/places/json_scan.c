/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/json_scan.h"

#include <assert.h>

#include "herd/text.h"

/* What may come next. */
enum want {
	WANT_VALUE,
	WANT_VALUE_OR_END, /* first in an array */
	WANT_KEY,
	WANT_KEY_OR_END, /* first in an object */
	WANT_COMMA_OR_END,
	WANT_NOTHING, /* the value is complete */
	WANT_GIVEN_UP,
};

void
json_scan_begin(struct json_scan *scan, struct span text)
{
	*scan = (struct json_scan){ .text = text, .want = WANT_VALUE };
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		scan->at = 3;
}

static enum json_token
give_up(struct json_scan *scan, const char *why)
{
	scan->want = WANT_GIVEN_UP;
	scan->why = why;
	return JSON_BAD;
}

/* The byte at the reader; 0, which is never right, at the end. */
static char
peek(const struct json_scan *scan)
{
	return scan->at < scan->text.len ? scan->text.data[scan->at] : '\0';
}

static void
skip_space(struct json_scan *scan)
{
	char c = peek(scan);

	while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
		scan->at++;
		c = peek(scan);
	}
}

static void
skip_digits(struct json_scan *scan)
{
	while (text_is_digit(peek(scan)))
		scan->at++;
}

/* Four hex digits at the reader; -1 if they are not there. */
static int
read_hex4(struct json_scan *scan)
{
	int value = 0;

	for (int i = 0; i < 4; i++, scan->at++) {
		char c = peek(scan);

		if (text_is_digit(c))
			value = value * 16 + (c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value * 16 + ((c | 32) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* After "\u". A surrogate must be the first of a pair. */
static const char *
skip_unicode(struct json_scan *scan)
{
	int unit = read_hex4(scan);

	if (unit < 0)
		return "a bad \\u escape";
	if (unit == 0)
		return "a NUL in a string";
	if (unit < 0xd800 || unit > 0xdfff)
		return NULL;
	if (unit > 0xdbff || peek(scan) != '\\')
		return "half a surrogate pair";
	scan->at++;
	if (peek(scan) != 'u')
		return "half a surrogate pair";
	scan->at++;
	unit = read_hex4(scan);
	if (unit < 0xdc00 || unit > 0xdfff)
		return "half a surrogate pair";
	return NULL;
}

/* After a backslash. */
static const char *
skip_escape(struct json_scan *scan)
{
	char c = peek(scan);

	scan->at++;
	switch (c) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return NULL;
	case 'u': return skip_unicode(scan);
	default: return "a bad escape";
	}
}

/* NULL: a whole string was read, from quote to quote. */
static const char *
skip_string(struct json_scan *scan)
{
	scan->at++;
	while (scan->at < scan->text.len) {
		char c = scan->text.data[scan->at++];
		const char *wrong = NULL;

		if (c == '"')
			return NULL;
		if ((unsigned char)c < 0x20)
			return "a control character in a string";
		if (c == '\\')
			wrong = skip_escape(scan);
		if (wrong != NULL)
			return wrong;
	}
	return "a string without an end";
}

static const char *
skip_number(struct json_scan *scan)
{
	size_t start = scan->at;

	if (peek(scan) == '-')
		scan->at++;
	if (!text_is_digit(peek(scan)))
		return "not JSON";
	if (peek(scan) == '0')
		scan->at++;
	else
		skip_digits(scan);
	if (peek(scan) == '.') {
		scan->at++;
		if (!text_is_digit(peek(scan)))
			return "a bad number";
		skip_digits(scan);
	}
	if ((peek(scan) | 32) == 'e') {
		scan->at++;
		if (peek(scan) == '+' || peek(scan) == '-')
			scan->at++;
		if (!text_is_digit(peek(scan)))
			return "a bad number";
		skip_digits(scan);
	}
	return scan->at - start <= JSON_SCAN_NUMBER_MAX ? NULL
							: "too long a number";
}

static const char *
skip_word(struct json_scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };
	struct span rest =
	    span_of(scan->text.data + scan->at, scan->text.len - scan->at);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (rest.len >= len && memcmp(rest.data, words[i], len) == 0) {
			scan->at += len;
			return NULL;
		}
	}
	return "not JSON";
}

static bool
in_object(const struct json_scan *scan)
{
	return (scan->objects >> scan->depth & 1) != 0;
}

static void
after_value(struct json_scan *scan)
{
	scan->want = scan->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static enum json_token
open_container(struct json_scan *scan, bool is_object)
{
	if (scan->depth == JSON_SCAN_DEPTH_MAX)
		return give_up(scan, "nested too deeply");
	scan->at++;
	scan->depth++;
	scan->objects &= ~(UINT64_C(1) << scan->depth);
	scan->objects |= (uint64_t)is_object << scan->depth;
	scan->want = is_object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return is_object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token
close_container(struct json_scan *scan)
{
	bool was_object = in_object(scan);

	scan->at++;
	scan->depth--;
	after_value(scan);
	return was_object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token
read_value(struct json_scan *scan)
{
	const char *wrong;
	enum json_token token;

	if (++scan->values > JSON_SCAN_VALUES_MAX)
		return give_up(scan, "too many values");
	switch (peek(scan)) {
	case '{': return open_container(scan, true);
	case '[': return open_container(scan, false);
	case '"':
		token = JSON_STRING;
		wrong = skip_string(scan);
		break;
	case 't':
	case 'f':
	case 'n':
		token = JSON_WORD;
		wrong = skip_word(scan);
		break;
	default:
		token = JSON_NUMBER;
		wrong = skip_number(scan);
		break;
	}
	if (wrong != NULL)
		return give_up(scan, wrong);
	after_value(scan);
	return token;
}

static enum json_token
read_key(struct json_scan *scan)
{
	const char *wrong;

	if (peek(scan) != '"')
		return give_up(scan, "not JSON");
	wrong = skip_string(scan);
	if (wrong != NULL)
		return give_up(scan, wrong);
	return JSON_KEY;
}

/* The colon is not part of the key's bytes. */
static enum json_token
pass_colon(struct json_scan *scan)
{
	skip_space(scan);
	if (peek(scan) != ':')
		return give_up(scan, "not JSON");
	scan->at++;
	scan->want = WANT_VALUE;
	return JSON_KEY;
}

/* Passes a comma, if one has to be there; true: the container ends here. */
static bool
at_end_of_container(struct json_scan *scan)
{
	char end = in_object(scan) ? '}' : ']';

	if (scan->want == WANT_COMMA_OR_END) {
		if (peek(scan) == end)
			return true;
		if (peek(scan) != ',') {
			give_up(scan, "not JSON, or cut off");
			return false;
		}
		scan->at++;
		skip_space(scan);
		scan->want = in_object(scan) ? WANT_KEY : WANT_VALUE;
		return false;
	}
	return (scan->want == WANT_KEY_OR_END ||
		   scan->want == WANT_VALUE_OR_END) &&
	       peek(scan) == end;
}

enum json_token
json_scan_next(struct json_scan *scan)
{
	enum json_token token;
	size_t start;

	if (scan->want == WANT_GIVEN_UP)
		return JSON_BAD;
	skip_space(scan);
	if (scan->want == WANT_NOTHING)
		return scan->at == scan->text.len
			   ? JSON_DONE
			   : give_up(scan, "more after its end");
	if (at_end_of_container(scan)) {
		scan->token = span_of(scan->text.data + scan->at, 1);
		return close_container(scan);
	}
	if (scan->want == WANT_GIVEN_UP)
		return JSON_BAD;
	start = scan->at;
	token = scan->want == WANT_KEY || scan->want == WANT_KEY_OR_END
		    ? read_key(scan)
		    : read_value(scan);
	scan->token = span_of(scan->text.data + start, scan->at - start);
	return token == JSON_KEY ? pass_colon(scan) : token;
}

const char *
json_scan_check(struct span text)
{
	struct json_scan scan;
	enum json_token token;

	if (!text_is_utf8(text))
		return "not UTF-8";
	json_scan_begin(&scan, text);
	do
		token = json_scan_next(&scan);
	while (token != JSON_DONE && token != JSON_BAD);
	return token == JSON_BAD ? scan.why : NULL;
}

struct span
json_scan_inner(const struct json_scan *scan)
{
	assert(scan->token.len >= 2);
	return span_of(scan->token.data + 1, scan->token.len - 2);
}
