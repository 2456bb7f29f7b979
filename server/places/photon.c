/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Photon (github.com/komoot/photon), a geocoder over OpenStreetMap: its
 * reverse search gives GeoJSON.
 */
#include <stdio.h>

#include "herd/place_types.h"
#include "herd/street.h"
#include "places/result_icon.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

#define ID_MAX 32u
#define TEXT_MAX 1024u
#define RESULTS_MAX 50u

/* openstreetmap.org/copyright asks for the name and the licence. */
static const char ATTRIBUTION[] =
    "\xc2\xa9 OpenStreetMap contributors"
    " (https://www.openstreetmap.org/copyright), ODbL";

static enum herd_error
photon_ask(const struct upstream_config *config,
    const struct places_question *question, struct upstream_request *request)
{
	char lat[UPSTREAM_DECIMAL_MAX];
	char lng[UPSTREAM_DECIMAL_MAX];
	char radius_km[UPSTREAM_DECIMAL_MAX];
	const char *type = question->filter.type;
	const struct place_types_tag *tag = place_types_tags();
	enum herd_error error;

	upstream_decimal(location_lat(question->at), lat);
	upstream_decimal(location_lon(question->at), lng);
	upstream_decimal(upstream_radius_m(question) / 1000, radius_km);
	error = buf_addf(&request->url,
	    "%s/reverse?lon=%s&lat=%s&radius=%s&limit=%u", config->base_url,
	    lng, lat, radius_km, upstream_max(question, RESULTS_MAX));
	/* Without them the nearest are streets and house numbers. */
	for (; error == HERD_OK && tag->key != NULL; tag++) {
		if (type[0] != '\0' && !place_types_may_be(tag, type))
			continue;
		error = buf_addf(&request->url, "&osm_tag=%s%s%s", tag->key,
		    tag->value != NULL ? ":" : "",
		    tag->value != NULL ? tag->value : "");
	}
	return error;
}

/* [lng, lat], as GeoJSON has it. */
static bool
read_at(const cJSON *feature, struct geo_point *out)
{
	const cJSON *pair =
	    member_array(member_object(feature, "geometry"), "coordinates");
	const cJSON *lng = cJSON_GetArrayItem(pair, 0);
	const cJSON *lat = cJSON_GetArrayItem(pair, 1);

	if (!cJSON_IsNumber(lng) || !cJSON_IsNumber(lat))
		return false;
	*out = (struct geo_point){ lat->valuedouble, lng->valuedouble };
	return geo_point_is_valid(*out);
}

/* "osm-N240109189" from the type's letter and the number. */
static bool
read_id(const cJSON *properties, char out[ID_MAX])
{
	struct span type = member_text(properties, "osm_type");
	double number;

	if (type.len != 1 || type.data[0] < 'A' || type.data[0] > 'Z' ||
	    !member_number(properties, "osm_id", &number) || number < 0 ||
	    number > 9e15)
		return false;
	(void)snprintf(out, ID_MAX, "osm-%c%.0f", type.data[0], number);
	return true;
}

/* The town, or the next larger area that is known. */
static struct span
read_town(const cJSON *properties)
{
	static const char *const names[] = { "city", "locality", "district",
		"county", "state", "country" };
	struct span town = { NULL, 0 };

	for (size_t i = 0; town.data == NULL && i < HERD_ARRAY_LEN(names); i++)
		town = member_text(properties, names[i]);
	return town;
}

/* "Street 12" or "12 Street"; empty when there is no street. */
static void
format_street(const cJSON *properties, char out[TEXT_MAX])
{
	struct buf text;

	buf_init(&text, TEXT_MAX - 1);
	/* One that is too long is left out. */
	if (street_format(&text, member_text(properties, "countrycode"),
		member_text(properties, "street"),
		member_text(properties, "housenumber")) != HERD_OK)
		buf_clear(&text);
	memcpy(out, text.len > 0 ? buf_span(&text).data : "", text.len);
	out[text.len] = '\0';
	buf_release(&text);
}

/* "Street 12, Town"; either may be missing. */
static void
format_vicinity(const char *street, const cJSON *properties, char out[TEXT_MAX])
{
	struct span town = read_town(properties);
	size_t len = strlen(street);

	if (town.data == NULL || len + town.len + 3 > (size_t)TEXT_MAX)
		town = span_from("");
	memcpy(out, street, len);
	if (len > 0 && town.len > 0) {
		memcpy(out + len, ", ", 2);
		len += 2;
	}
	memcpy(out + len, town.data, town.len);
	out[len + town.len] = '\0';
}

/* extent is [west, north, east, south]. */
static bool
read_extent(const cJSON *properties, struct geo_point *northeast,
    struct geo_point *southwest)
{
	const cJSON *extent = member_array(properties, "extent");
	double side[4];

	for (int i = 0; i < 4; i++) {
		const cJSON *item = cJSON_GetArrayItem(extent, i);

		if (!cJSON_IsNumber(item))
			return false;
		side[i] = item->valuedouble;
	}
	*northeast = (struct geo_point){ side[1], side[2] };
	*southwest = (struct geo_point){ side[3], side[0] };
	return geo_point_is_valid(*northeast) && geo_point_is_valid(*southwest);
}

static void
add_view(struct json *json, const cJSON *properties, struct geo_point at)
{
	struct geo_point northeast;
	struct geo_point southwest;

	if (read_extent(properties, &northeast, &southwest))
		add_geometry_of(json, at, northeast, southwest);
	else
		add_geometry_around(json, at);
}

/* One with neither name nor address has nothing to show. */
static bool
is_whole(const cJSON *feature)
{
	const cJSON *properties = member_object(feature, "properties");
	char street[TEXT_MAX];
	char id[ID_MAX];

	format_street(properties, street);
	return read_id(properties, id) &&
	       (member_text(properties, "name").data != NULL ||
		   street[0] != '\0');
}

static bool
is_wanted(const cJSON *feature)
{
	const cJSON *properties = member_object(feature, "properties");
	struct span key = member_text(properties, "osm_key");

	/* What is broken is counted as that. */
	return key.data == NULL ||
	       place_types_has_tag(key, member_text(properties, "osm_value"));
}

static size_t
read_types(const cJSON *feature, struct span types[UPSTREAM_TYPES_MAX])
{
	const cJSON *properties = member_object(feature, "properties");

	return place_types_of_osm(member_text(properties, "osm_key"),
	    member_text(properties, "osm_value"), types);
}

static struct span
read_name(const cJSON *feature)
{
	return member_text(member_object(feature, "properties"), "name");
}

/* Photon does not tell opening hours. */
static bool
is_open(const cJSON *feature HERD_UNUSED)
{
	return false;
}

static void
add_feature(const struct upstream_result *result, const cJSON *feature)
{
	struct json *json = result->json;
	const cJSON *properties = member_object(feature, "properties");
	struct span name = member_text(properties, "name");
	struct span types[PLACE_TYPES_MAX];
	const struct span none = { NULL, 0 };
	char street[TEXT_MAX];
	char vicinity[TEXT_MAX];
	char id[ID_MAX];
	size_t count;

	format_street(properties, street);
	format_vicinity(street, properties, vicinity);
	if (name.data == NULL)
		name = span_from(street);
	(void)read_id(properties, id);
	count = place_types_of_osm(member_text(properties, "osm_key"),
	    member_text(properties, "osm_value"), types);
	json_object(json, NULL);
	/* OpenStreetMap takes the tag off a place that has closed. */
	if (span_is(types[count - 1], "establishment"))
		json_text(json, "business_status", span_from("OPERATIONAL"));
	add_view(json, properties, result->at);
	result_icon_add(
	    json, result->config->icon_base, types, count, none, none);
	json_text(json, "name", name);
	json_text(json, "place_id", span_from(id));
	json_text(json, "reference", span_from(id));
	json_text(json, "scope", span_from("APP"));
	json_texts(json, "types", types, count);
	json_text(
	    json, "vicinity", vicinity[0] != '\0' ? span_from(vicinity) : name);
	json_object_end(json);
}

static const struct upstream_form FORM = {
	.read_at = read_at,
	.is_whole = is_whole,
	.is_wanted = is_wanted,
	.add = add_feature,
	.read_types = read_types,
	.read_name = read_name,
	.is_open = is_open,
};

/* NULL: an answer that can be used. */
static const char *
find_fault(const cJSON *json)
{
	const cJSON *features = member_array(json, "features");

	if (features == NULL)
		return "the answer has no list of features";
	return upstream_list_fault(features, &FORM);
}

static enum herd_error
photon_read(const struct upstream_config *config,
    const struct places_question *question, struct span body, struct buf *json,
    struct answer_facts *facts, struct buf *why)
{
	struct span attribution = span_from(ATTRIBUTION);
	cJSON *tree;
	enum herd_error error =
	    upstream_open(body, find_fault, &tree, facts, why);

	if (tree != NULL)
		error = upstream_write(json, config, question,
		    member_array(tree, "features"), &FORM, &attribution, 1,
		    facts);
	cJSON_Delete(tree);
	return error;
}

const struct upstream upstream_photon = {
	.base_url = "https://photon.komoot.io",
	.may_cache = true,
	.ask = photon_ask,
	.read = photon_read,
};
