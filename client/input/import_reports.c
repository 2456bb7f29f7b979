/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of reports: which columns and members of a file they are in. */
#include <math.h>
#include <strings.h>

#include "herd/location.h"
#include "input/import_json.h"
#include "input/import_record.h"

#define ND_PER_DEGREE 1e9

/* --- csv ------------------------------------------------------------------ */

static unsigned
field_of(const struct import_options *options HERD_UNUSED, struct span title)
{
	static const struct {
		const char *title;
		enum import_field field;
	} titles[] = {
		{ "client", FIELD_CLIENT },
		{ "client_b64", FIELD_CLIENT_B64 },
		{ "location", FIELD_LOCATION },
		{ "lat", FIELD_LAT },
		{ "latitude", FIELD_LAT },
		{ "lon", FIELD_LON },
		{ "lng", FIELD_LON },
		{ "longitude", FIELD_LON },
		{ "time", FIELD_TIME },
		{ "timestamp", FIELD_TIME },
		{ "origin", FIELD_ORIGIN },
		{ "node", FIELD_ORIGIN },
		{ "skew", FIELD_SKEW },
	};

	for (size_t i = 0; i < HERD_ARRAY_LEN(titles); i++) {
		if (strlen(titles[i].title) == title.len &&
		    strncasecmp(titles[i].title, title.data, title.len) == 0)
			return titles[i].field;
	}
	return IMPORT_FIELDS_MAX;
}

static bool
has(uint32_t fields, enum import_field field)
{
	return (fields >> field & 1u) != 0;
}

static const char *
missing(const struct import_options *options, uint32_t fields)
{
	if (options->client.len == 0 && !has(fields, FIELD_CLIENT) &&
	    !has(fields, FIELD_CLIENT_B64))
		return "its header has no column `client', and no --client "
		       "says whose it is";
	if (!has(fields, FIELD_LOCATION) &&
	    (!has(fields, FIELD_LAT) || !has(fields, FIELD_LON)))
		return "its header has neither `location' nor `lat' and `lon'";
	if (options->time.len == 0 && !has(fields, FIELD_TIME))
		return "its header has no column `time'; --time now, or "
		       "another time, is for all its reports";
	return NULL;
}

/* --- geojson -------------------------------------------------------------- */

/* The first of these members that has a text. */
static void
read_client(const struct json_item *feature, const struct json_item *properties,
    struct import_record *record)
{
	static const char *const keys[] = { "client", "id", "name" };
	struct json_item value = json_members_find(properties, "client_b64");

	(void)import_json_field(&value, record, FIELD_CLIENT_B64);
	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++) {
		value = json_members_find(properties, keys[i]);
		if (import_json_field(&value, record, FIELD_CLIENT))
			return;
	}
	value = json_members_find(feature, "id");
	(void)import_json_field(&value, record, FIELD_CLIENT);
}

static bool
says(const struct json_item *object, const char *key, const char *word)
{
	struct json_item value = json_members_find(object, key);

	return value.kind == JSON_STRING && span_is(value.text, word);
}

/* The text as it was reported, if it is that place: it may have more digits. */
static bool
is_place(struct span text, double lat, double lon)
{
	struct location at;

	return location_parse(text, &at) == HERD_OK &&
	       fabs((double)at.lat_nd - lat * ND_PER_DEGREE) <= 1.0 &&
	       fabs((double)at.lon_nd - lon * ND_PER_DEGREE) <= 1.0;
}

static bool
read_coordinates(const struct json_item *geometry,
    const struct json_item *properties, struct import_record *record)
{
	struct json_item pair = json_members_find(geometry, "coordinates");
	struct json_members members = json_members(&pair);
	struct json_item text = json_members_find(properties, "location");
	struct json_item lon, lat;
	double lat_deg, lon_deg;

	if (pair.kind != JSON_ARRAY || !json_members_element(&members, &lon) ||
	    !json_members_element(&members, &lat) ||
	    !import_record_number(lon.text, &lon_deg) ||
	    !import_record_number(lat.text, &lat_deg))
		return false;
	if (text.kind == JSON_STRING && is_place(text.text, lat_deg, lon_deg)) {
		import_record_put(record, FIELD_LOCATION, text.text);
		return true;
	}
	import_record_put(record, FIELD_LAT, lat.text);
	import_record_put(record, FIELD_LON, lon.text);
	return true;
}

static const char *
read_feature(const struct json_item *feature, struct import_record *record)
{
	struct json_item geometry = json_members_find(feature, "geometry");
	struct json_item properties = json_members_find(feature, "properties");
	struct json_item time = json_members_find(&properties, "time");

	if (!says(feature, "type", "Feature"))
		return "it is no Feature";
	read_client(feature, &properties, record);
	(void)import_json_field(&time, record, FIELD_TIME);
	if (!says(&geometry, "type", "Point"))
		return "its geometry is no Point";
	if (!read_coordinates(&geometry, &properties, record))
		return "its coordinates are not [lon, lat]";
	return NULL;
}

const struct import_shape import_reports = {
	.field_of = field_of,
	.missing = missing,
	.read_object = read_feature,
	.settle = import_record_settle,
};
