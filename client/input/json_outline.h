/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where things are in JSON text, byte by byte and without a tree: how deep, in
 * which member of the outermost object. It follows brackets and strings alone;
 * whether the text is JSON is for a parser to say.
 */
#ifndef HERD_CLIENT_JSON_OUTLINE_H
#define HERD_CLIENT_JSON_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

/* Longest key that is told apart. */
#define JSON_OUTLINE_KEY_MAX 16u

struct json_outline {
	size_t depth;       /* after the byte */
	size_t value_depth; /* of the object or array that the value is in */
	bool in_string;
	bool escaped;
	bool value; /* the next string at depth 1 is a value, not a key */
	char key[JSON_OUTLINE_KEY_MAX]; /* of the member at depth 1 */
	size_t key_len;                 /* of the whole key */
};

/*
 * Takes the next byte. True: a value begins with it, at `value_depth'; keys
 * are none.
 */
bool json_outline_byte(struct json_outline *scan, char byte);

/* Is the member of the outermost object that one? */
bool json_outline_key_is(const struct json_outline *scan, const char *key);

#endif
