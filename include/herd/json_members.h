/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON text read member by member, without a tree: what a line has is looked
 * at once and nothing is allocated. Numbers stay texts, so that no digit is
 * lost. A value that nobody reads is passed over by its brackets and strings.
 */
#ifndef HERD_JSON_MEMBERS_H
#define HERD_JSON_MEMBERS_H

#include <stdbool.h>

#include "herd/buf.h"

enum json_kind {
	JSON_NONE, /* there is no such member */
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_WORD, /* true, false, null */
};

/* Borrows the text that it was read from. */
struct json_item {
	enum json_kind kind;
	struct span text; /* a STRING's without its quotes */
};

/* What is left of an object or array. */
struct json_members {
	struct span rest;
	bool first;
	bool ended;
	bool bad; /* it is no JSON */
};

/* Objects and arrays within each other that are passed over. */
#define JSON_NESTED_MAX 64u

/* The one value of the text; false: it is none, or more than one. */
bool json_value(struct span text, struct json_item *out);

/* For the members of an OBJECT, or the elements of an ARRAY. */
struct json_members json_members(const struct json_item *item);

/* The next one; false: the end, or `bad'. *key is raw, without quotes. */
bool json_members_next(
    struct json_members *members, struct span *key, struct json_item *value);
bool json_members_element(
    struct json_members *members, struct json_item *value);

/* The first member of that key; NONE if there is none, or no object. */
struct json_item json_members_find(
    const struct json_item *object, const char *key);

/*
 * Appends a STRING's characters. HERD_ESYNTAX: an escape that is none, a NUL,
 * a line's end. HERD_ENOMEM, HERD_ELIMIT.
 */
HERD_MUST_CHECK enum herd_error json_members_text(
    const struct json_item *item, struct buf *out);

#endif
