/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Google's Places API (New), Nearby Search: POST with a field mask. The answer
 * has another form than the one that Herd's clients know.
 * Source: developers.google.com/maps/documentation/places/web-service/
 * nearby-search and the reference of v1/places:searchNearby.
 */
#include <stdio.h>

#include "places/attribution.h"
#include "places/result_icon.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

#define ATTRIBUTION_LIST_MAX 16u
#define RESULTS_MAX 20u
#define PHOTOS_MAX 10u

/* The basic fields; the rich ones are billed higher. */
static const char MASK_BASIC[] =
    "places.id,places.displayName,places.location,places.viewport,"
    "places.types,places.shortFormattedAddress,places.formattedAddress,"
    "places.businessStatus,"
    "places.plusCode,places.iconMaskBaseUri,places.iconBackgroundColor,"
    "places.attributions";
static const char MASK_RICH[] =
    "places.rating,places.userRatingCount,places.priceLevel,"
    "places.currentOpeningHours.openNow,places.photos";
/* A question for what is open needs it. */
static const char MASK_OPEN[] = "places.currentOpeningHours.openNow";

/* Price levels, which the legacy API numbers from 0. */
static const char *const PRICE_LEVELS[] = {
	"PRICE_LEVEL_FREE",
	"PRICE_LEVEL_INEXPENSIVE",
	"PRICE_LEVEL_MODERATE",
	"PRICE_LEVEL_EXPENSIVE",
	"PRICE_LEVEL_VERY_EXPENSIVE",
};

/*
 * Table B of developers.google.com/maps/documentation/places/web-service/
 * place-types: answers have these types, but a request with one is refused.
 */
static bool
may_be_asked_for(struct span type)
{
	static const char *const words[] = { "archipelago", "colloquial_area",
		"continent", "establishment", "finance", "floor", "food",
		"general_contractor", "geocode", "health", "intersection",
		"landmark", "natural_feature", "neighborhood",
		"place_of_worship", "plus_code", "point_of_interest",
		"political", "post_box", "postal_code_prefix",
		"postal_code_suffix", "postal_town", "premise", "room", "route",
		"street_address", "street_number", "subpremise",
		"town_square" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(words); i++) {
		if (span_is(type, words[i]))
			return false;
	}
	return type.len > 0 && !span_begins(type, span_from("sublocality"));
}

static enum herd_error
google_ask(const struct upstream_config *config,
    const struct places_question *question, struct upstream_request *request)
{
	char mask[sizeof(MASK_BASIC) + sizeof(MASK_RICH) + sizeof(MASK_OPEN)];
	bool needs_hours = question->filter.open_now && !config->rich;
	struct span type = span_from(question->filter.type);
	struct json json;
	enum herd_error error;

	(void)snprintf(mask, sizeof(mask), "%s%s%s%s", MASK_BASIC,
	    config->rich || needs_hours ? "," : "",
	    config->rich ? MASK_RICH : "", needs_hours ? MASK_OPEN : "");
	error = buf_addf(
	    &request->url, "%s/v1/places:searchNearby", config->base_url);
	if (error == HERD_OK)
		error = upstream_request_header(
		    request, "Content-Type", "application/json");
	if (error == HERD_OK)
		error = upstream_request_header(
		    request, "X-Goog-Api-Key", config->key->text);
	if (error == HERD_OK)
		error =
		    upstream_request_header(request, "X-Goog-FieldMask", mask);
	if (error != HERD_OK)
		return error;
	json_begin(&json, &request->body, JSON_COMPACT);
	json_object(&json, NULL);
	json_object(&json, "locationRestriction");
	json_object(&json, "circle");
	json_object(&json, "center");
	json_number(&json, "latitude", location_lat(question->at));
	json_number(&json, "longitude", location_lon(question->at));
	json_object_end(&json);
	json_number(&json, "radius", upstream_radius_m(question));
	json_object_end(&json);
	json_object_end(&json);
	/* The others are picked out of the answer. */
	if (may_be_asked_for(type))
		json_texts(&json, "includedTypes", &type, 1);
	json_count(
	    &json, "maxResultCount", upstream_max(question, RESULTS_MAX));
	/* As the legacy API, which orders by prominence, does. */
	json_word(&json, "rankPreference",
	    question->filter.rank == PLACES_RANK_DISTANCE ? "DISTANCE"
							  : "POPULARITY");
	json_object_end(&json);
	return json_end(&json);
}

/* --- the answer ---------------------------------------------------------- */

/* ProtoJSON leaves a number out that is 0. */
static bool
read_degrees(const cJSON *object, const char *name, double *out)
{
	*out = 0;
	return !cJSON_HasObjectItem(object, name) ||
	       member_number(object, name, out);
}

static bool
read_point(const cJSON *object, struct geo_point *out)
{
	return object != NULL && read_degrees(object, "latitude", &out->lat) &&
	       read_degrees(object, "longitude", &out->lng) &&
	       geo_point_is_valid(*out);
}

static bool
read_location(const cJSON *place, struct geo_point *out)
{
	return read_point(member_object(place, "location"), out);
}

static void
add_text_if(struct json *json, const char *key, struct span text)
{
	if (text.data != NULL)
		json_text(json, key, text);
}

static void
add_number_if(
    struct json *json, const char *key, const cJSON *object, const char *name)
{
	double value;

	if (member_number(object, name, &value))
		json_number(json, key, value);
}

static void
add_view(struct json *json, const cJSON *place, struct geo_point at)
{
	const cJSON *view = member_object(place, "viewport");
	struct geo_point low;
	struct geo_point high;

	if (read_point(member_object(view, "low"), &low) &&
	    read_point(member_object(view, "high"), &high))
		add_geometry_of(json, at, high, low);
	else
		add_geometry_around(json, at);
}

static bool
is_open(const cJSON *place)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(
	    member_object(place, "currentOpeningHours"), "openNow"));
}

static void
add_opening_hours(struct json *json, const cJSON *place)
{
	const cJSON *open = cJSON_GetObjectItemCaseSensitive(
	    member_object(place, "currentOpeningHours"), "openNow");

	if (!cJSON_IsBool(open))
		return;
	json_object(json, "opening_hours");
	json_bool(json, "open_now", cJSON_IsTrue(open));
	json_object_end(json);
}

static void
add_photo_attribution(struct json *json, const cJSON *photo)
{
	const cJSON *author =
	    cJSON_GetArrayItem(member_array(photo, "authorAttributions"), 0);
	struct span attribution;
	struct buf text;
	bool is_known;

	buf_init(&text, ATTRIBUTION_MAX);
	is_known = attribution_format(&text, member_text(author, "uri"),
		       member_text(author, "displayName")) == HERD_OK;
	attribution = buf_span(&text);
	json_texts(json, "html_attributions", &attribution, is_known);
	buf_release(&text);
}

static void
add_photos(struct json *json, const cJSON *place)
{
	const cJSON *photos = member_array(place, "photos");
	unsigned count = 0;
	const cJSON *photo;

	if (cJSON_GetArraySize(photos) == 0)
		return;
	json_array(json, "photos");
	cJSON_ArrayForEach(photo, photos) {
		if (member_text(photo, "name").data == NULL ||
		    count++ == PHOTOS_MAX)
			break;
		json_object(json, NULL);
		add_number_if(json, "height", photo, "heightPx");
		add_photo_attribution(json, photo);
		json_text(json, "photo_reference", member_text(photo, "name"));
		add_number_if(json, "width", photo, "widthPx");
		json_object_end(json);
	}
	json_array_end(json);
}

static void
add_plus_code(struct json *json, const cJSON *place)
{
	const cJSON *code = member_object(place, "plusCode");

	if (member_text(code, "globalCode").data == NULL)
		return;
	json_object(json, "plus_code");
	add_text_if(json, "compound_code", member_text(code, "compoundCode"));
	json_text(json, "global_code", member_text(code, "globalCode"));
	json_object_end(json);
}

static void
add_price_level(struct json *json, const cJSON *place)
{
	struct span level = member_text(place, "priceLevel");

	for (size_t i = 0;
	     level.data != NULL && i < HERD_ARRAY_LEN(PRICE_LEVELS); i++) {
		if (span_is(level, PRICE_LEVELS[i]))
			json_count(json, "price_level", i);
	}
}

static size_t
read_types(const cJSON *place, struct span types[UPSTREAM_TYPES_MAX])
{
	size_t count = 0;
	const cJSON *type;

	cJSON_ArrayForEach(type, member_array(place, "types")) {
		if (cJSON_IsString(type) && count < UPSTREAM_TYPES_MAX)
			types[count++] = span_from(type->valuestring);
	}
	return count;
}

static struct span
read_name(const cJSON *place)
{
	return member_text(member_object(place, "displayName"), "text");
}

static bool
is_whole(const cJSON *place)
{
	return member_text(place, "id").data != NULL &&
	       read_name(place).data != NULL;
}

/* Clients demand a vicinity; a place without address has its name there. */
static struct span
read_vicinity(const cJSON *place)
{
	struct span address = member_text(place, "shortFormattedAddress");

	if (address.data == NULL)
		address = member_text(place, "formattedAddress");
	return address.data != NULL ? address : read_name(place);
}

static void
add_place(const struct upstream_result *result, const cJSON *place)
{
	struct json *json = result->json;
	struct span id = member_text(place, "id");
	struct span types[UPSTREAM_TYPES_MAX];
	size_t type_count = read_types(place, types);

	json_object(json, NULL);
	add_text_if(
	    json, "business_status", member_text(place, "businessStatus"));
	add_view(json, place, result->at);
	result_icon_add(json, result->config->icon_base, types, type_count,
	    member_text(place, "iconBackgroundColor"),
	    member_text(place, "iconMaskBaseUri"));
	json_text(json, "name", read_name(place));
	add_opening_hours(json, place);
	add_photos(json, place);
	json_text(json, "place_id", id);
	add_plus_code(json, place);
	add_price_level(json, place);
	add_number_if(json, "rating", place, "rating");
	json_text(json, "reference", id);
	json_text(json, "scope", span_from("APP"));
	json_texts(json, "types", types, type_count);
	add_number_if(json, "user_ratings_total", place, "userRatingCount");
	json_text(json, "vicinity", read_vicinity(place));
	json_object_end(json);
}

static const struct upstream_form FORM = {
	.read_at = read_location,
	.is_whole = is_whole,
	.add = add_place,
	.read_types = read_types,
	.read_name = read_name,
	.is_open = is_open,
};

/* The attributions of all places, each once; release them. */
struct attribution_list {
	struct buf texts[ATTRIBUTION_LIST_MAX];
	struct span spans[ATTRIBUTION_LIST_MAX];
	size_t count;
};

static void
take_attribution(struct attribution_list *list, const cJSON *item)
{
	struct buf *text = &list->texts[list->count];
	struct span span;
	size_t i = 0;

	buf_init(text, ATTRIBUTION_MAX);
	if (attribution_format(text, member_text(item, "providerUri"),
		member_text(item, "provider")) != HERD_OK) {
		buf_release(text);
		return;
	}
	span = buf_span(text);
	while (i < list->count && !span_equal(list->spans[i], span))
		i++;
	if (i < list->count)
		buf_release(text);
	else
		list->spans[list->count++] = span;
}

static void
collect_attributions(struct attribution_list *list, const cJSON *places)
{
	const cJSON *place;
	const cJSON *item;

	list->count = 0;
	cJSON_ArrayForEach(place, places) {
		cJSON_ArrayForEach(item, member_array(place, "attributions")) {
			if (list->count < ATTRIBUTION_LIST_MAX)
				take_attribution(list, item);
		}
	}
}

static void
release_list(struct attribution_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		buf_release(&list->texts[i]);
}

/* NULL: an answer that can be used. */
static const char *
find_fault(const cJSON *json)
{
	const cJSON *places = cJSON_GetObjectItemCaseSensitive(json, "places");

	if (!cJSON_IsObject(json))
		return "the answer is not an object";
	if (places == NULL)
		return NULL;
	if (!cJSON_IsArray(places))
		return "the answer's places are not a list";
	return upstream_list_fault(places, &FORM);
}

static enum herd_error
google_read(const struct upstream_config *config,
    const struct places_question *question, struct span body, struct buf *json,
    struct answer_facts *facts, struct buf *why)
{
	struct attribution_list list;
	const cJSON *places;
	cJSON *tree;
	enum herd_error error =
	    upstream_open(body, find_fault, &tree, facts, why);

	if (tree != NULL) {
		places = member_array(tree, "places");
		collect_attributions(&list, places);
		error = upstream_write(json, config, question, places, &FORM,
		    list.spans, list.count, facts);
		release_list(&list);
	}
	cJSON_Delete(tree);
	return error;
}

const struct upstream upstream_google = {
	.base_url = "https://places.googleapis.com",
	.may_cache = false, /* terms of service, 3.2.3 (b) */
	.ask = google_ask,
	.read = google_read,
};
