/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "herd/text.h"

/* Room is asked for in steps of this. */
#define ROOM 1024u
#define UNIT_MAX 6u /* "\\uXXXX" */

#define DIGITS_MAX 20u /* of UINT64_MAX */

/* A line feed and the indent of the deepest container. */
static const char INDENT[] =
    "\n                                                ";

/* Makes what was written content of the buffer. */
static void
commit(struct json *json)
{
	if (json->at != NULL)
		buf_grow(json->out, (size_t)(json->at - buf_tail(json->out)));
	json->at = json->end = NULL;
}

static void
make_room(struct json *json, size_t more)
{
	commit(json);
	if (json->error != HERD_OK)
		return;
	json->error = buf_reserve(json->out, more > ROOM ? more : ROOM);
	if (json->error == HERD_ELIMIT) /* near the end every byte counts */
		json->error = buf_reserve(json->out, more);
	if (json->error != HERD_OK)
		return;
	json->at = buf_tail(json->out);
	json->end = json->at + buf_room(json->out);
}

static void
put(struct json *json, const char *data, size_t len)
{
	if ((size_t)(json->end - json->at) < len)
		make_room(json, len);
	if (json->error != HERD_OK)
		return;
	memcpy(json->at, data, len);
	json->at += len;
}

static void
put_text(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void
break_line(struct json *json, unsigned depth)
{
	_Static_assert(sizeof(INDENT) == 1 + 3 * JSON_DEPTH_MAX + 1,
	    "the indent reaches the greatest depth");
	if (json->style == JSON_GOOGLE)
		put(json, INDENT, 1u + 3u * depth);
}

void
json_begin(struct json *json, struct buf *out, enum json_style style)
{
	*json = (struct json){ .out = out, .style = style };
}

void
json_begin_member(
    struct json *json, struct buf *out, enum json_style style, unsigned depth)
{
	*json = (struct json){
		.out = out,
		.style = style,
		.depth = depth,
		.base = depth,
	};
}

void
json_fail(struct json *json, enum herd_error error)
{
	if (json->error == HERD_OK)
		json->error = error;
}

enum herd_error
json_end(struct json *json)
{
	assert(json->error != HERD_OK || json->depth == json->base);
	commit(json);
	return json->error;
}

/* What follows the backslash of an ASCII character; 0: no backslash. */
static char
escape_of(enum json_style style, unsigned char c)
{
	static const char escapes[128] = {
		['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't',
	};

	if (c < ' ' || c == '"' || c == '\\')
		return escapes[c] == '\0' ? 'u' : escapes[c];
	if (style == JSON_GOOGLE)
		return c == '<' || c == '>' ? 'u' : '\0';
	return c == 0x7f && style != JSON_COMPACT ? 'u' : '\0';
}

/* Bytes that put_string() writes, if `text` is valid UTF-8. */
static size_t
google_width(struct span text)
{
	size_t width = 2 + text.len;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		char escape = c < 0x80 ? escape_of(JSON_GOOGLE, c) : '\0';

		width += escape == '\0' ? 0 : escape == 'u' ? 5 : 1;
	}
	return width;
}

/* "\uXXXX" in `unit`. */
static size_t
unit_of(char unit[UNIT_MAX], unsigned code)
{
	static const char hex[] = "0123456789abcdef";

	unit[0] = '\\';
	unit[1] = 'u';
	for (unsigned i = 0; i < 4; i++)
		unit[2 + i] = hex[code >> (12 - 4 * i) & 15];
	return UNIT_MAX;
}

/*
 * Takes a character from the beginning of `text`: its bytes. *len: how long
 * its escape in `unit` is; 0: it needs none.
 */
static size_t
escape(
    enum json_style style, struct span text, char unit[UNIT_MAX], size_t *len)
{
	unsigned char c = (unsigned char)text.data[0];
	uint32_t code = c;
	size_t taken = 1;

	*len = 0;
	if (c < 0x80) {
		unit[0] = '\\';
		unit[1] = escape_of(style, c);
		if (unit[1] != '\0')
			*len = unit[1] == 'u' ? unit_of(unit, c) : 2;
	} else if (style == JSON_ASCII) {
		*len = unit_of(unit, c);
	} else if ((taken = text_utf8_take(text, &code)) == 0) {
		memcpy(unit, "\xef\xbf\xbd", 3);
		*len = 3;
		taken = 1;
	} else if (style == JSON_TERMINAL && text_is_control(code)) {
		*len = unit_of(unit, code);
	}
	return taken;
}

/* In every style; most characters are. */
#define IS_PLAIN(c)                                               \
	((c) >= ' ' && (c) < 0x7f && (c) != '"' && (c) != '\\' && \
	    (c) != '<' && (c) != '>')

static void
put_string(struct json *json, struct span text)
{
	size_t clean = 0; /* start of the bytes that need no escape */
	size_t taken;

	put(json, "\"", 1);
	for (size_t i = 0; i < text.len; i += taken) {
		unsigned char c = (unsigned char)text.data[i];
		struct span rest = span_of(text.data + i, text.len - i);
		char unit[UNIT_MAX];
		size_t len;

		taken = 1;
		if (IS_PLAIN(c))
			continue;
		taken = escape(json->style, rest, unit, &len);
		if (len == 0)
			continue;
		put(json, text.data + clean, i - clean);
		put(json, unit, len);
		clean = i + taken;
	}
	put(json, text.data + clean, text.len - clean);
	put(json, "\"", 1);
}

/* What comes before a value: comma, line, key. */
static void
lead(struct json *json, const char *key)
{
	uint32_t bit = UINT32_C(1) << json->depth;

	if (json->depth > 0) {
		if (json->filled & bit)
			put(json, ",", 1);
		break_line(json, json->depth);
	}
	json->filled |= bit;
	if (key != NULL) {
		put_string(json, span_from(key));
		if (json->style == JSON_GOOGLE)
			put(json, " : ", 3);
		else
			put(json, ":", 1);
	}
}

static void
open_container(struct json *json, const char *key, char bracket)
{
	assert(json->depth < JSON_DEPTH_MAX);
	lead(json, key);
	put(json, &bracket, 1);
	json->depth++;
	json->filled &= ~(UINT32_C(1) << json->depth);
}

static void
close_container(struct json *json, char bracket)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->filled & (UINT32_C(2) << json->depth))
		break_line(json, json->depth);
	put(json, &bracket, 1);
}

void
json_object(struct json *json, const char *key)
{
	open_container(json, key, '{');
}

void
json_object_end(struct json *json)
{
	close_container(json, '}');
}

void
json_array(struct json *json, const char *key)
{
	open_container(json, key, '[');
}

void
json_array_end(struct json *json)
{
	close_container(json, ']');
}

void
json_member(struct json *json, struct span member)
{
	uint32_t bit = UINT32_C(1) << json->depth;

	if (json->filled & bit)
		put(json, ",", 1);
	json->filled |= bit;
	put(json, member.data, member.len);
}

void
json_text(struct json *json, const char *key, struct span text)
{
	lead(json, key);
	put_string(json, text);
}

void
json_word(struct json *json, const char *key, const char *text)
{
	json_text(json, key, span_from(text));
}

void
json_raw(struct json *json, const char *key, struct span value)
{
	lead(json, key);
	put(json, value.data, value.len);
}

void
json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	put_text(json, value ? "true" : "false");
}

void
json_null(struct json *json, const char *key)
{
	lead(json, key);
	put_text(json, "null");
}

/* Decimal digits of `value` at the end of `end`; returns where they begin. */
static char *
digits_before(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	return end;
}

void
json_count(struct json *json, const char *key, uint64_t value)
{
	char text[DIGITS_MAX];
	char *end = text + sizeof(text);
	char *at = digits_before(end, value);

	lead(json, key);
	put(json, at, (size_t)(end - at));
}

void
json_integer(struct json *json, const char *key, int64_t value)
{
	json_decimal(json, key, value, 0);
}

/*
 * Is it a decimal of nine places and fifteen digits at most? Then that decimal
 * is the shortest one, and far faster to write. Smaller numbers have an
 * exponent.
 */
static bool
is_short(double value)
{
	return fabs(value) >= 1e-4 && fabs(value) < 1e6 &&
	       (double)llround(value * 1e9) / 1e9 == value;
}

void
json_number(struct json *json, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	if (is_short(value)) {
		json_decimal(json, key, llround(value * 1e9), 9);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	lead(json, key);
	put_text(json, text);
}

void
json_decimal(
    struct json *json, const char *key, int64_t value, unsigned decimals)
{
	char text[DIGITS_MAX + 3]; /* sign, point and a zero before it */
	char *end = text + sizeof(text);
	char *at = end;
	uint64_t whole = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	uint64_t unit = 1;
	uint64_t fraction;

	assert(decimals < DIGITS_MAX);
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	fraction = whole % unit;
	if (fraction != 0) {
		for (; fraction % 10 == 0; decimals--)
			fraction /= 10;
		at = digits_before(end, fraction);
		while ((size_t)(end - at) < decimals)
			*--at = '0';
		*--at = '.';
	}
	at = digits_before(at, whole / unit);
	if (value < 0)
		*--at = '-';
	lead(json, key);
	put(json, at, (size_t)(end - at));
}

static int64_t
microseconds(uint64_t ns)
{
	return (int64_t)(ns / 1000 + (ns % 1000 >= 500));
}

void
json_seconds(struct json *json, const char *key, uint64_t ns)
{
	json_decimal(json, key, microseconds(ns), 6);
}

void
json_ms(struct json *json, const char *key, uint64_t ns)
{
	json_decimal(json, key, microseconds(ns), 3);
}

void
json_rounded(struct json *json, const char *key, double value)
{
	if (value < 0 || !isfinite(value))
		json_null(json, key);
	else
		json_number(json, key, round(value * 1000) / 1000);
}

/* Does the array with its brackets and commas fit on a line? */
static bool
fits_on_line(const struct json *json, const struct span *texts, size_t count)
{
	size_t width = 4 + (count - 1) * 2;

	if (json->style != JSON_GOOGLE)
		return true;
	for (size_t i = 0; i < count; i++)
		width += google_width(texts[i]);
	return width < JSON_LINE_MAX;
}

void
json_texts(
    struct json *json, const char *key, const struct span *texts, size_t count)
{
	bool google = json->style == JSON_GOOGLE;

	if (count > 0 && !fits_on_line(json, texts, count)) {
		json_array(json, key);
		for (size_t i = 0; i < count; i++)
			json_text(json, NULL, texts[i]);
		json_array_end(json);
		return;
	}
	lead(json, key);
	put_text(json, count > 0 && google ? "[ " : "[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			put(json, ", ", google ? 2 : 1);
		put_string(json, texts[i]);
	}
	put_text(json, count > 0 && google ? " ]" : "]");
}
