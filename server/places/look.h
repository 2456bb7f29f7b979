/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes JSON in the look of Google's Nearby Search: three-space indent,
 * `"key" : value`, short arrays of strings on one line, `[]` and `{}` empty,
 * raw UTF-8, `<` and `>` as \u003c and \u003e; or compact, for the admin
 * API. The caller writes the keys in alphabetical order.
 */
#ifndef HERD_PLACES_LOOK_H
#define HERD_PLACES_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

/* Objects and arrays within each other. */
#define LOOK_DEPTH_MAX 16u

/* An array of strings this wide or wider takes a line for each. */
#define LOOK_LINE_MAX 74u

enum look_style { LOOK_GOOGLE, LOOK_COMPACT };

/*
 * A failure sticks: further calls write nothing; look_end() tells it. Until
 * then the bytes lie behind the buffer's content.
 */
struct look {
	struct buf *out; /* borrowed */
	char *at;        /* next byte, in the room behind the content */
	char *end;       /* of that room */
	enum herd_error error;
	enum look_style style;
	unsigned depth;
	unsigned base;   /* depth at which it began */
	uint32_t filled; /* bit d: the container at depth d has a member */
};

/* Appends to `out`, which is borrowed until look_end(). */
void look_begin(struct look *look, struct buf *out, enum look_style style);

/*
 * As look_begin(), for one member of an array at `depth`, whose text is kept
 * and written with look_member() later.
 */
void look_begin_member(
    struct look *look, struct buf *out, enum look_style style, unsigned depth);

/* HERD_ENOMEM, HERD_ELIMIT: what was appended is to be thrown away. */
HERD_MUST_CHECK enum herd_error look_end(struct look *look);

/* `key` is NULL inside an array and at the top. */
void look_object(struct look *look, const char *key);
void look_object_end(struct look *look);
void look_array(struct look *look, const char *key);
void look_array_end(struct look *look);

/* What look_begin_member() wrote for an array at this depth. */
void look_member(struct look *look, struct span member);

/* `text` is valid UTF-8. */
void look_text(struct look *look, const char *key, struct span text);
void look_bool(struct look *look, const char *key, bool value);
void look_null(struct look *look, const char *key);
void look_count(struct look *look, const char *key, uint64_t value);
/* The shortest decimal that reads back as `value`; null if not finite. */
void look_number(struct look *look, const char *key, double value);
/* value / 10^7, without trailing zeros: degrees of the gazetteer. */
void look_degrees(struct look *look, const char *key, int64_t value_e7);
/* Rounded to three decimals; for times. Negative: null. */
void look_ms(struct look *look, const char *key, double ms);
/* Strings on one line if they fit into LOOK_LINE_MAX, else a line each. */
void look_texts(
    struct look *look, const char *key, const struct span *texts, size_t count);

#endif
