/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/rows.h"

#include "herd/location.h"
#include "herd/text.h"
#include "herd/time.h"

/* --- a client --------------------------------------------------------- */

void
row_client_id(struct json *json, struct span client)
{
	struct buf base64;

	json_text(json, "client", client);
	if (text_is_utf8(client))
		return;
	buf_init(&base64, 2u * REPORT_CLIENT_MAX);
	if (text_to_base64(&base64, client) == HERD_OK)
		json_text(json, "client_b64", buf_span(&base64));
	else
		json_fail(json, HERD_ENOMEM);
	buf_release(&base64);
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

void
row_client(struct json *json, const struct report *report, const char *from)
{
	char received[TIME_FORMAT_MAX];
	size_t len = time_format(report_received_ns(report), received);

	row_client_id(json, report->client);
	json_text(json, "time", report->time);
	add_location(json, report->location);
	json_text(json, "node", report->origin);
	if (report->kind == REPORT_REMOVAL)
		json_null(json, "skew");
	else
		json_text(json, "skew", report->skew);
	json_text(json, "received_at", span_of(received, len));
	if (from[0] == '\0')
		json_null(json, "from");
	else
		json_word(json, "from", from);
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
	if (address_format(&text, address) == HERD_OK)
		json_text(json, key, buf_span(&text));
	else
		json_fail(json, HERD_ENOMEM);
	buf_release(&text);
}
