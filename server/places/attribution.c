/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/attribution.h"

#include "herd/compiler.h"

static bool
is_of_the_web(struct span uri)
{
	static const char *const starts[] = { "https://", "http://", "//" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(starts); i++) {
		size_t len = strlen(starts[i]);

		if (uri.len > len && memcmp(uri.data, starts[i], len) == 0)
			return true;
	}
	return false;
}

static enum herd_error
add_escaped(struct buf *out, struct span text)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; error == HERD_OK && i < text.len; i++) {
		switch (text.data[i]) {
		case '&': error = buf_add_text(out, "&amp;"); break;
		case '<': error = buf_add_text(out, "&lt;"); break;
		case '>': error = buf_add_text(out, "&gt;"); break;
		case '"': error = buf_add_text(out, "&quot;"); break;
		default: error = buf_add_byte(out, text.data[i]); break;
		}
	}
	return error;
}

static enum herd_error
add_link(struct buf *out, struct span uri, struct span name)
{
	enum herd_error error = buf_add_text(out, "<a href=\"");

	if (error == HERD_OK)
		error = add_escaped(out, uri);
	if (error == HERD_OK)
		error = buf_add_text(out, "\">");
	if (error == HERD_OK)
		error = add_escaped(out, name);
	if (error == HERD_OK)
		error = buf_add_text(out, "</a>");
	return error;
}

enum herd_error
attribution_format(struct buf *out, struct span uri, struct span name)
{
	size_t before = out->len;
	enum herd_error error;

	if (name.data == NULL)
		return HERD_ENOTFOUND;
	error = uri.data != NULL && is_of_the_web(uri)
		    ? add_link(out, uri, name)
		    : add_escaped(out, name);
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}
