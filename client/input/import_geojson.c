/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * geojson (RFC 7946): a FeatureCollection of Points, of which one feature at a
 * time is kept, or features one after the other (RFC 8142, or one a line).
 */
#include <math.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "input/import_formats.h"
#include "input/import_json.h"
#include "input/json_outline.h"
#include "herd/location.h"
#include "herd/text.h"

#define RECORD_SEPARATOR '\x1e'
#define ND_PER_DEGREE 1e9

enum geojson_place {
	OUTSIDE, /* between texts */
	GARBAGE, /* no object, up to the line's end */
	ROOT,    /* in an outermost object: a Feature, or what has a list */
	LIST,    /* between the elements of "features" */
	ELEMENT, /* in an object or array of the list */
	SCALAR,  /* in an element of another kind */
};

struct geojson {
	struct json_outline json;
	enum geojson_place place;
	bool collection; /* the outermost object has a list of features */
};

enum end {
	NO_END,
	END_BEFORE, /* the byte is not the record's */
	END_AFTER,
};

static bool
is_between(char byte)
{
	return text_is_space(byte) || byte == ',' || byte == RECORD_SEPARATOR ||
	       memchr("\xef\xbb\xbf", byte, 3) != NULL;
}

/* What is before the next byte belongs to no record. */
static void
skip(struct import_reader *r)
{
	r->begin = r->scanned + 1;
}

static enum end
outside(struct import_reader *r, struct geojson *g, char byte)
{
	if (is_between(byte)) {
		skip(r);
		return NO_END;
	}
	r->begin = r->scanned;
	*g = (struct geojson){ .place = byte == '{' ? ROOT : GARBAGE };
	(void)json_outline_byte(&g->json, byte);
	return NO_END;
}

static enum end
root(struct import_reader *r, struct geojson *g, char byte)
{
	if (json_outline_byte(&g->json, byte) && byte == '[' &&
	    g->json.value_depth == 1 &&
	    json_outline_key_is(&g->json, "features")) {
		g->place = LIST;
		g->collection = true;
		/* What came before the list is no record. */
		r->too_long = false;
	}
	if (g->collection)
		skip(r);
	if (g->json.depth > 0)
		return NO_END;
	g->place = OUTSIDE;
	return g->collection ? NO_END : END_AFTER;
}

static enum end
list(struct import_reader *r, struct geojson *g, char byte)
{
	if (is_between(byte)) {
		skip(r);
		return NO_END;
	}
	r->begin = r->scanned;
	(void)json_outline_byte(&g->json, byte);
	if (g->json.depth == 1) {
		g->place = ROOT;
		skip(r);
	} else {
		g->place = g->json.depth > 2 ? ELEMENT : SCALAR;
	}
	return NO_END;
}

static enum end
element(struct geojson *g, char byte)
{
	(void)json_outline_byte(&g->json, byte);
	if (g->json.depth > 2)
		return NO_END;
	g->place = LIST;
	return END_AFTER;
}

static enum end
scalar(struct geojson *g, char byte)
{
	if (!g->json.in_string && (byte == ',' || byte == ']' || byte == '}')) {
		g->place = LIST;
		return END_BEFORE;
	}
	(void)json_outline_byte(&g->json, byte);
	return NO_END;
}

static enum end
take(struct import_reader *r, char byte)
{
	struct geojson *g = r->state;

	/* Another text begins: what is open is broken. */
	if (byte == RECORD_SEPARATOR && g->json.depth > 0) {
		g->json.depth = 0;
		g->place = OUTSIDE;
		r->scan_fault = "the object is not closed";
		return END_BEFORE;
	}
	switch (g->place) {
	case OUTSIDE: return outside(r, g, byte);
	case GARBAGE:
		if (byte != '\n')
			return NO_END;
		g->place = OUTSIDE;
		return END_AFTER;
	case ROOT: return root(r, g, byte);
	case LIST: return list(r, g, byte);
	case ELEMENT: return element(g, byte);
	case SCALAR: return scalar(g, byte);
	}
	return NO_END;
}

static enum import_scan
scan(struct import_reader *r)
{
	const struct geojson *g = r->state;
	struct span in = buf_span(&r->in);
	enum end end = NO_END;

	while (end == NO_END && r->scanned < in.len) {
		end = take(r, in.data[r->scanned]);
		r->scanned += end != END_BEFORE;
	}
	r->open = g->place == ROOT || g->place == LIST || g->place == ELEMENT ||
		  g->place == SCALAR;
	return end == NO_END ? SCAN_MORE : SCAN_RECORD;
}

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

static bool
parse(struct import_reader *reader HERD_UNUSED, struct span raw,
    struct import_record *record)
{
	struct json_item feature;

	if (record->fault != NULL)
		return true;
	if (!json_value(raw, &feature) || feature.kind != JSON_OBJECT)
		record->fault = "not a JSON object";
	else
		record->fault = read_feature(&feature, record);
	return true;
}

const struct import_format import_geojson = {
	.name = "geojson",
	.unit = "feature",
	.state_size = sizeof(struct geojson),
	.scan = scan,
	.parse = parse,
};
