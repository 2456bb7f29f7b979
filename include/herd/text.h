/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text hygiene: the protocol's white space, printable forms of foreign bytes,
 * UTF-8, base64 and percent encoding, and the distance for "did you mean".
 */
#ifndef HERD_TEXT_H
#define HERD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "herd/buf.h"

/*
 * White space is exactly space, tab, CR, LF, form feed, vertical tab, in
 * every locale.
 */
static inline bool
text_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Splits the next field off *rest: skips white space, returns the run of
 * other bytes (len 0 at the end) and moves *rest after it.
 */
struct span text_next_field(struct span *rest);

/* `text` without the mark (U+FEFF) that some editors begin UTF-8 files with. */
struct span text_without_bom(struct span text);

/* White space at both ends taken off. */
struct span text_trim(struct span text);

/*
 * Appends `text` in printable ASCII: bytes outside 0x20-0x7e, the quote and
 * the backslash become \n, \t, \r, \", \\ or \xHH. At most `max` bytes of
 * `text` are shown, then "...".
 */
HERD_MUST_CHECK enum herd_error text_escape(
    struct buf *out, struct span text, size_t max);

/* Writes one byte of it, unterminated; returns the length, 1 to 4. */
#define TEXT_ESCAPE_MAX 4u
size_t text_escape_byte(char out[TEXT_ESCAPE_MAX], char c);

/*
 * Bytes of the UTF-8 sequence that `text` begins with, its character in
 * *code; 0 when it begins with none. `text` is not empty.
 */
size_t text_utf8_take(struct span text, uint32_t *code);

/* Writes the character's bytes, unterminated; returns how many. */
#define TEXT_UTF8_MAX 4u
size_t text_utf8_put(char out[TEXT_UTF8_MAX], uint32_t code);

/* What a terminal would obey, or what would change the order of a line. */
bool text_is_control(uint32_t code);

/* Whole and shortest-form UTF-8 without surrogates, up to U+10FFFF. */
bool text_is_utf8(struct span text);

/* `text`, without the character at its end that was cut, if one was. */
struct span text_utf8_whole(struct span text);

/* The last `count` characters of `text`, which is UTF-8. */
struct span text_utf8_last(struct span text, unsigned count);

/* Appends `text` as valid UTF-8: each bad byte becomes U+FFFD. */
HERD_MUST_CHECK enum herd_error text_to_utf8(struct buf *out, struct span text);

/*
 * Appends `text` so that a terminal shows it and obeys nothing in it: valid
 * UTF-8; C0, C1, DEL, bidi controls (U+061C, U+200E-200F, U+202A-202E,
 * U+2066-2069), line and paragraph separators become visible escapes (\xHH,
 * \u{HHHH}); tab and LF too.
 */
HERD_MUST_CHECK enum herd_error text_to_terminal(
    struct buf *out, struct span text);

/*
 * Bytes of the character that `text` begins with, if it is valid UTF-8 that
 * text_to_terminal() leaves as it is; else 0. `text` is not empty.
 */
size_t text_shown(struct span text);

/* Standard base64 with padding (RFC 4648, 4). */
HERD_MUST_CHECK enum herd_error text_to_base64(
    struct buf *out, struct span bytes);
HERD_MUST_CHECK enum herd_error text_from_base64(
    struct buf *out, struct span text);

/* Percent encoding (RFC 3986): all but unreserved characters. */
HERD_MUST_CHECK enum herd_error text_to_percent(
    struct buf *out, struct span bytes);
/* HERD_ESYNTAX on a bad escape; '+' is a plus. */
HERD_MUST_CHECK enum herd_error text_from_percent(
    struct buf *out, struct span text);

/* "1" "true" "yes" or "": true; "0" "false" "no": false. HERD_ESYNTAX. */
HERD_MUST_CHECK enum herd_error text_to_flag(struct span text, bool *out);

/* Unsigned decimal, digits only, whole text. HERD_ESYNTAX, HERD_ERANGE. */
HERD_MUST_CHECK enum herd_error text_to_u64(
    struct span text, uint64_t min, uint64_t max, uint64_t *out);

/*
 * Edits (insert, delete, replace, swap of neighbours) between two words; the
 * longer one's length when a word has more than 64 bytes.
 */
unsigned text_distance(struct span a, struct span b);

/*
 * The candidate that `word` was probably meant to be: distance at most 2 and
 * less than the word's length; NULL when none is near. `candidates` ends
 * with NULL; the result is one of them.
 */
const char *text_did_you_mean(struct span word, const char *const *candidates);

#endif
