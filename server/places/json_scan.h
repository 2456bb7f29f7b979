/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A strict reader of foreign JSON text: token by token, with limits, without
 * memory of its own. It checks a text before cJSON reads it, because cJSON
 * accepts text after the end, bad UTF-8 and \u0000 (cutting the string there).
 * It also finds the parts of a text that is passed on unchanged.
 */
#ifndef HERD_PLACES_JSON_SCAN_H
#define HERD_PLACES_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/span.h"

#define JSON_SCAN_DEPTH_MAX 32u
/* cJSON takes 64 bytes and more for each value. */
#define JSON_SCAN_VALUES_MAX 65536u
/* cJSON reads no more of a number. */
#define JSON_SCAN_NUMBER_MAX 63u

enum json_token {
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,    /* with its quotes; the colon is passed */
	JSON_STRING, /* with its quotes */
	JSON_NUMBER,
	JSON_WORD, /* true, false, null */
	JSON_DONE, /* the text's one value is complete, nothing follows */
	JSON_BAD,  /* for good; `why` says what is wrong */
};

struct json_scan {
	struct span text; /* borrowed */
	size_t at;
	struct span token; /* the last token's bytes */
	unsigned depth;    /* containers open after that token */
	unsigned values;
	uint64_t objects; /* bit d: the container at depth d is an object */
	unsigned want;    /* enum of json_scan.c */
	const char *why;
};

/* `text` must be UTF-8; a byte order mark at its start is passed over. */
void json_scan_begin(struct json_scan *scan, struct span text);

enum json_token json_scan_next(struct json_scan *scan);

/* NULL: the whole text is one JSON value within the limits; else why not. */
const char *json_scan_check(struct span text);

/* A key or string without its quotes; escapes are left as they are. */
struct span json_scan_inner(const struct json_scan *scan);

#endif
