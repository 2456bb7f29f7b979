/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growing run of bytes with a maximum that is fixed when it is made. Bytes
 * are appended at the end and drained from the beginning; draining moves
 * nothing until space is needed.
 */
#ifndef HERD_BUF_H
#define HERD_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "herd/span.h"

struct buf {
	char *data;  /* allocation; the content begins at data + head */
	size_t head; /* drained bytes before the content */
	size_t len;  /* bytes of content */
	size_t cap;  /* bytes allocated */
	size_t max;  /* most bytes of content, ever */
};

/* An empty buffer that never holds more than `max` bytes; allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* Frees the memory; the buffer is then as after buf_init. */
void buf_release(struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *buf);

/* The content; valid until the buffer changes. */
struct span buf_span(const struct buf *buf);

/*
 * Makes room for `more` bytes after the content, which buf_tail() then points
 * to and buf_grow() makes content. HERD_ELIMIT beyond max, HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error buf_reserve(struct buf *buf, size_t more);

/* First byte after the content; room there is at least what was reserved. */
char *buf_tail(struct buf *buf);

/* Bytes that buf_tail() has room for. */
size_t buf_room(const struct buf *buf);

/* The `n` bytes at buf_tail() become content; n <= buf_room(). */
void buf_grow(struct buf *buf, size_t n);

/* Appends, whole or not at all. HERD_ELIMIT, HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error buf_add(
    struct buf *buf, const void *data, size_t len);
HERD_MUST_CHECK enum herd_error buf_add_span(struct buf *buf, struct span span);
HERD_MUST_CHECK enum herd_error buf_add_text(struct buf *buf, const char *text);
HERD_MUST_CHECK enum herd_error buf_add_byte(struct buf *buf, char byte);
HERD_MUST_CHECK enum herd_error buf_addf(struct buf *buf, const char *fmt, ...)
    HERD_PRINTF(2, 3);
HERD_MUST_CHECK enum herd_error buf_addv(
    struct buf *buf, const char *fmt, va_list args) HERD_PRINTF(2, 0);

/* Replaces the content, whole or not at all. */
HERD_MUST_CHECK enum herd_error buf_set(
    struct buf *buf, const void *data, size_t len);

/* Takes the first `n` bytes away; n <= len. */
void buf_drain(struct buf *buf, size_t n);

/* Cuts the content to its first `len` bytes; len <= buf->len. */
void buf_truncate(struct buf *buf, size_t len);

/*
 * The content as a C string: terminates it (outside the content) and
 * returns it; valid until the buffer changes. NULL when out of memory.
 */
HERD_MUST_CHECK const char *buf_cstr(struct buf *buf);

#endif
