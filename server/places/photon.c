/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Photon (github.com/komoot/photon), a geocoder over OpenStreetMap: its
 * reverse search gives GeoJSON.
 */
#include <stdio.h>

#include "places/photon_types.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

#define ID_MAX 32u
#define TEXT_MAX 1024u

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

	upstream_decimal(location_lat(question->at), lat);
	upstream_decimal(location_lon(question->at), lng);
	upstream_decimal(upstream_radius_m(question) / 1000, radius_km);
	return buf_addf(&request->url,
	    "%s/reverse?lon=%s&lat=%s&radius=%s&limit=%u", config->base_url,
	    lng, lat, radius_km, question->max);
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

/* "Street 12"; empty when there is no street. */
static void
format_street(const cJSON *properties, char out[TEXT_MAX])
{
	struct span street = member_text(properties, "street");
	struct span number = member_text(properties, "housenumber");

	out[0] = '\0';
	if (street.data != NULL && street.len + number.len + 2 <= TEXT_MAX)
		(void)snprintf(out, TEXT_MAX, "%s%s%s", street.data,
		    number.data != NULL ? " " : "",
		    number.data != NULL ? number.data : "");
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

/* False: it has neither name nor address, so nothing to show. */
static bool
add_feature(struct json *json, const cJSON *feature, struct geo_point at)
{
	const cJSON *properties = member_object(feature, "properties");
	struct span name = member_text(properties, "name");
	struct span types[PHOTON_TYPES_MAX];
	char street[TEXT_MAX];
	char vicinity[TEXT_MAX];
	char id[ID_MAX];
	size_t count;

	format_street(properties, street);
	format_vicinity(street, properties, vicinity);
	if (name.data == NULL)
		name = span_from(street);
	if (name.len == 0 || !read_id(properties, id))
		return false;
	count = photon_types(member_text(properties, "osm_key"),
	    member_text(properties, "osm_value"), types);
	json_object(json, NULL);
	add_view(json, properties, at);
	json_text(json, "name", name);
	json_text(json, "place_id", span_from(id));
	json_text(json, "reference", span_from(id));
	json_texts(json, "types", types, count);
	json_text(
	    json, "vicinity", vicinity[0] != '\0' ? span_from(vicinity) : name);
	json_object_end(json);
	return true;
}

/* NULL: an answer that can be used. */
static const char *
find_fault(const cJSON *json)
{
	const cJSON *features = member_array(json, "features");
	const cJSON *feature;
	struct geo_point at;
	char id[ID_MAX];

	if (features == NULL)
		return "the answer has no list of features";
	cJSON_ArrayForEach(feature, features) {
		if (!read_at(feature, &at))
			return "the answer has a feature without coordinates";
		if (!read_id(member_object(feature, "properties"), id))
			return "the answer has a feature without an id";
	}
	return NULL;
}

static enum herd_error
photon_read(const struct places_question *question, struct span body,
    struct buf *json, struct answer_facts *facts, struct buf *why)
{
	static const struct upstream_form form = { read_at, add_feature };
	struct span attribution = span_from(ATTRIBUTION);
	cJSON *tree;
	enum herd_error error =
	    upstream_open(body, find_fault, &tree, facts, why);

	if (tree != NULL)
		error = upstream_write(json, question,
		    member_array(tree, "features"), &form, &attribution, 1,
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
