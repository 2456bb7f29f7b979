/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Google's Places API (New), Nearby Search: POST with a field mask. The answer
 * has another form than the one that Herd's clients know.
 * Source: developers.google.com/maps/documentation/places/web-service/
 * nearby-search and the reference of v1/places:searchNearby.
 */
#include <stdio.h>

#include "places/credit.h"
#include "places/upstream.h"
#include "places/upstream_json.h"

#define ATTRIBUTIONS_MAX 16u
#define TYPES_MAX 64u
#define PHOTOS_MAX 10u

/* The basic fields; the rich ones are billed higher. */
static const char MASK_BASIC[] =
    "places.id,places.displayName,places.location,places.viewport,"
    "places.types,places.shortFormattedAddress,places.businessStatus,"
    "places.plusCode,places.iconMaskBaseUri,places.iconBackgroundColor,"
    "places.attributions";
static const char MASK_RICH[] =
    "places.rating,places.userRatingCount,places.priceLevel,"
    "places.currentOpeningHours.openNow,places.photos";

/* Its names of what the legacy API numbers from 0. */
static const char *const PRICE_LEVELS[] = {
	"PRICE_LEVEL_FREE",
	"PRICE_LEVEL_INEXPENSIVE",
	"PRICE_LEVEL_MODERATE",
	"PRICE_LEVEL_EXPENSIVE",
	"PRICE_LEVEL_VERY_EXPENSIVE",
};

static enum herd_error
google_ask(const struct upstream_config *config,
    const struct places_question *question, struct upstream_request *request)
{
	char mask[sizeof(MASK_BASIC) + sizeof(MASK_RICH)];
	struct look look;
	enum herd_error error;

	(void)snprintf(mask, sizeof(mask), "%s%s%s", MASK_BASIC,
	    config->rich ? "," : "", config->rich ? MASK_RICH : "");
	error = buf_addf(
	    &request->url, "%s/v1/places:searchNearby", config->base_url);
	if (error == HERD_OK)
		error = upstream_request_header(
		    request, "Content-Type", "application/json");
	if (error == HERD_OK)
		error = upstream_request_header(
		    request, "X-Goog-Api-Key", config->secret->text);
	if (error == HERD_OK)
		error =
		    upstream_request_header(request, "X-Goog-FieldMask", mask);
	if (error != HERD_OK)
		return error;
	look_begin(&look, &request->body, LOOK_COMPACT);
	look_object(&look, NULL);
	look_object(&look, "locationRestriction");
	look_object(&look, "circle");
	look_object(&look, "center");
	look_number(&look, "latitude", location_lat(question->at));
	look_number(&look, "longitude", location_lon(question->at));
	look_object_end(&look);
	look_number(&look, "radius", upstream_radius_m(question));
	look_object_end(&look);
	look_object_end(&look);
	look_count(&look, "maxResultCount", question->max);
	/* As the legacy API, which orders by prominence, does. */
	look_text(&look, "rankPreference", span_from("POPULARITY"));
	look_object_end(&look);
	return look_end(&look);
}

/* --- the answer ----------------------------------------------------------- */

static bool
read_point(const cJSON *object, struct geo_point *out)
{
	return member_number(object, "latitude", &out->lat) &&
	       member_number(object, "longitude", &out->lng) &&
	       geo_point_is_valid(*out);
}

static bool
read_location(const cJSON *place, struct geo_point *out)
{
	return read_point(member_object(place, "location"), out);
}

static void
add_text_if(struct look *look, const char *key, struct span text)
{
	if (text.data != NULL)
		look_text(look, key, text);
}

static void
add_number_if(
    struct look *look, const char *key, const cJSON *object, const char *name)
{
	double value;

	if (member_number(object, name, &value))
		look_number(look, key, value);
}

static void
add_view(struct look *look, const cJSON *place)
{
	const cJSON *view = member_object(place, "viewport");
	struct geo_point at = { 0, 0 };
	struct geo_point low;
	struct geo_point high;

	(void)read_location(place, &at);
	if (read_point(member_object(view, "low"), &low) &&
	    read_point(member_object(view, "high"), &high))
		add_geometry_of(look, at, high, low);
	else
		add_geometry_around(look, at);
}

static void
add_opening_hours(struct look *look, const cJSON *place)
{
	const cJSON *open = cJSON_GetObjectItemCaseSensitive(
	    member_object(place, "currentOpeningHours"), "openNow");

	if (!cJSON_IsBool(open))
		return;
	look_object(look, "opening_hours");
	look_bool(look, "open_now", cJSON_IsTrue(open));
	look_object_end(look);
}

static void
add_photo_credit(struct look *look, const cJSON *photo)
{
	const cJSON *author =
	    cJSON_GetArrayItem(member_array(photo, "authorAttributions"), 0);
	struct span credit;
	struct buf text;
	bool has_credit;

	buf_init(&text, CREDIT_MAX);
	has_credit = credit_format(&text, member_text(author, "uri"),
			 member_text(author, "displayName")) == HERD_OK;
	credit = buf_span(&text);
	look_texts(look, "html_attributions", &credit, has_credit);
	buf_release(&text);
}

static void
add_photos(struct look *look, const cJSON *place)
{
	const cJSON *photos = member_array(place, "photos");
	unsigned count = 0;
	const cJSON *photo;

	if (cJSON_GetArraySize(photos) == 0)
		return;
	look_array(look, "photos");
	cJSON_ArrayForEach(photo, photos)
	{
		if (member_text(photo, "name").data == NULL ||
		    count++ == PHOTOS_MAX)
			break;
		look_object(look, NULL);
		add_number_if(look, "height", photo, "heightPx");
		add_photo_credit(look, photo);
		look_text(look, "photo_reference", member_text(photo, "name"));
		add_number_if(look, "width", photo, "widthPx");
		look_object_end(look);
	}
	look_array_end(look);
}

static void
add_plus_code(struct look *look, const cJSON *place)
{
	const cJSON *code = member_object(place, "plusCode");

	if (member_text(code, "globalCode").data == NULL)
		return;
	look_object(look, "plus_code");
	add_text_if(look, "compound_code", member_text(code, "compoundCode"));
	look_text(look, "global_code", member_text(code, "globalCode"));
	look_object_end(look);
}

static void
add_price_level(struct look *look, const cJSON *place)
{
	struct span level = member_text(place, "priceLevel");

	for (size_t i = 0;
	     level.data != NULL && i < HERD_ARRAY_LEN(PRICE_LEVELS); i++) {
		if (span_is(level, PRICE_LEVELS[i]))
			look_count(look, "price_level", i);
	}
}

static void
add_types(struct look *look, const cJSON *place)
{
	struct span types[TYPES_MAX];
	size_t count = 0;
	const cJSON *type;

	cJSON_ArrayForEach(type, member_array(place, "types"))
	{
		if (cJSON_IsString(type) && count < TYPES_MAX)
			types[count++] = span_from(type->valuestring);
	}
	look_texts(look, "types", types, count);
}

static void
add_icon_mask(struct look *look, const cJSON *place)
{
	add_text_if(look, "icon_background_color",
	    member_text(place, "iconBackgroundColor"));
	add_text_if(
	    look, "icon_mask_base_uri", member_text(place, "iconMaskBaseUri"));
}

static void
add_place(struct look *look, const cJSON *place)
{
	struct span address = member_text(place, "shortFormattedAddress");
	struct span id = member_text(place, "id");

	if (address.data == NULL)
		address = member_text(place, "formattedAddress");
	look_object(look, NULL);
	add_text_if(
	    look, "business_status", member_text(place, "businessStatus"));
	add_view(look, place);
	add_icon_mask(look, place);
	add_text_if(look, "name",
	    member_text(member_object(place, "displayName"), "text"));
	add_opening_hours(look, place);
	add_photos(look, place);
	look_text(look, "place_id", id);
	add_plus_code(look, place);
	add_price_level(look, place);
	add_number_if(look, "rating", place, "rating");
	look_text(look, "reference", id);
	add_types(look, place);
	add_number_if(look, "user_ratings_total", place, "userRatingCount");
	add_text_if(look, "vicinity", address);
	look_object_end(look);
}

struct google_answer {
	const struct places_question *question;
	const cJSON *places; /* NULL = none */
};

static unsigned
add_results(struct look *look, void *arg)
{
	const struct google_answer *answer = arg;
	unsigned count = 0;
	const cJSON *place;

	cJSON_ArrayForEach(place, answer->places)
	{
		struct geo_point at;

		if (count == answer->question->max ||
		    !read_location(place, &at) ||
		    !is_within(answer->question, at))
			continue;
		add_place(look, place);
		count++;
	}
	return count;
}

/* All places' credits, each once; release them. */
struct credits {
	struct buf texts[ATTRIBUTIONS_MAX];
	struct span spans[ATTRIBUTIONS_MAX];
	size_t count;
};

static void
take_credit(struct credits *credits, const cJSON *item)
{
	struct buf *text = &credits->texts[credits->count];
	struct span span;
	size_t i = 0;

	buf_init(text, CREDIT_MAX);
	if (credit_format(text, member_text(item, "providerUri"),
		member_text(item, "provider")) != HERD_OK) {
		buf_release(text);
		return;
	}
	span = buf_span(text);
	while (i < credits->count && !span_equal(credits->spans[i], span))
		i++;
	if (i < credits->count)
		buf_release(text);
	else
		credits->spans[credits->count++] = span;
}

static void
take_credits(struct credits *credits, const cJSON *places)
{
	const cJSON *place;
	const cJSON *item;

	credits->count = 0;
	cJSON_ArrayForEach(place, places)
	{
		cJSON_ArrayForEach(item, member_array(place, "attributions"))
		{
			if (credits->count < ATTRIBUTIONS_MAX)
				take_credit(credits, item);
		}
	}
}

static void
release_credits(struct credits *credits)
{
	for (size_t i = 0; i < credits->count; i++)
		buf_release(&credits->texts[i]);
}

/* NULL: an answer that can be used. */
static const char *
find_fault(const cJSON *json)
{
	const cJSON *places = cJSON_GetObjectItemCaseSensitive(json, "places");
	const cJSON *place;
	struct geo_point at;

	if (!cJSON_IsObject(json))
		return "the answer is not an object";
	if (places == NULL)
		return NULL;
	if (!cJSON_IsArray(places))
		return "the answer's places are not a list";
	cJSON_ArrayForEach(place, places)
	{
		if (member_text(place, "id").data == NULL)
			return "the answer has a place without an id";
		if (!read_location(place, &at))
			return "the answer has a place without a location";
	}
	return NULL;
}

static enum herd_error
google_read(const struct places_question *question, struct span body,
    struct buf *json, struct answer_facts *facts, struct buf *why)
{
	struct credits credits;
	struct google_answer answer = { .question = question };
	cJSON *tree;
	enum herd_error error =
	    upstream_open(body, find_fault, &tree, facts, why);

	if (tree != NULL) {
		answer.places = member_array(tree, "places");
		take_credits(&credits, answer.places);
		error = upstream_write(json, credits.spans, credits.count,
		    add_results, &answer, facts);
		release_credits(&credits);
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
