/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/width.h"

#include <langinfo.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/xbuf.h"

#define ELLIPSIS "\xe2\x80\xa6"

bool
width_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* Takes one code point off `text`; a bad byte is one on its own. */
static uint32_t
next_point(struct span *text, size_t *len)
{
	const unsigned char *s = (const unsigned char *)text->data;
	uint32_t point = s[0];
	size_t n = 1;

	if (point >= 0xf0 && point < 0xf8)
		n = 4;
	else if (point >= 0xe0)
		n = 3;
	else if (point >= 0xc0)
		n = 2;
	if (n > text->len)
		n = 1;
	if (n > 1)
		point &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0u) != 0x80) {
			point = s[0];
			n = 1;
			break;
		}
		point = point << 6 | (s[i] & 0x3fu);
	}
	*len = n;
	text->data += n;
	text->len -= n;
	return point;
}

/*
 * In the C locale wcwidth() knows ASCII only; one column is then the best
 * guess for the rest.
 */
static size_t
point_width(uint32_t point)
{
	int width = wcwidth((wchar_t)point);

	return width < 0 ? 1 : (size_t)width;
}

size_t
width_of(struct span text)
{
	size_t width = 0;
	size_t len;

	while (text.len > 0)
		width += point_width(next_point(&text, &len));
	return width;
}

void
width_cut(struct buf *out, struct span text, size_t columns, bool utf8)
{
	size_t used = 0;
	size_t len;
	struct span rest = text;

	if (width_of(text) <= columns) {
		put_span(out, text);
		return;
	}
	if (columns == 0)
		return;
	while (rest.len > 0) {
		const char *at = rest.data;
		size_t width = point_width(next_point(&rest, &len));

		if (used + width > columns - 1)
			break;
		put(out, at, len);
		used += width;
	}
	put_text(out, utf8 ? ELLIPSIS : "~");
}

void
width_shorten(struct buf *out, struct span text, size_t columns, bool utf8)
{
	size_t left = width_of(text);
	size_t tail = columns / 2;
	size_t len;

	/* Fewer columns have no room for two ends. */
	if (left <= columns || columns < 4) {
		width_cut(out, text, columns, utf8);
		return;
	}
	width_cut(out, text, columns - tail, utf8);
	while (left > tail)
		left -= point_width(next_point(&text, &len));
	put_span(out, text);
}

struct span
width_take_line(struct span *text, size_t width)
{
	const char *end = span_find(*text, '\n');
	struct span line = *text;
	size_t len;

	if (end != NULL)
		line.len = (size_t)(end - text->data);
	if (width > 0 && width_of(line) > width) {
		for (len = line.len; len > 0; len--) {
			if (line.data[len - 1] == ' ' &&
			    width_of(span_of(line.data, len - 1)) <= width)
				break;
		}
		if (len > 0) {
			text->data += len;
			text->len -= len;
			line.len = len - 1;
			return line;
		}
	}
	len = line.len + (end != NULL);
	text->data += len;
	text->len -= len;
	return line;
}
