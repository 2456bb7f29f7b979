/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/open_metrics.h"

#include <stdlib.h>
#include <strings.h>

#include "herd/text.h"

/* --- what is asked for ------------------------------------------------ */

/* Splits the text before the first `sign` off *rest, trimmed. */
static struct span
next_part(struct span *rest, char sign)
{
	const char *at = memchr(rest->data, sign, rest->len);
	size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
	struct span part = span_of(rest->data, len);

	*rest = at == NULL ? span_of(rest->data + len, 0)
			   : span_of(at + 1, rest->len - len - 1);
	return text_trim(part);
}

static bool
is_word(struct span text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp(text.data, word, text.len) == 0;
}

/* In thousandths: "q=0.5" is 500, no q is 1000, a wrong one 0. */
static unsigned
quality_of(struct span parameters)
{
	while (parameters.len > 0) {
		struct span value = next_part(&parameters, ';');
		struct span name = next_part(&value, '=');
		char text[8] = "";
		char *end;
		double quality;

		if (!is_word(name, "q"))
			continue;
		if (value.len == 0 || value.len >= sizeof(text))
			return 0;
		memcpy(text, value.data, value.len);
		quality = strtod(text, &end);
		return *end == '\0' && quality > 0 && quality <= 1
			   ? (unsigned)(quality * 1000)
			   : 0;
	}
	return 1000;
}

/* The best that `accept` has for that type, 0 if it is not there. */
static unsigned
wanted(const char *accept, const char *type)
{
	struct span rest = span_from(accept);
	unsigned best = 0;

	while (rest.len > 0) {
		struct span range = next_part(&rest, ',');

		if (is_word(next_part(&range, ';'), type) &&
		    quality_of(range) > best)
			best = quality_of(range);
	}
	return best;
}

bool
open_metrics_is_wanted(const char *accept)
{
	unsigned open;

	if (accept == NULL)
		return false;
	open = wanted(accept, "application/openmetrics-text");
	return open > 0 && open >= wanted(accept, "text/plain");
}

/* --- the text --------------------------------------------------------- */

/* The name in a line "# TYPE NAME ..." or "# HELP NAME ...", else empty. */
static struct span
name_in(struct span line)
{
	struct span rest = line;
	struct span word;

	if (!span_is(text_next_field(&rest), "#"))
		return span_of(line.data, 0);
	word = text_next_field(&rest);
	if (!span_is(word, "TYPE") && !span_is(word, "HELP"))
		return span_of(line.data, 0);
	return text_next_field(&rest);
}

static enum herd_error
add_line(struct buf *out, struct span line)
{
	static const char TOTAL[] = "_total";
	size_t end = sizeof(TOTAL) - 1;
	struct span name = name_in(line);
	size_t before;
	enum herd_error error;

	if (name.len <= end ||
	    memcmp(name.data + name.len - end, TOTAL, end) != 0)
		return buf_add_span(out, line);
	before = (size_t)(name.data - line.data) + name.len;
	error = buf_add(out, line.data, before - end);
	if (error == HERD_OK)
		error = buf_add(out, line.data + before, line.len - before);
	return error;
}

enum herd_error
open_metrics_convert(struct buf *text)
{
	struct span rest = buf_span(text);
	enum herd_error error = HERD_OK;
	struct buf out;

	buf_init(&out, text->max);
	while (rest.len > 0 && error == HERD_OK) {
		const char *lf = memchr(rest.data, '\n', rest.len);
		size_t len =
		    lf == NULL ? rest.len : (size_t)(lf + 1 - rest.data);

		error = add_line(&out, span_of(rest.data, len));
		rest = span_of(rest.data + len, rest.len - len);
	}
	if (error == HERD_OK)
		error = buf_add_text(&out, "# EOF\n");
	if (error == HERD_OK) {
		buf_clear(text);
		error = buf_add_span(text, buf_span(&out));
	}
	buf_release(&out);
	return error;
}
