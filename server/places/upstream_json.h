/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared by the readers of upstream answers: a guarded parse, members by name
 * and type, and results in Google's JSON.
 */
#ifndef HERD_PLACES_UPSTREAM_JSON_H
#define HERD_PLACES_UPSTREAM_JSON_H

#include <cjson/cJSON.h>

#include "herd/json.h"
#include "places/upstream.h"

#define UPSTREAM_TYPES_MAX 64u

/* Half the side of a viewport where the upstream has none, degrees. */
#define UPSTREAM_VIEW_DEG 0.00134989

/*
 * Parses text that json_scan_check() accepts; gives *out (cJSON_Delete).
 * HERD_ESYNTAX: *why says what is wrong, static. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error upstream_parse(
    struct span text, cJSON **out, const char **why);

/*
 * Parses a response. With a usable one gives *out (cJSON_Delete); else *out
 * is NULL, and facts and `why` are set as by upstream_refuse(). `find_fault`
 * returns what is wrong with the tree, or NULL. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error upstream_open(struct span body,
    const char *(*find_fault)(const cJSON *json), cJSON **out,
    struct answer_facts *facts, struct buf *why);

/* A member of an object by name and type; NULL when it is not there so. */
const cJSON *member_object(const cJSON *object, const char *name);
const cJSON *member_array(const cJSON *object, const char *name);
/* A string that is not empty; .data is NULL when it is not there so. */
struct span member_text(const cJSON *object, const char *name);
/* False when it is not there, not a number or not finite. */
bool member_number(const cJSON *object, const char *name, double *out);

struct geo_point {
	double lat;
	double lng;
};

/* False when it is not on the globe. */
bool geo_point_is_valid(struct geo_point point);

/* Writes the member "geometry". */
void add_geometry_of(struct json *json, struct geo_point at,
    struct geo_point northeast, struct geo_point southwest);

/* The same for a place whose viewport the upstream does not tell. */
void add_geometry_around(struct json *json, struct geo_point at);

/* A result that clients of Google's answers can read whole. */
struct upstream_result {
	struct json *json;
	const struct upstream_config *config;
	struct geo_point at;
};

/* How an upstream describes a place. */
struct upstream_form {
	/* A place that has it not is left out, and counted. */
	bool (*read_at)(const cJSON *place, struct geo_point *out);
	/* Has it all that a result needs? Else it is left out, and counted. */
	bool (*is_whole)(const cJSON *place);
	/* Is it one that people look for? Else it is left out; or NULL. */
	bool (*is_wanted)(const cJSON *place);
	void (*add)(const struct upstream_result *result, const cJSON *place);
	/* For a filter; what is not known does not fit. */
	size_t (*read_types)(
	    const cJSON *place, struct span types[UPSTREAM_TYPES_MAX]);
	struct span (*read_name)(const cJSON *place);
	bool (*is_open)(const cJSON *place);
};

/*
 * What is wrong with the list of places; NULL: it can be used. A list is
 * wrong if it has places and not one of them is whole.
 */
const char *upstream_list_fault(
    const cJSON *places, const struct upstream_form *form);

/* Appends the whole answer, with those of `places` that fit the question. */
HERD_MUST_CHECK enum herd_error upstream_write(struct buf *out,
    const struct upstream_config *config,
    const struct places_question *question, const cJSON *places,
    const struct upstream_form *form, const struct span *attributions,
    size_t attribution_count, struct answer_facts *facts);

/* Sets `status` and appends `text` to `why`, cut to what fits. */
HERD_MUST_CHECK enum herd_error upstream_refuse(struct answer_facts *facts,
    enum places_status status, struct buf *why, const char *text);

#endif
