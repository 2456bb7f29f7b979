/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/xml_token.h"

#include "base/xbuf.h"
#include "herd/text.h"

#define CODE_MAX 0x10ffffu
#define REFERENCE_MAX 12u /* longest that is replaced: "&#x0010FFFF;" */

/* What begins like this ends like that, whatever is between. */
static const struct xml_bracket {
	const char *begin;
	const char *end;
	enum xml_kind kind;
} brackets[] = {
	{ "<!--", "-->", XML_OTHER },
	{ "<![CDATA[", "]]>", XML_CDATA },
	{ "<?", "?>", XML_OTHER },
};

/* Is one of the two the beginning of the other? */
static bool
may_begin(struct span in, const char *begin)
{
	size_t len = strlen(begin);

	return memcmp(in.data, begin, in.len < len ? in.len : len) == 0;
}

static enum herd_error
take_bracket(
    struct span in, const struct xml_bracket *bracket, struct xml_token *out)
{
	size_t head = strlen(bracket->begin), tail = strlen(bracket->end);
	const char *end;

	out->kind = bracket->kind;
	out->end = bracket->end;
	if (in.len < head)
		return HERD_EAGAIN;
	end = memmem(in.data + head, in.len - head, bracket->end, tail);
	if (end == NULL)
		return HERD_EAGAIN;
	out->text = span_of(in.data + head, (size_t)(end - in.data) - head);
	out->len = (size_t)(end - in.data) + tail;
	return HERD_OK;
}

/* Index of the `>' of a tag or declaration; in.len: it is not there yet. */
static size_t
find_end(struct span in)
{
	size_t depth = 0; /* of the brackets of <!DOCTYPE x [...]> */
	bool declares = in.len > 1 && in.data[1] == '!';
	char quote = 0;
	size_t i;

	for (i = 1; i < in.len; i++) {
		char byte = in.data[i];

		if (quote != 0) {
			if (byte == quote)
				quote = 0;
		} else if (byte == '"' || byte == '\'') {
			quote = byte;
		} else if (declares && byte == '[') {
			depth++;
		} else if (declares && byte == ']') {
			depth -= depth > 0;
		} else if (byte == '>' && depth == 0) {
			break;
		}
	}
	return i;
}

static struct span
local_name(struct span name)
{
	const char *colon = span_find(name, ':');

	if (colon == NULL)
		return name;
	return span_of(colon + 1, name.len - (size_t)(colon - name.data) - 1u);
}

static enum herd_error
take_tag(struct span in, struct xml_token *out)
{
	size_t end = find_end(in);
	struct span body;
	size_t n = 0;

	out->end = ">";
	if (end == in.len)
		return HERD_EAGAIN;
	out->len = end + 1;
	body = span_of(in.data + 1, end - 1);
	out->kind = XML_START;
	if (body.len > 0 && body.data[0] == '!') {
		out->kind = XML_OTHER;
		return HERD_OK;
	}
	if (body.len > 0 && body.data[0] == '/') {
		out->kind = XML_END;
		body = span_of(body.data + 1, body.len - 1);
	} else if (body.len > 0 && body.data[body.len - 1] == '/') {
		out->kind = XML_EMPTY;
		body.len--;
	}
	while (n < body.len && !text_is_space(body.data[n]))
		n++;
	out->name = local_name(span_of(body.data, n));
	out->text = span_of(body.data + n, body.len - n);
	return HERD_OK;
}

enum herd_error
xml_token_next(struct span in, struct xml_token *out)
{
	const char *tag = span_find(in, '<');

	*out = (struct xml_token){ 0 };
	if (tag != in.data) {
		out->kind = XML_TEXT;
		out->len = tag == NULL ? in.len : (size_t)(tag - in.data);
		out->text = span_of(in.data, out->len);
		return HERD_OK;
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(brackets); i++) {
		if (in.len > 1 && may_begin(in, brackets[i].begin))
			return take_bracket(in, &brackets[i], out);
	}
	return take_tag(in, out);
}

bool
xml_attribute(struct span text, const char *name, struct span *value)
{
	for (;;) {
		struct span key, rest;
		char quote;

		if (span_find(text, '=') == NULL)
			return false;
		key = text_trim(span_cut(&text, '='));
		rest = text;
		while (rest.len > 0 && text_is_space(rest.data[0]))
			rest = span_of(rest.data + 1, rest.len - 1);
		if (rest.len == 0)
			return false;
		quote = rest.data[0];
		if (quote != '"' && quote != '\'')
			return false;
		rest = span_of(rest.data + 1, rest.len - 1);
		if (span_find(rest, quote) == NULL)
			return false;
		*value = span_cut(&rest, quote);
		text = rest;
		if (span_is(key, name))
			return true;
	}
}

/* Digits of "#65" or "#x41". False: no character that XML has. */
static bool
code_of(struct span reference, uint32_t *code)
{
	uint32_t base = 10, value = 0;
	size_t i = 1;

	if (reference.len > 1 && reference.data[1] == 'x') {
		base = 16;
		i = 2;
	}
	if (i >= reference.len)
		return false;
	for (; i < reference.len; i++) {
		char byte = reference.data[i];
		uint32_t digit;

		if (text_is_digit(byte))
			digit = (uint32_t)(byte - '0');
		else if (base == 16 && (byte | 0x20) >= 'a' &&
			 (byte | 0x20) <= 'f')
			digit = (uint32_t)((byte | 0x20) - 'a') + 10;
		else
			return false;
		value = value * base + digit;
		if (value > CODE_MAX)
			return false;
	}
	*code = value;
	return value > 0 && (value < 0xd800 || value > 0xdfff);
}

static const struct xml_entity {
	const char *name;
	char byte;
} entities[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
	{ "apos", '\'' } };

static bool
put_reference(struct buf *out, struct span name)
{
	uint32_t code;

	if (name.len > 0 && name.data[0] == '#') {
		if (!code_of(name, &code))
			return false;
		put_utf8(out, code);
		return true;
	}
	for (size_t i = 0; i < HERD_ARRAY_LEN(entities); i++) {
		if (span_is(name, entities[i].name)) {
			put_byte(out, entities[i].byte);
			return true;
		}
	}
	return false;
}

enum herd_error
xml_decode(struct buf *out, struct span text)
{
	while (text.len > 0) {
		bool more = span_find(text, '&') != NULL;

		put_span(out, span_cut(&text, '&'));
		if (!more)
			break;
		if (span_find(span_of(text.data, text.len < REFERENCE_MAX
						     ? text.len
						     : REFERENCE_MAX),
			';') == NULL ||
		    !put_reference(out, span_cut(&text, ';')))
			return HERD_ESYNTAX;
	}
	return HERD_OK;
}

void
xml_encode(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case '&': put_text(out, "&amp;"); break;
		case '<': put_text(out, "&lt;"); break;
		case '>': put_text(out, "&gt;"); break;
		default: put_byte(out, text.data[i]);
		}
	}
}
