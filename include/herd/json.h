/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes JSON (RFC 8259) piece by piece, without a tree: the one writer of
 * both programs. Whole numbers are exact at 64 bits; a string is valid UTF-8
 * whatever bytes it was given.
 */
#ifndef HERD_JSON_H
#define HERD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

/* Objects and arrays within each other. */
#define JSON_DEPTH_MAX 16u

/* An array of strings this wide or wider takes a line for each. */
#define JSON_LINE_MAX 74u

enum json_style {
	/* Google's Nearby Search: three-space indent, `"key" : value`, short
	 * arrays of strings on one line, `<` and `>` as \u003c and \u003e.
	 * The caller writes the keys in alphabetical order. */
	JSON_GOOGLE,
	/* On one line, without spaces. */
	JSON_COMPACT,
	/* As COMPACT, and a terminal obeys nothing of it: DEL, C1 and bidi
	 * controls, line and paragraph separators as \uXXXX. */
	JSON_TERMINAL,
	/* As COMPACT in ASCII: a byte outside it is \u00XX, for logs. */
	JSON_ASCII,
};

/*
 * A failure sticks: further calls write nothing, and json_end() returns it.
 * The bytes become content of the buffer at json_end().
 */
struct json {
	struct buf *out; /* borrowed */
	char *at;        /* next byte, in the room after the content */
	char *end;       /* of that room */
	enum herd_error error;
	enum json_style style;
	unsigned depth;
	unsigned base;   /* depth at which it began */
	uint32_t filled; /* bit d: the container at depth d has a member */
};

/* Appends to `out`, which is borrowed until json_end(). */
void json_begin(struct json *json, struct buf *out, enum json_style style);

/*
 * As json_begin(), for one member of an array at `depth`, whose text is kept
 * and written with json_member() later.
 */
void json_begin_member(
    struct json *json, struct buf *out, enum json_style style, unsigned depth);

/* The caller lacks what it had to write: json_end() returns this. */
void json_fail(struct json *json, enum herd_error error);

/* HERD_ENOMEM, HERD_ELIMIT: what was appended is to be thrown away. */
HERD_MUST_CHECK enum herd_error json_end(struct json *json);

/* `key` is any text; NULL inside an array and at the top. */
void json_object(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *key);
void json_array_end(struct json *json);

/* What json_begin_member() wrote for an array at this depth. */
void json_member(struct json *json, struct span member);

/* A bad byte of `text` becomes U+FFFD. */
void json_text(struct json *json, const char *key, struct span text);
void json_word(struct json *json, const char *key, const char *text);
/* `value` is JSON text of one value. */
void json_raw(struct json *json, const char *key, struct span value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_count(struct json *json, const char *key, uint64_t value);
void json_integer(struct json *json, const char *key, int64_t value);
/* The shortest decimal that reads back as `value`; null if not finite. */
void json_number(struct json *json, const char *key, double value);
/* value / 10^decimals, exact, without trailing zeros; decimals: 0 to 19. */
void json_decimal(
    struct json *json, const char *key, int64_t value, unsigned decimals);
/* Nanoseconds as seconds or milliseconds, rounded to microseconds. */
void json_seconds(struct json *json, const char *key, uint64_t ns);
void json_ms(struct json *json, const char *key, uint64_t ns);
/* Rounded to three decimals; negative or not finite: null. */
void json_rounded(struct json *json, const char *key, double value);
/* Strings on one line if they fit into JSON_LINE_MAX, else a line each. */
void json_texts(
    struct json *json, const char *key, const struct span *texts, size_t count);

#endif
