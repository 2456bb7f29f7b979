/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/cursor.h"

#include <string.h>

#include "herd/text.h"

/* Column, direction, unknown, number, length of the text; all but two in hex.
 */
#define COLUMN_DIGITS 2u
#define NUMBER_AT (COLUMN_DIGITS + 2u)
#define NUMBER_DIGITS 16u
#define LENGTH_AT (NUMBER_AT + NUMBER_DIGITS)
#define LENGTH_DIGITS 5u
#define HEAD_LEN (LENGTH_AT + LENGTH_DIGITS)

static const struct {
	const char *word;
	struct page_order order;
} WORDS[] = {
	{ "id", { CLIENT_ID, false } },
	{ "time", { CLIENT_TIME, true } },
	{ "node", { CLIENT_ORIGIN, false } },
	{ "received", { CLIENT_RECEIVED, true } },
	{ "distance", { CLIENT_DISTANCE, false } },
	{ "table", { PAGE_TABLE, false } },
};

const char PAGE_ORDER_WORDS[] =
    "sort is id, time, node, received, distance or table, or a column such as "
    "age_s, with :asc or :desc";

enum herd_error
page_order_parse(struct span word, struct page_order *out)
{
	struct span name = span_cut(&word, ':');

	if (word.len == 0) {
		for (size_t i = 0; i < HERD_ARRAY_LEN(WORDS); i++) {
			if (span_is(name, WORDS[i].word)) {
				*out = WORDS[i].order;
				return HERD_OK;
			}
		}
	}
	*out = (struct page_order){ view_find(&client_view, name),
		span_is(word, "desc") };
	if (out->column == client_view.count ||
	    (word.len > 0 && !out->descending && !span_is(word, "asc")))
		return HERD_ENOTFOUND;
	/* Ages grow from page to page, but the order of times stays. */
	if (out->column == CLIENT_AGE)
		*out = (struct page_order){ CLIENT_TIME, !out->descending };
	return HERD_OK;
}

/* --- keys ------------------------------------------------------------- */

/* Doubles as integers in the same order (IEEE 754). */
static uint64_t
real_key(double real)
{
	const uint64_t sign = UINT64_C(1) << 63;
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	return (bits & sign) != 0 ? ~bits : bits | sign;
}

struct page_key
page_key_of(const struct value *value)
{
	struct page_key key = { .unknown = !value->known };

	if (key.unknown)
		return key;
	switch (value_base(value->type)) {
	case BASE_TEXT: key.text = value->text; break;
	case BASE_INTEGER: key.number = (uint64_t)value->integer; break;
	case BASE_REAL: key.number = real_key(value->real); break;
	case BASE_DECIMAL: (void)value_time(value, &key.number); break;
	}
	return key;
}

int
page_key_compare(const struct page_order *order, const struct page_key *a,
    const struct page_key *b)
{
	int difference = (a->number > b->number) - (a->number < b->number);

	if (a->unknown != b->unknown)
		return a->unknown ? 1 : -1;
	if (difference == 0)
		difference = span_compare(a->text, b->text);
	if (difference == 0)
		return span_compare(a->client, b->client);
	return order->descending ? -difference : difference;
}

/* --- text ------------------------------------------------------------- */

/* Standard base64 to the alphabet of URLs, without padding. */
static void
make_url_safe(struct buf *text, size_t from)
{
	for (size_t i = from; i < text->len; i++) {
		char *c = &text->data[text->head + i];

		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
	}
	while (
	    text->len > from && text->data[text->head + text->len - 1] == '=')
		buf_truncate(text, text->len - 1);
}

static enum herd_error
undo_url_safe(struct span text, struct buf *out)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < text.len && error == HERD_OK; i++) {
		char c = text.data[i];

		if (c == '+' || c == '/' || c == '=')
			return HERD_ESYNTAX;
		error = buf_add_byte(out, c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (error == HERD_OK && out->len % 4 != 0)
		error = buf_add_byte(out, '=');
	return error;
}

/* A cursor of the table's own order has the column 0xff. */
static unsigned
column_number(const struct page_order *order)
{
	return order->column == PAGE_TABLE ? 0xffu : (unsigned)order->column;
}

enum herd_error
page_cursor_format(
    struct buf *out, const struct page_order *order, const struct page_key *key)
{
	size_t before = out->len;
	enum herd_error error;
	struct buf bytes;

	buf_init(&bytes, PAGE_CURSOR_MAX);
	error = buf_addf(&bytes, "%02x%c%c%016llx%05zx", column_number(order),
	    order->descending ? 'd' : 'a', key->unknown ? 'u' : 'k',
	    (unsigned long long)key->number, key->text.len);
	if (error == HERD_OK)
		error = buf_add_span(&bytes, key->text);
	if (error == HERD_OK)
		error = buf_add_span(&bytes, key->client);
	if (error == HERD_OK)
		error = text_to_base64(out, buf_span(&bytes));
	if (error == HERD_OK)
		make_url_safe(out, before);
	buf_release(&bytes);
	return error;
}

static bool
parse_hex(struct span text, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (text_is_digit(c))
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

/* Reads the decoded bytes; the key borrows them. */
static enum herd_error
parse_bytes(
    struct span bytes, const struct page_order *order, struct page_key *key)
{
	const char *head = bytes.data;
	uint64_t column;
	uint64_t len;

	if (bytes.len < HEAD_LEN ||
	    !parse_hex(span_of(head, COLUMN_DIGITS), &column) ||
	    !parse_hex(
		span_of(head + NUMBER_AT, NUMBER_DIGITS), &key->number) ||
	    !parse_hex(span_of(head + LENGTH_AT, LENGTH_DIGITS), &len))
		return HERD_ESYNTAX;
	if (column != column_number(order) ||
	    head[COLUMN_DIGITS] != (order->descending ? 'd' : 'a') ||
	    len > bytes.len - HEAD_LEN)
		return HERD_ESYNTAX;
	key->unknown = head[COLUMN_DIGITS + 1] == 'u';
	key->text = span_of(head + HEAD_LEN, (size_t)len);
	key->client =
	    span_of(head + HEAD_LEN + len, bytes.len - HEAD_LEN - (size_t)len);
	return HERD_OK;
}

enum herd_error
page_cursor_parse(struct span text, const struct page_order *order,
    struct buf *bytes, struct page_key *key)
{
	enum herd_error error;
	struct buf standard;

	buf_init(&standard, PAGE_CURSOR_TEXT_MAX);
	error = undo_url_safe(text, &standard);
	if (error == HERD_OK)
		error = text_from_base64(bytes, buf_span(&standard));
	buf_release(&standard);
	if (error == HERD_OK)
		error = parse_bytes(buf_span(bytes), order, key);
	return error == HERD_OK || error == HERD_ENOMEM ? error : HERD_ESYNTAX;
}
