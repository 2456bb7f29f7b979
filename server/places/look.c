/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/look.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Room is asked for in steps of this. */
#define ROOM 1024u

/* A line feed and the indent of the deepest container. */
static const char INDENT[] =
    "\n                                                ";

/* Makes what was written content of the buffer. */
static void
commit(struct look *look)
{
	if (look->at != NULL)
		buf_grow(look->out, (size_t)(look->at - buf_tail(look->out)));
	look->at = look->end = NULL;
}

static void
make_room(struct look *look, size_t more)
{
	commit(look);
	if (look->error != HERD_OK)
		return;
	look->error = buf_reserve(look->out, more > ROOM ? more : ROOM);
	if (look->error == HERD_ELIMIT) /* near the end every byte counts */
		look->error = buf_reserve(look->out, more);
	if (look->error != HERD_OK)
		return;
	look->at = buf_tail(look->out);
	look->end = look->at + buf_room(look->out);
}

static void
put(struct look *look, const char *data, size_t len)
{
	if ((size_t)(look->end - look->at) < len)
		make_room(look, len);
	if (look->error != HERD_OK)
		return;
	memcpy(look->at, data, len);
	look->at += len;
}

static void
put_text(struct look *look, const char *text)
{
	put(look, text, strlen(text));
}

static void
break_line(struct look *look, unsigned depth)
{
	_Static_assert(sizeof(INDENT) == 1 + 3 * LOOK_DEPTH_MAX + 1,
	    "the indent reaches the greatest depth");
	if (look->style == LOOK_GOOGLE)
		put(look, INDENT, 1u + 3u * depth);
}

void
look_begin(struct look *look, struct buf *out, enum look_style style)
{
	*look = (struct look){ .out = out, .style = style };
}

void
look_begin_member(
    struct look *look, struct buf *out, enum look_style style, unsigned depth)
{
	*look = (struct look){
		.out = out,
		.style = style,
		.depth = depth,
		.base = depth,
	};
}

enum herd_error
look_end(struct look *look)
{
	assert(look->error != HERD_OK || look->depth == look->base);
	commit(look);
	return look->error;
}

/* What follows the backslash of a byte in a string; 0: no backslash. */
static const char ESCAPES[256] = {
	['"'] = '"',
	['\\'] = '\\',
	['\b'] = 'b',
	['\f'] = 'f',
	['\n'] = 'n',
	['\r'] = 'r',
	['\t'] = 't',
	['<'] = 'u',
	['>'] = 'u',
};

static char
escape_of(unsigned char c)
{
	char escape = ESCAPES[c];

	return escape == '\0' && c < 0x20 ? 'u' : escape;
}

/* Bytes that put_string() writes. */
static size_t
string_width(struct span text)
{
	size_t width = 2 + text.len;

	for (size_t i = 0; i < text.len; i++) {
		char escape = escape_of((unsigned char)text.data[i]);

		width += escape == '\0' ? 0 : escape == 'u' ? 5 : 1;
	}
	return width;
}

static void
put_string(struct look *look, struct span text)
{
	static const char hex[] = "0123456789abcdef";
	size_t clean = 0; /* start of the bytes that need no escape */

	put(look, "\"", 1);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		char escape = escape_of(c);
		char unit[] = { '\\', escape, '0', '0', hex[c >> 4],
			hex[c & 15] };

		if (escape == '\0')
			continue;
		put(look, text.data + clean, i - clean);
		put(look, unit, escape == 'u' ? 6 : 2);
		clean = i + 1;
	}
	put(look, text.data + clean, text.len - clean);
	put(look, "\"", 1);
}

/* What stands before a value: comma, line, key. */
static void
lead(struct look *look, const char *key)
{
	uint32_t bit = UINT32_C(1) << look->depth;

	if (look->depth > 0) {
		if (look->filled & bit)
			put(look, ",", 1);
		break_line(look, look->depth);
	}
	look->filled |= bit;
	if (key != NULL) {
		put(look, "\"", 1);
		put_text(look, key);
		if (look->style == LOOK_GOOGLE)
			put(look, "\" : ", 4);
		else
			put(look, "\":", 2);
	}
}

static void
open_container(struct look *look, const char *key, char bracket)
{
	assert(look->depth < LOOK_DEPTH_MAX);
	lead(look, key);
	put(look, &bracket, 1);
	look->depth++;
	look->filled &= ~(UINT32_C(1) << look->depth);
}

static void
close_container(struct look *look, char bracket)
{
	assert(look->depth > 0);
	look->depth--;
	if (look->filled & (UINT32_C(2) << look->depth))
		break_line(look, look->depth);
	put(look, &bracket, 1);
}

void
look_object(struct look *look, const char *key)
{
	open_container(look, key, '{');
}

void
look_object_end(struct look *look)
{
	close_container(look, '}');
}

void
look_array(struct look *look, const char *key)
{
	open_container(look, key, '[');
}

void
look_array_end(struct look *look)
{
	close_container(look, ']');
}

void
look_member(struct look *look, struct span member)
{
	uint32_t bit = UINT32_C(1) << look->depth;

	if (look->filled & bit)
		put(look, ",", 1);
	look->filled |= bit;
	put(look, member.data, member.len);
}

void
look_text(struct look *look, const char *key, struct span text)
{
	lead(look, key);
	put_string(look, text);
}

void
look_bool(struct look *look, const char *key, bool value)
{
	lead(look, key);
	put_text(look, value ? "true" : "false");
}

void
look_null(struct look *look, const char *key)
{
	lead(look, key);
	put_text(look, "null");
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
look_count(struct look *look, const char *key, uint64_t value)
{
	char text[20];
	char *end = text + sizeof(text);
	char *at = digits_before(end, value);

	lead(look, key);
	put(look, at, (size_t)(end - at));
}

void
look_number(struct look *look, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		look_null(look, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	lead(look, key);
	put_text(look, text);
}

void
look_degrees(struct look *look, const char *key, int64_t value_e7)
{
	char text[24];
	char *end = text + sizeof(text);
	char *at;
	uint64_t magnitude =
	    value_e7 < 0 ? 0 - (uint64_t)value_e7 : (uint64_t)value_e7;
	uint64_t fraction = magnitude % 10000000;
	unsigned decimals = 7;

	at = end;
	if (fraction != 0) {
		while (fraction % 10 == 0) {
			fraction /= 10;
			decimals--;
		}
		at = digits_before(end, fraction);
		while ((size_t)(end - at) < decimals)
			*--at = '0';
		*--at = '.';
	}
	at = digits_before(at, magnitude / 10000000);
	if (value_e7 < 0)
		*--at = '-';
	lead(look, key);
	put(look, at, (size_t)(end - at));
}

void
look_ms(struct look *look, const char *key, double ms)
{
	if (ms < 0 || !isfinite(ms))
		look_null(look, key);
	else
		look_number(look, key, round(ms * 1000) / 1000);
}

/* Does the array with its brackets and commas fit on a line? */
static bool
fits_on_line(const struct look *look, const struct span *texts, size_t count)
{
	size_t width = 4 + (count - 1) * 2;

	if (look->style == LOOK_COMPACT)
		return true;
	for (size_t i = 0; i < count; i++)
		width += string_width(texts[i]);
	return width < LOOK_LINE_MAX;
}

void
look_texts(
    struct look *look, const char *key, const struct span *texts, size_t count)
{
	if (count > 0 && !fits_on_line(look, texts, count)) {
		look_array(look, key);
		for (size_t i = 0; i < count; i++)
			look_text(look, NULL, texts[i]);
		look_array_end(look);
		return;
	}
	lead(look, key);
	put_text(look, count > 0 ? "[ " : "[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			put(look, ", ", 2);
		put_string(look, texts[i]);
	}
	put_text(look, count > 0 ? " ]" : "]");
}
