/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/json_outline.h"

#include <string.h>

static void
add_to_key(struct json_outline *scan, char byte)
{
	if (scan->depth != 1 || scan->value)
		return;
	if (scan->key_len < JSON_OUTLINE_KEY_MAX)
		scan->key[scan->key_len] = byte;
	scan->key_len++;
}

static void
in_string(struct json_outline *scan, char byte)
{
	/* No string has a line's end in it: here the text is broken. */
	if (byte == '\n' || (byte == '"' && !scan->escaped)) {
		scan->in_string = false;
		scan->escaped = false;
		return;
	}
	scan->escaped = byte == '\\' && !scan->escaped;
	add_to_key(scan, byte);
}

static bool
string_begins(struct json_outline *scan)
{
	bool is_key = scan->depth == 1 && !scan->value;

	scan->in_string = true;
	scan->value_depth = scan->depth;
	if (is_key)
		scan->key_len = 0;
	return !is_key;
}

bool
json_outline_byte(struct json_outline *scan, char byte)
{
	if (scan->in_string) {
		in_string(scan, byte);
		return false;
	}
	switch (byte) {
	case '"': return string_begins(scan);
	case '{':
	case '[':
		scan->value_depth = scan->depth++;
		scan->value = scan->value && scan->depth > 1;
		return true;
	case '}':
	case ']':
		if (scan->depth > 0)
			scan->depth--;
		return false;
	case ':':
		if (scan->depth == 1)
			scan->value = true;
		return false;
	case ',':
		if (scan->depth == 1)
			scan->value = false;
		return false;
	default: return false;
	}
}

bool
json_outline_key_is(const struct json_outline *scan, const char *key)
{
	size_t len = strlen(key);

	return scan->key_len == len && memcmp(scan->key, key, len) == 0;
}
