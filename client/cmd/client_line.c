/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/client_line.h"

#include "base/xbuf.h"
#include "herd/client_view.h"
#include "herd/text.h"
#include "herd/json_members.h"

/* What a line may have, by the keys of the admin API. */
enum member {
	MEMBER_CLIENT,
	MEMBER_BYTES, /* the id in base64, if it is not UTF-8 */
	MEMBER_LOCATION,
	MEMBER_LAT,
	MEMBER_LON,
	MEMBER_TIME,
	MEMBER_RECEIVED,
	MEMBER_ORIGIN,
	MEMBER_SKEW,
	MEMBER_FROM,
	MEMBER_AGE,
	MEMBER_AHEAD,
	MEMBER_DISTANCE,
	MEMBER_COUNT,
};

static const char *const keys[MEMBER_COUNT] = {
	[MEMBER_CLIENT] = "client",
	[MEMBER_BYTES] = "client_b64",
	[MEMBER_LOCATION] = "location",
	[MEMBER_LAT] = "lat",
	[MEMBER_LON] = "lon",
	[MEMBER_TIME] = "time",
	[MEMBER_RECEIVED] = "received_at",
	[MEMBER_ORIGIN] = "node",
	[MEMBER_SKEW] = "skew",
	[MEMBER_FROM] = "from",
	[MEMBER_AGE] = "age_s",
	[MEMBER_AHEAD] = "ahead_s",
	[MEMBER_DISTANCE] = "distance_m",
};

/* Columns whose value is a member's text, or its number. */
static const struct {
	enum member member;
	size_t column;
} texts[] = {
	{ MEMBER_TIME, CLIENT_TIME },
	{ MEMBER_RECEIVED, CLIENT_RECEIVED },
	{ MEMBER_ORIGIN, CLIENT_ORIGIN },
	{ MEMBER_SKEW, CLIENT_SKEW },
	{ MEMBER_FROM, CLIENT_FROM },
}, numbers[] = {
	{ MEMBER_AGE, CLIENT_AGE },
	{ MEMBER_AHEAD, CLIENT_AHEAD },
	{ MEMBER_DISTANCE, CLIENT_DISTANCE },
};

/* The whole line is looked at: one that is no JSON sets nothing. */
static bool
read_members(struct span line, struct json_item items[MEMBER_COUNT])
{
	struct json_item object;
	struct json_item value;
	struct json_members members;
	struct span key;

	if (!json_value(line, &object) || object.kind != JSON_OBJECT)
		return false;
	members = json_members(&object);
	while (json_members_next(&members, &key, &value)) {
		for (size_t i = 0; i < MEMBER_COUNT; i++) {
			if (items[i].kind == JSON_NONE &&
			    span_is(key, keys[i])) {
				items[i] = value;
				break;
			}
		}
	}
	return !members.bad;
}

/* Most strings have no escape and are taken as they are. */
static bool
set_text(struct out *out, size_t column, const struct json_item *item)
{
	struct buf text = XBUF;
	bool good;

	if (item->kind != JSON_STRING)
		return false;
	if (span_find(item->text, '\\') == NULL) {
		out_text(out, column, item->text);
		return true;
	}
	good = json_members_text(item, &text) == HERD_OK;
	if (good)
		out_text(out, column, buf_span(&text));
	buf_release(&text);
	return good;
}

static bool
set_id(struct out *out, const struct json_item *items)
{
	const struct json_item *coded = &items[MEMBER_BYTES];
	struct buf bytes = XBUF;

	if (!set_text(out, CLIENT_ID, &items[MEMBER_CLIENT]))
		return false;
	if (coded->kind == JSON_STRING &&
	    text_from_base64(&bytes, coded->text) == HERD_OK)
		out_text(out, CLIENT_ID, buf_span(&bytes));
	buf_release(&bytes);
	return true;
}

static bool
read_number(const struct json_item *item, double *number)
{
	return item->kind == JSON_NUMBER &&
	       value_parse(VALUE_REAL, item->text, number) == HERD_OK;
}

static void
set_place(struct out *out, const struct json_item *items)
{
	double lat;
	double lon;

	if (!read_number(&items[MEMBER_LAT], &lat) ||
	    !read_number(&items[MEMBER_LON], &lon) ||
	    !set_text(out, CLIENT_LOCATION, &items[MEMBER_LOCATION]))
		return;
	out->row[CLIENT_LOCATION].lat = lat;
	out->row[CLIENT_LOCATION].lon = lon;
}

bool
client_line_fill(struct out *out, struct span line)
{
	struct json_item items[MEMBER_COUNT] = { { .kind = JSON_NONE } };
	double number;

	if (!read_members(line, items) || !set_id(out, items))
		return false;
	set_place(out, items);
	for (size_t i = 0; i < HERD_ARRAY_LEN(texts); i++)
		(void)set_text(out, texts[i].column, &items[texts[i].member]);
	for (size_t i = 0; i < HERD_ARRAY_LEN(numbers); i++) {
		if (read_number(&items[numbers[i].member], &number))
			out_real(out, numbers[i].column, number);
	}
	return true;
}
