/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/upstream_json.h"

#include <math.h>

#include "herd/text.h"
#include "places/json_scan.h"
#include "places/question.h"

enum herd_error
upstream_parse(struct span text, cJSON **out, const char **why)
{
	struct buf copy;
	const char *terminated;
	enum herd_error error;

	*why = json_scan_check(text);
	if (*why != NULL)
		return HERD_ESYNTAX;
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		text = span_of(text.data + 3, text.len - 3);
	buf_init(&copy, PLACES_ANSWER_MAX);
	error = buf_add_span(&copy, text);
	if (error == HERD_OK) {
		terminated = buf_cstr(&copy);
		*out = terminated == NULL ? NULL : cJSON_Parse(terminated);
		if (*out == NULL)
			error = HERD_ENOMEM;
	}
	buf_release(&copy);
	return error;
}

enum herd_error
upstream_open(struct span body, const char *(*find_fault)(const cJSON *json),
    cJSON **out, struct answer_facts *facts, struct buf *why)
{
	const char *fault = NULL;
	enum herd_error error;

	*out = NULL;
	error = upstream_parse(body, out, &fault);
	if (error == HERD_OK)
		fault = find_fault(*out);
	if (fault == NULL)
		return error;
	cJSON_Delete(*out);
	*out = NULL;
	return upstream_refuse(facts, PLACES_UNKNOWN_ERROR, why, fault);
}

const cJSON *
member_object(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsObject(item) ? item : NULL;
}

const cJSON *
member_array(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsArray(item) ? item : NULL;
}

struct span
member_text(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(item) || item->valuestring[0] == '\0')
		return (struct span){ NULL, 0 };
	return span_from(item->valuestring);
}

bool
member_number(const cJSON *object, const char *name, double *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return false;
	*out = item->valuedouble;
	return true;
}

bool
geo_point_is_valid(struct geo_point point)
{
	return fabs(point.lat) <= 90 && fabs(point.lng) <= 180;
}

/* Is it within the question's radius? 1 m of rounding is granted. */
static bool
is_within(const struct places_question *question, struct geo_point point)
{
	struct location at = { llround(point.lat * 1e9),
		llround(point.lng * 1e9) };

	return location_distance_m(question->at, at) <= question->radius_m + 1;
}

static void
add_point(struct json *json, const char *key, struct geo_point point)
{
	json_object(json, key);
	json_number(json, "lat", point.lat);
	json_number(json, "lng", point.lng);
	json_object_end(json);
}

void
add_geometry_of(struct json *json, struct geo_point at,
    struct geo_point northeast, struct geo_point southwest)
{
	json_object(json, "geometry");
	add_point(json, "location", at);
	json_object(json, "viewport");
	add_point(json, "northeast", northeast);
	add_point(json, "southwest", southwest);
	json_object_end(json);
	json_object_end(json);
}

/* A corner of the viewport: degrees that lie on the globe. */
static struct geo_point
corner(struct geo_point at, double by)
{
	double lat = fmin(fmax(at.lat + by, -90), 90);
	double lng = at.lng + by;

	if (lng > 180)
		lng -= 360;
	if (lng < -180)
		lng += 360;
	return (
	    struct geo_point){ round(lat * 1e8) / 1e8, round(lng * 1e8) / 1e8 };
}

void
add_geometry_around(struct json *json, struct geo_point at)
{
	add_geometry_of(json, at, corner(at, UPSTREAM_VIEW_DEG),
	    corner(at, -UPSTREAM_VIEW_DEG));
}

const char *
upstream_list_fault(const cJSON *places, const struct upstream_form *form)
{
	const char *fault = NULL;
	const cJSON *place;
	struct geo_point at;

	cJSON_ArrayForEach(place, places) {
		if (!form->read_at(place, &at))
			fault = "the answer has only places without a location";
		else if (!form->is_whole(place))
			fault = "the answer has only places without an id or a "
				"name";
		else
			return NULL;
	}
	return fault;
}

static bool
fits(const struct upstream_form *form, const struct places_question *question,
    const cJSON *place)
{
	struct span types[UPSTREAM_TYPES_MAX];

	return !question_is_filtered(question) ||
	       ((!question->filter.open_now || form->is_open(place)) &&
		   question_fits(question, types,
		       form->read_types(place, types), form->read_name(place)));
}

enum herd_error
upstream_write(struct buf *out, const struct upstream_config *config,
    const struct places_question *question, const cJSON *places,
    const struct upstream_form *form, const struct span *attributions,
    size_t attribution_count, struct answer_facts *facts)
{
	const cJSON *place;
	struct json json;
	struct upstream_result result = { .json = &json, .config = config };

	*facts = (struct answer_facts){ .status = PLACES_ZERO_RESULTS };
	json_begin(&json, out, JSON_GOOGLE);
	json_object(&json, NULL);
	json_texts(&json, "html_attributions", attributions, attribution_count);
	json_array(&json, "results");
	cJSON_ArrayForEach(place, places) {
		if (form->is_wanted != NULL && !form->is_wanted(place))
			continue;
		if (!form->read_at(place, &result.at) ||
		    !form->is_whole(place)) {
			facts->left_out++;
		} else if (facts->results < question->max &&
			   is_within(question, result.at) &&
			   fits(form, question, place)) {
			form->add(&result, place);
			facts->results++;
		}
	}
	json_array_end(&json);
	if (facts->results > 0)
		facts->status = PLACES_OK;
	json_text(
	    &json, "status", span_from(answer_status_name(facts->status)));
	json_object_end(&json);
	return json_end(&json);
}

enum herd_error
upstream_refuse(struct answer_facts *facts, enum places_status status,
    struct buf *why, const char *text)
{
	struct span message = span_from(text);
	size_t space = why->max - why->len;

	*facts = (struct answer_facts){ .status = status };
	if (message.len > space)
		message.len = space;
	return buf_add_span(why, text_utf8_whole(message));
}
