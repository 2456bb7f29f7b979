/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/rows.h"

#include "herd/report.h"
#include "herd/text.h"
#include "herd/time.h"

/* --- a member ---------------------------------------------------------- */

void
row_word(struct json *json, const char *key, const char *text)
{
	if (text[0] == '\0')
		json_null(json, key);
	else
		json_word(json, key, text);
}

void
row_count(struct json *json, const char *key, bool known, uint64_t value)
{
	if (known)
		json_count(json, key, value);
	else
		json_null(json, key);
}

void
row_ms(struct json *json, const char *key, bool known, uint64_t ns)
{
	if (known)
		json_ms(json, key, ns);
	else
		json_null(json, key);
}

void
row_seconds(
    struct json *json, const char *key, struct mono from, struct mono to)
{
	if (from.ns != 0 && to.ns != 0)
		json_seconds(json, key, mono_since(to, from));
	else
		json_null(json, key);
}

void
row_time(struct json *json, const char *key, uint64_t ns)
{
	char text[TIME_FORMAT_MAX];

	json_text(json, key, span_of(text, time_format(ns, text)));
}

void
row_text(
    struct json *json, const char *key, struct buf *text, enum herd_error error)
{
	if (error == HERD_OK)
		json_text(json, key, buf_span(text));
	else if (error == HERD_ENOTFOUND)
		json_null(json, key);
	else
		json_fail(json, HERD_ENOMEM);
	buf_release(text);
}

void
row_client_id(struct json *json, struct span client)
{
	struct buf base64;

	json_text(json, "client", client);
	if (text_is_utf8(client))
		return;
	buf_init(&base64, 2u * REPORT_CLIENT_MAX);
	row_text(json, "client_b64", &base64, text_to_base64(&base64, client));
}

void
row_address(struct json *json, const char *key, const struct address *address)
{
	struct buf text;

	if (address->kind == ADDRESS_NONE) {
		json_null(json, key);
		return;
	}
	buf_init(&text, 512);
	row_text(json, key, &text, address_format(&text, address));
}

void
row_addresses(
    struct json *json, const char *key, const struct address_list *list)
{
	struct buf text;

	if (list->count == 0) {
		json_null(json, key);
		return;
	}
	buf_init(&text, 512u * ADDRESS_LIST_MAX);
	row_text(json, key, &text, address_list_format(&text, list));
}
