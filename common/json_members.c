/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/json_members.h"

#include "herd/text.h"

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && is_blank(rest->data[0]))
		*rest = span_of(rest->data + 1, rest->len - 1);
}

/* Takes this byte, if it is the next one. */
static bool
take(struct span *rest, char byte)
{
	if (rest->len == 0 || rest->data[0] != byte)
		return false;
	*rest = span_of(rest->data + 1, rest->len - 1);
	return true;
}

/* *rest begins after the opening quote. */
static bool
take_string(struct span *rest, struct span *text)
{
	size_t len = 0;

	for (;;) {
		const char *quote =
		    span_find(span_of(rest->data + len, rest->len - len), '"');
		size_t slashes = 0;

		if (quote == NULL)
			return false;
		len = (size_t)(quote - rest->data);
		while (slashes < len && quote[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			break;
		len++;
	}
	*text = span_of(rest->data, len);
	*rest = span_of(rest->data + len + 1, rest->len - len - 1);
	return true;
}

/* Passes over an object or array, which *rest begins with. */
static bool
take_nested(struct span *rest)
{
	char closing[JSON_NESTED_MAX];
	size_t depth = 0;
	struct span text;

	while (rest->len > 0) {
		char byte = rest->data[0];

		*rest = span_of(rest->data + 1, rest->len - 1);
		if (byte == '"') {
			if (!take_string(rest, &text))
				return false;
		} else if (byte == '{' || byte == '[') {
			if (depth == JSON_NESTED_MAX)
				return false;
			closing[depth++] = byte == '{' ? '}' : ']';
		} else if (byte == '}' || byte == ']') {
			if (byte != closing[--depth])
				return false;
			if (depth == 0)
				return true;
		}
	}
	return false;
}

/* -?digits[.digits][e[+-]digits], as RFC 8259 has it but for leading zeros. */
static bool
is_number(struct span text)
{
	size_t i = text.len > 0 && text.data[0] == '-';
	size_t from = i;

	while (i < text.len && text_is_digit(text.data[i]))
		i++;
	if (i == from)
		return false;
	if (i < text.len && text.data[i] == '.') {
		from = ++i;
		while (i < text.len && text_is_digit(text.data[i]))
			i++;
		if (i == from)
			return false;
	}
	if (i < text.len && (text.data[i] | 0x20) == 'e') {
		i++;
		i += i < text.len &&
		     (text.data[i] == '+' || text.data[i] == '-');
		from = i;
		while (i < text.len && text_is_digit(text.data[i]))
			i++;
		if (i == from)
			return false;
	}
	return i == text.len;
}

static bool
take_scalar(struct span *rest, struct json_item *out)
{
	size_t len = 0;

	while (len < rest->len && !is_blank(rest->data[len]) &&
	       rest->data[len] != ',' && rest->data[len] != '}' &&
	       rest->data[len] != ']')
		len++;
	out->text = span_of(rest->data, len);
	*rest = span_of(rest->data + len, rest->len - len);
	if (span_is(out->text, "true") || span_is(out->text, "false") ||
	    span_is(out->text, "null")) {
		out->kind = JSON_WORD;
		return true;
	}
	out->kind = JSON_NUMBER;
	return is_number(out->text);
}

static bool
take_value(struct span *rest, struct json_item *out)
{
	const char *begin = rest->data;

	if (rest->len == 0)
		return false;
	if (take(rest, '"')) {
		out->kind = JSON_STRING;
		return take_string(rest, &out->text);
	}
	if (begin[0] != '{' && begin[0] != '[')
		return take_scalar(rest, out);
	out->kind = begin[0] == '{' ? JSON_OBJECT : JSON_ARRAY;
	if (!take_nested(rest))
		return false;
	out->text = span_of(begin, (size_t)(rest->data - begin));
	return true;
}

bool
json_value(struct span text, struct json_item *out)
{
	skip_blanks(&text);
	if (!take_value(&text, out))
		return false;
	skip_blanks(&text);
	return text.len == 0;
}

struct json_members
json_members(const struct json_item *item)
{
	if (item->kind != JSON_OBJECT && item->kind != JSON_ARRAY)
		return (struct json_members){ .ended = true };
	/* Without the brackets, which belong together. */
	return (struct json_members){
		.rest = span_of(item->text.data + 1, item->text.len - 2),
		.first = true,
	};
}

/* Goes to the next one; false: there is none, or it does not begin well. */
static bool
advance(struct json_members *m)
{
	if (m->ended || m->bad)
		return false;
	skip_blanks(&m->rest);
	if (m->rest.len == 0) {
		m->ended = true;
		return false;
	}
	if (!m->first && !take(&m->rest, ',')) {
		m->bad = true;
		return false;
	}
	m->first = false;
	skip_blanks(&m->rest);
	return true;
}

bool
json_members_element(struct json_members *m, struct json_item *value)
{
	if (!advance(m))
		return false;
	m->bad = !take_value(&m->rest, value);
	return !m->bad;
}

bool
json_members_next(
    struct json_members *m, struct span *key, struct json_item *value)
{
	if (!advance(m))
		return false;
	m->bad = !take(&m->rest, '"') || !take_string(&m->rest, key);
	if (m->bad)
		return false;
	skip_blanks(&m->rest);
	m->bad = !take(&m->rest, ':');
	if (m->bad)
		return false;
	skip_blanks(&m->rest);
	m->bad = !take_value(&m->rest, value);
	return !m->bad;
}

struct json_item
json_members_find(const struct json_item *object, const char *key)
{
	struct json_members members = json_members(object);
	struct json_item value;
	struct span name;

	if (object->kind == JSON_OBJECT) {
		while (json_members_next(&members, &name, &value)) {
			if (span_is(name, key))
				return value;
		}
	}
	return (struct json_item){ JSON_NONE, { "", 0 } };
}

static bool
take_hex(struct span *rest, uint32_t *code)
{
	uint32_t value = 0;

	if (rest->len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char byte = rest->data[i];
		char lower = (char)(byte | 0x20);

		if (text_is_digit(byte))
			value = value * 16 + (uint32_t)(byte - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (uint32_t)(lower - 'a') + 10;
		else
			return false;
	}
	*rest = span_of(rest->data + 4, rest->len - 4);
	*code = value;
	return true;
}

/* After "\u"; a pair of surrogates is one character. */
static enum herd_error
add_code(struct span *rest, struct buf *out)
{
	char bytes[TEXT_UTF8_MAX];
	uint32_t code, low;

	if (!take_hex(rest, &code) || code == 0)
		return HERD_ESYNTAX;
	if (code >= 0xd800 && code < 0xdc00) {
		if (!take(rest, '\\') || !take(rest, 'u') ||
		    !take_hex(rest, &low) || low < 0xdc00 || low > 0xdfff)
			return HERD_ESYNTAX;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return HERD_ESYNTAX;
	}
	return buf_add(out, bytes, text_utf8_put(bytes, code));
}

static enum herd_error
add_escape(struct span *rest, struct buf *out)
{
	static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char byte;

	if (rest->len == 0)
		return HERD_ESYNTAX;
	byte = rest->data[0];
	*rest = span_of(rest->data + 1, rest->len - 1);
	if (byte == 'u')
		return add_code(rest, out);
	for (const char *e = escapes; *e != '\0'; e += 2) {
		if (*e == byte)
			return buf_add_byte(out, e[1]);
	}
	return HERD_ESYNTAX;
}

enum herd_error
json_members_text(const struct json_item *item, struct buf *out)
{
	struct span rest = item->text;
	enum herd_error error = HERD_OK;

	if (span_find(rest, '\n') != NULL || span_find(rest, '\0') != NULL)
		return HERD_ESYNTAX;
	while (rest.len > 0 && error == HERD_OK) {
		bool more = span_find(rest, '\\') != NULL;

		error = buf_add_span(out, span_cut(&rest, '\\'));
		if (more && error == HERD_OK)
			error = add_escape(&rest, out);
	}
	return error;
}
