/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/cursor.h"

#include "herd/report.h"
#include "herd/text.h"

/* Letter, number in hex, length of the node's name in hex. */
#define NUMBER_DIGITS 16u
#define LENGTH_DIGITS 2u
#define HEAD_LEN (1u + NUMBER_DIGITS + LENGTH_DIGITS)

static const struct {
	const char *word;
	char letter;
} ORDERS[] = {
#define HERD_PAGE_ORDER_ROW(id, word, letter) [id] = { word, letter },
	PAGE_ORDERS(HERD_PAGE_ORDER_ROW)
#undef HERD_PAGE_ORDER_ROW
};

const char PAGE_ORDER_WORDS[] = "sort is one of:"
#define HERD_PAGE_ORDER_WORD(id, word, letter) " " word
    PAGE_ORDERS(HERD_PAGE_ORDER_WORD);
#undef HERD_PAGE_ORDER_WORD

enum herd_error
page_order_parse(struct span word, enum page_order *out)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(ORDERS); i++) {
		if (span_is(word, ORDERS[i].word)) {
			*out = (enum page_order)i;
			return HERD_OK;
		}
	}
	return HERD_ENOTFOUND;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int
page_key_compare(
    enum page_order order, const struct page_key *a, const struct page_key *b)
{
	int difference = 0;

	switch (order) {
	case PAGE_ID: break;
	case PAGE_TIME:
	case PAGE_RECEIVED:
		difference = compare_numbers(b->number, a->number);
		break;
	case PAGE_NODE: difference = span_compare(a->node, b->node); break;
	case PAGE_DISTANCE:
	case PAGE_TABLE:
		difference = compare_numbers(a->number, b->number);
		break;
	}
	return difference != 0 ? difference
			       : span_compare(a->client, b->client);
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

enum herd_error
page_cursor_format(
    struct buf *out, enum page_order order, const struct page_key *key)
{
	size_t before = out->len;
	enum herd_error error;
	struct buf bytes;

	buf_init(&bytes, PAGE_CURSOR_MAX);
	error = buf_addf(&bytes, "%c%016llx%02zx", ORDERS[order].letter,
	    (unsigned long long)key->number, key->node.len);
	if (error == HERD_OK)
		error = buf_add_span(&bytes, key->node);
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
parse_bytes(struct span bytes, enum page_order order, struct page_key *key)
{
	uint64_t node_len;

	if (bytes.len < HEAD_LEN || bytes.data[0] != ORDERS[order].letter ||
	    !parse_hex(span_of(bytes.data + 1, NUMBER_DIGITS), &key->number) ||
	    !parse_hex(span_of(bytes.data + 1 + NUMBER_DIGITS, LENGTH_DIGITS),
		&node_len))
		return HERD_ESYNTAX;
	if (node_len > REPORT_ORIGIN_MAX || node_len > bytes.len - HEAD_LEN)
		return HERD_ESYNTAX;
	key->node = span_of(bytes.data + HEAD_LEN, (size_t)node_len);
	key->client = span_of(bytes.data + HEAD_LEN + node_len,
	    bytes.len - HEAD_LEN - (size_t)node_len);
	return HERD_OK;
}

enum herd_error
page_cursor_parse(struct span text, enum page_order order, struct buf *bytes,
    struct page_key *key)
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
