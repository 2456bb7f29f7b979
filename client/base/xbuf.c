/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/xbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_status.h"
#include "herd/text.h"

void
out_of_memory(void)
{
	fputs("herdctl: out of memory\n", stderr);
	exit(STATUS_LOCAL);
}

void
must(enum herd_error error)
{
	if (error != HERD_OK)
		out_of_memory();
}

void *
xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size == 0 ? 1 : size);

	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *
xmalloc(size_t size)
{
	return xrealloc(NULL, size);
}

void *
xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

	if (memory == NULL)
		out_of_memory();
	return memory;
}

char *
xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xasprintf(const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	va_end(args);
	return text;
}

void
put(struct buf *out, const void *data, size_t len)
{
	must(buf_add(out, data, len));
}

void
put_span(struct buf *out, struct span span)
{
	must(buf_add_span(out, span));
}

void
put_text(struct buf *out, const char *text)
{
	must(buf_add_text(out, text));
}

void
put_byte(struct buf *out, char byte)
{
	must(buf_add_byte(out, byte));
}

void
put_fill(struct buf *out, char byte, size_t count)
{
	/* An empty buffer has no memory to fill. */
	if (count == 0)
		return;
	must(buf_reserve(out, count));
	memset(buf_tail(out), byte, count);
	buf_grow(out, count);
}

void
putv(struct buf *out, const char *fmt, va_list args)
{
	must(buf_addv(out, fmt, args));
}

void
putf(struct buf *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	putv(out, fmt, args);
	va_end(args);
}

void
put_clean(struct buf *out, struct span text)
{
	must(text_to_terminal(out, text));
}

void
put_query(struct buf *out, const char *before, const char *value)
{
	if (value == NULL)
		return;
	put_text(out, before);
	must(text_to_percent(out, span_from(value)));
}

void
put_did_you_mean(struct buf *out, const char *near, const char *or_else)
{
	if (near != NULL)
		putf(out, ", did you mean `%s'?", near);
	else
		put_text(out, or_else);
}

void
put_nearest(struct buf *out, struct span name, const char *const *names,
    const char *before, size_t most)
{
	const char *near = text_did_you_mean(name, names);

	put_did_you_mean(out, near, before);
	for (size_t i = 0; near == NULL && i < most && names[i] != NULL; i++)
		putf(out, "%s %s", i > 0 ? "," : "", names[i]);
}

const char *
text_of(struct buf *buf)
{
	const char *text = buf_cstr(buf);

	if (text == NULL)
		out_of_memory();
	return text;
}

char *
text_take(struct buf *buf)
{
	char *text = xstrndup(buf_span(buf).data, buf->len);

	buf_release(buf);
	return text;
}

void
put_utf8(struct buf *out, uint32_t code)
{
	char bytes[TEXT_UTF8_MAX];

	put(out, bytes, text_utf8_put(bytes, code));
}
