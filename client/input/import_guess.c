/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/import_guess.h"

#include "input/json_outline.h"
#include "herd/text.h"

/* A beginning that does not tell its format within this does not tell it. */
#define HEAD_MAX 65536u

#define RECORD_SEPARATOR '\x1e' /* before each text of RFC 8142 */

bool
import_guess_gzip(struct span head)
{
	return head.len >= 2 && memcmp(head.data, "\x1f\x8b", 2) == 0;
}

static const char feature[] = "\"Feature";
#define FEATURE_LEN (sizeof(feature) - 1u)

/* Does a member of the outermost object say that it is GeoJSON? */
static bool
is_geojson(const struct json_outline *scan, struct span value)
{
	if (json_outline_key_is(scan, "features") ||
	    json_outline_key_is(scan, "geometry") ||
	    json_outline_key_is(scan, "coordinates"))
		return true;
	return json_outline_key_is(scan, "type") &&
	       span_begins(value, span_of(feature, FEATURE_LEN));
}

/* The first object: GeoJSON's members, or another's. */
static enum import_guess
guess_json(struct span text, bool whole)
{
	struct json_outline scan = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		struct span rest = span_of(text.data + i, text.len - i);
		bool begins = json_outline_byte(&scan, text.data[i]);

		if (begins && scan.value_depth == 1) {
			if (is_geojson(&scan, rest))
				return GUESS_GEOJSON;
			/* The word may still come. */
			if (!whole && json_outline_key_is(&scan, "type") &&
			    span_begins(span_of(feature, FEATURE_LEN), rest))
				return GUESS_MORE;
		}
		if (scan.depth == 0)
			return GUESS_JSONL;
	}
	return whole ? GUESS_JSONL : GUESS_MORE;
}

static enum import_guess
guess_csv(struct span text, bool whole)
{
	const char *end = span_find(text, '\n');

	if (end != NULL)
		text.len = (size_t)(end - text.data);
	else if (!whole)
		return GUESS_MORE;
	if (span_find(text, ',') != NULL || span_find(text, '\t') != NULL ||
	    span_find(text, ';') != NULL)
		return GUESS_CSV;
	return GUESS_NONE;
}

enum import_guess
import_guess(struct span head, bool ended)
{
	bool whole = ended || head.len >= HEAD_MAX;
	struct span text;

	if (head.len < 3 && !ended)
		return GUESS_MORE;
	if (head.len >= 2 && (memcmp(head.data, "\xff\xfe", 2) == 0 ||
				 memcmp(head.data, "\xfe\xff", 2) == 0))
		return GUESS_UTF16;
	text = text_without_bom(head);
	while (text.len > 0 && (text_is_space(text.data[0]) ||
				   text.data[0] == RECORD_SEPARATOR))
		text = span_of(text.data + 1, text.len - 1);
	if (text.len == 0)
		return head.len >= HEAD_MAX ? GUESS_NONE : GUESS_MORE;
	switch (text.data[0]) {
	case '<': return GUESS_GPX;
	case '{': return guess_json(text, whole);
	default: return guess_csv(text, whole);
	}
}
