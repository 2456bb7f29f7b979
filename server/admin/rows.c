/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/rows.h"

#include "herd/location.h"
#include "herd/text.h"
#include "herd/time.h"
#include "net/peering.h"

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

/* --- a client --------------------------------------------------------- */

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

static void
add_location(struct json *json, struct span text)
{
	struct location at;

	if (location_parse(text, &at) != HERD_OK) {
		json_null(json, "location");
		json_null(json, "lat");
		json_null(json, "lon");
		return;
	}
	json_text(json, "location", text);
	json_number(json, "lat", location_lat(at));
	json_number(json, "lon", location_lon(at));
}

static void
add_giver(struct json *json, struct node *node, uint32_t from)
{
	char name[REPORT_ORIGIN_MAX + 1] = "";

	if (from != FROM_CLIENT && from != FROM_NOBODY)
		peering_name_of(node->peering, from, name);
	/* Records of nobody come from the store. */
	row_word(json, "from",
	    from == FROM_CLIENT                          ? "client"
	    : from == FROM_NOBODY && node->store != NULL ? "store"
							 : name);
}

uint32_t
row_giver(const struct node *node, const struct report *report, uint32_t from)
{
	return from > FROM_CLIENT && span_is(report->origin, node->name)
		   ? FROM_CLIENT
		   : from;
}

void
row_client(struct json *json, struct node *node, const struct report *report,
    uint32_t from)
{
	row_client_id(json, report->client);
	json_text(json, "time", report->time);
	add_location(json, report->location);
	json_text(json, "node", report->origin);
	if (report->kind == REPORT_REMOVAL)
		json_null(json, "skew");
	else
		json_text(json, "skew", report->skew);
	row_time(json, "received_at", report_received_ns(report));
	add_giver(json, node, from);
	if (report->kind == REPORT_REMOVAL)
		json_bool(json, "removed", true);
}

void
row_ahead(struct json *json, const struct report *report, struct wall now)
{
	if (report->time_ns > now.ns)
		json_seconds(json, "ahead_s", report->time_ns - now.ns);
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
