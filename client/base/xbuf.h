/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for a program that a person or a script waits for. When it runs out,
 * herdctl reports that and ends with STATUS_LOCAL (atexit handlers put the
 * terminal back), so no caller needs a check.
 */
#ifndef HERD_CLIENT_XBUF_H
#define HERD_CLIENT_XBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "herd/buf.h"

/* Texts that herdctl builds itself: far above what any of them needs. */
#define XBUF_MAX ((size_t)256 << 20)

/* An empty one: struct buf text = XBUF; */
/* clang-format off */
#define XBUF { .max = XBUF_MAX }
/* clang-format on */

/* Says that memory has run out and exits. */
_Noreturn void out_of_memory(void);

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
/* Gives a text made by a printf format. */
char *xasprintf(const char *fmt, ...) HERD_PRINTF(1, 2);

/* Appends; a buffer beyond its maximum counts as memory that ran out. */
void put(struct buf *out, const void *data, size_t len);
void put_span(struct buf *out, struct span span);
void put_text(struct buf *out, const char *text);
void put_byte(struct buf *out, char byte);
void put_fill(struct buf *out, char byte, size_t count);
void putf(struct buf *out, const char *fmt, ...) HERD_PRINTF(2, 3);
void putv(struct buf *out, const char *fmt, va_list args) HERD_PRINTF(2, 0);

/* Appends a character; `code` is at most U+10FFFF. */
void put_utf8(struct buf *out, uint32_t code);

/* `text` so that a terminal obeys nothing in it (see text_to_terminal). */
void put_clean(struct buf *out, struct span text);

/* Appends `before' ("&prefix=") and the value, percent-encoded, unless NULL. */
void put_query(struct buf *out, const char *before, const char *value);

/* Appends ", did you mean `peers'?" or else `or_else'. */
void put_did_you_mean(struct buf *out, const char *near, const char *or_else);

/*
 * Appends what resembles `name' among `names' (ended by NULL), else `before'
 * and the first `most' of them.
 */
void put_nearest(struct buf *out, struct span name, const char *const *names,
    const char *before, size_t most);

/* The content as a C string, valid until the buffer changes. */
const char *text_of(struct buf *buf);

/* Gives the content as a C string of its own; the buffer is released. */
char *text_take(struct buf *buf);

/* Checks the result of a call whose only failure is memory. */
void must(enum herd_error error);

/* Grows `*items` so that it has room for one more; for arrays of any type. */
#define grow_array(items, count, room)                                      \
	do {                                                                \
		if ((count) == (room)) {                                    \
			(room) = (room) == 0 ? 8 : (room)*2;                \
			(items) =                                           \
			    xrealloc((items), (room) * sizeof((items)[0])); \
		}                                                           \
	} while (0)

#endif
