/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The smallest allocation: most lines and messages fit without growing. */
#define BUF_CAP_MIN 64u

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void
buf_release(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void
buf_clear(struct buf *buf)
{
	buf->head = 0;
	buf->len = 0;
}

struct span
buf_span(const struct buf *buf)
{
	if (buf->data == NULL)
		return span_of("", 0);
	return span_of(buf->data + buf->head, buf->len);
}

/* Moves the content to the front of an allocation of `cap` bytes. */
static enum herd_error
buf_move(struct buf *buf, size_t cap)
{
	char *data;

	if (buf->head == 0) {
		data = realloc(buf->data, cap);
		if (data == NULL)
			return HERD_ENOMEM;
	} else {
		data = malloc(cap);
		if (data == NULL)
			return HERD_ENOMEM;
		assert(buf->data != NULL);
		memcpy(data, buf->data + buf->head, buf->len);
		free(buf->data);
		buf->head = 0;
	}
	buf->data = data;
	buf->cap = cap;
	return HERD_OK;
}

/*
 * Room for `more` bytes after the content, even beyond max (buf_cstr needs one
 * byte more). The content is moved within the allocation only if at least as
 * many bytes were drained, or if nothing else helps, so that a byte is moved a
 * constant number of times on average.
 */
static enum herd_error
buf_make_room(struct buf *buf, size_t more)
{
	size_t ceiling = buf->max < SIZE_MAX ? buf->max + 1u : SIZE_MAX;
	size_t need, cap;

	if (buf->data != NULL && buf->cap - buf->head - buf->len >= more)
		return HERD_OK;
	need = buf->len + more;
	if (need <= buf->cap &&
	    (buf->head >= buf->len || buf->cap >= ceiling)) {
		assert(buf->data != NULL);
		memmove(buf->data, buf->data + buf->head, buf->len);
		buf->head = 0;
		return HERD_OK;
	}
	cap = buf->cap <= ceiling / 2u ? buf->cap * 2u : ceiling;
	if (cap < BUF_CAP_MIN)
		cap = BUF_CAP_MIN;
	if (cap < need)
		cap = need;
	return buf_move(buf, cap);
}

enum herd_error
buf_reserve(struct buf *buf, size_t more)
{
	if (more > buf->max - buf->len)
		return HERD_ELIMIT;
	return more == 0 ? HERD_OK : buf_make_room(buf, more);
}

char *
buf_tail(struct buf *buf)
{
	return buf->data == NULL ? NULL : buf->data + buf->head + buf->len;
}

size_t
buf_room(const struct buf *buf)
{
	size_t allocated = buf->cap - buf->head - buf->len;
	size_t allowed = buf->max - buf->len;

	return allocated < allowed ? allocated : allowed;
}

void
buf_grow(struct buf *buf, size_t n)
{
	assert(n <= buf_room(buf));
	buf->len += n;
}

enum herd_error
buf_add(struct buf *buf, const void *data, size_t len)
{
	enum herd_error error;

	if (len == 0)
		return HERD_OK;
	error = buf_reserve(buf, len);
	if (error != HERD_OK)
		return error;
	memcpy(buf->data + buf->head + buf->len, data, len);
	buf->len += len;
	return HERD_OK;
}

enum herd_error
buf_add_span(struct buf *buf, struct span span)
{
	return buf_add(buf, span.data, span.len);
}

enum herd_error
buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

enum herd_error
buf_add_byte(struct buf *buf, char byte)
{
	return buf_add(buf, &byte, 1);
}

enum herd_error
buf_addf(struct buf *buf, const char *fmt, ...)
{
	enum herd_error error;
	va_list args;

	va_start(args, fmt);
	error = buf_addv(buf, fmt, args);
	va_end(args);
	return error;
}

enum herd_error
buf_addv(struct buf *buf, const char *fmt, va_list args)
{
	enum herd_error error;
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return HERD_ESYNTAX;
	if ((size_t)n > buf->max - buf->len)
		return HERD_ELIMIT;
	/* vsnprintf writes a NUL, which does not become content. */
	error = buf_make_room(buf, (size_t)n + 1u);
	if (error != HERD_OK)
		return error;
	(void)vsnprintf(
	    buf->data + buf->head + buf->len, (size_t)n + 1u, fmt, args);
	buf->len += (size_t)n;
	return HERD_OK;
}

enum herd_error
buf_set(struct buf *buf, const void *data, size_t len)
{
	enum herd_error error;

	if (len > buf->max)
		return HERD_ELIMIT;
	if (len > buf->len) {
		error = buf_make_room(buf, len - buf->len);
		if (error != HERD_OK)
			return error;
	}
	if (len > 0)
		memcpy(buf->data + buf->head, data, len);
	buf->len = len;
	return HERD_OK;
}

void
buf_drain(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	buf->head += n;
	buf->len -= n;
	if (buf->len == 0)
		buf->head = 0;
}

void
buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
}

const char *
buf_cstr(struct buf *buf)
{
	if (buf_make_room(buf, 1) != HERD_OK)
		return NULL;
	buf->data[buf->head + buf->len] = '\0';
	return buf->data + buf->head;
}
