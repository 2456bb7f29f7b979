/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/rows.h"

#include "herd/location.h"
#include "herd/text.h"
#include "herd/time.h"

/* --- a client --------------------------------------------------------- */

void
row_client_id(struct json *json, cJSON *row, struct span client)
{
	struct buf base64;

	json_span(json, row, "client", client);
	if (text_is_utf8(client))
		return;
	buf_init(&base64, 2u * REPORT_CLIENT_MAX);
	if (text_to_base64(&base64, client) == HERD_OK)
		json_span(json, row, "client_b64", buf_span(&base64));
	else
		json->failed = true;
	buf_release(&base64);
}

static void
add_location(struct json *json, cJSON *row, struct span text)
{
	struct location at;

	if (location_parse(text, &at) != HERD_OK) {
		json_null(json, row, "location");
		json_null(json, row, "lat");
		json_null(json, row, "lon");
		return;
	}
	json_span(json, row, "location", text);
	json_double(json, row, "lat", location_lat(at));
	json_double(json, row, "lon", location_lon(at));
}

void
row_client(struct json *json, cJSON *row, const struct report *report,
    const char *from)
{
	char received[TIME_FORMAT_MAX];
	size_t len = time_format(report_received_ns(report), received);

	row_client_id(json, row, report->client);
	json_span(json, row, "time", report->time);
	add_location(json, row, report->location);
	json_span(json, row, "node", report->origin);
	if (report->kind == REPORT_REMOVAL)
		json_null(json, row, "skew");
	else
		json_span(json, row, "skew", report->skew);
	json_span(json, row, "received_at", span_of(received, len));
	if (from[0] == '\0')
		json_null(json, row, "from");
	else
		json_string(json, row, "from", from);
	if (report->kind == REPORT_REMOVAL)
		json_bool(json, row, "removed", true);
}

void
row_ahead(
    struct json *json, cJSON *row, const struct report *report, struct wall now)
{
	if (report->time_ns > now.ns)
		json_seconds(json, row, "ahead_s", report->time_ns - now.ns);
}

void
row_address(struct json *json, cJSON *row, const char *key,
    const struct address *address)
{
	struct buf text;

	if (address->kind == ADDRESS_NONE) {
		json_null(json, row, key);
		return;
	}
	buf_init(&text, 512);
	if (address_format(&text, address) == HERD_OK)
		json_span(json, row, key, buf_span(&text));
	else
		json->failed = true;
	buf_release(&text);
}
