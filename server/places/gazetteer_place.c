/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_place.h"

#include <math.h>

#include "herd/json.h"
#include "herd/gazetteer_file.h"
#include "places/olc.h"
#include "places/result_icon.h"

#define DEGREE_E7 INT64_C(10000000)

/* Half the side of a viewport, degrees times 10^7. */
#define VIEW_ESTABLISHMENT_E7 INT64_C(13499)
#define VIEW_AREA_MIN_DEG 0.01
#define VIEW_AREA_MAX_DEG 0.25

/* A member of "results", which is a member of the answer. */
#define PLACE_DEPTH 2u

/* One row of the file, borrowed from the statement. */
struct gazetteer_row {
	struct span id;
	const struct gazetteer_kind *kind;
	const struct gazetteer_list *list;
	struct span name;
	struct span vicinity;
	struct span country;
	double population;
	enum opening_state state;
	int64_t lat_e7;
	int64_t lng_e7;
};

static struct span
column_span(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	if (text == NULL)
		return span_of("", 0);
	return span_of((const char *)text,
	    (size_t)sqlite3_column_bytes(statement, column));
}

/* HERD_ESYSTEM: no such row, or a kind that this version does not know. */
static enum herd_error
read_place(sqlite3_stmt *read, sqlite3_int64 id, struct gazetteer_row *place)
{
	struct span kind;

	if (sqlite3_bind_int64(read, 1, id) != SQLITE_OK ||
	    sqlite3_step(read) != SQLITE_ROW)
		return HERD_ESYSTEM;
	kind = column_span(read, 1);
	place->kind = kind.len == 1 ? gazetteer_kind_find(kind.data[0]) : NULL;
	if (place->kind == NULL)
		return HERD_ESYSTEM;
	place->id = column_span(read, 0);
	place->name = column_span(read, 2);
	place->vicinity = column_span(read, 3);
	place->country = column_span(read, 4);
	place->population = sqlite3_column_double(read, 5);
	place->lat_e7 = llround(sqlite3_column_double(read, 6) * DEGREE_E7);
	place->lng_e7 = llround(sqlite3_column_double(read, 7) * DEGREE_E7);
	return HERD_OK;
}

static void
add_point(struct json *json, const char *key, int64_t lat_e7, int64_t lng_e7)
{
	if (lat_e7 > 90 * DEGREE_E7)
		lat_e7 = 90 * DEGREE_E7;
	if (lat_e7 < -90 * DEGREE_E7)
		lat_e7 = -90 * DEGREE_E7;
	if (lng_e7 > 180 * DEGREE_E7)
		lng_e7 -= 360 * DEGREE_E7;
	if (lng_e7 < -180 * DEGREE_E7)
		lng_e7 += 360 * DEGREE_E7;
	json_object(json, key);
	json_decimal(json, "lat", lat_e7, 7);
	json_decimal(json, "lng", lng_e7, 7);
	json_object_end(json);
}

/* A town's side grows with the root of its people. */
static void
view_of(const struct gazetteer_row *place, int64_t *lat_e7, int64_t *lng_e7)
{
	double half;
	double squeeze;

	if (place->list->is_establishment) {
		*lat_e7 = *lng_e7 = VIEW_ESTABLISHMENT_E7;
		return;
	}
	half = VIEW_AREA_MIN_DEG * sqrt(fmax(place->population, 1000) / 1000);
	half = fmin(half, VIEW_AREA_MAX_DEG) * DEGREE_E7;
	squeeze = cos((double)place->lat_e7 / DEGREE_E7 * (M_PI / 180));
	*lat_e7 = llround(half);
	*lng_e7 = llround(fmin(half / fmax(squeeze, 1e-9), 180.0 * DEGREE_E7));
}

static void
add_geometry(struct json *json, const struct gazetteer_row *place)
{
	int64_t lat;
	int64_t lng;

	view_of(place, &lat, &lng);
	json_object(json, "geometry");
	add_point(json, "location", place->lat_e7, place->lng_e7);
	json_object(json, "viewport");
	add_point(json, "northeast", place->lat_e7 + lat, place->lng_e7 + lng);
	add_point(json, "southwest", place->lat_e7 - lat, place->lng_e7 - lng);
	json_object_end(json);
	json_object_end(json);
}

/* The short form needs a town, whose name replaces the first digits. */
static void
add_plus_code(struct json *json, const struct gazetteer_row *place)
{
	char text[OLC_LEN + 2 * GAZETTEER_NAME_MAX];
	char code[OLC_LEN];
	size_t len = OLC_LEN - OLC_AREA_LEN;
	size_t space = 2 * GAZETTEER_NAME_MAX - 3;

	olc_encode(place->lat_e7, place->lng_e7, code);
	json_object(json, "plus_code");
	if ((place->kind->has_name_of_town ||
		!span_equal(place->vicinity, place->name)) &&
	    place->vicinity.len + place->country.len <= space) {
		memcpy(text, code + OLC_AREA_LEN, len);
		text[len++] = ' ';
		memcpy(text + len, place->vicinity.data, place->vicinity.len);
		len += place->vicinity.len;
		text[len++] = ',';
		text[len++] = ' ';
		memcpy(text + len, place->country.data, place->country.len);
		len += place->country.len;
		json_text(json, "compound_code", span_of(text, len));
	}
	json_text(json, "global_code", span_of(code, OLC_LEN));
	json_object_end(json);
}

static void
add_place(
    struct json *json, const struct gazetteer_row *place, const char *icon_base)
{
	const struct span none = { NULL, 0 };
	const struct gazetteer_list *list = place->list;

	json_object(json, NULL);
	if (list->is_establishment)
		json_text(json, "business_status", span_from("OPERATIONAL"));
	add_geometry(json, place);
	result_icon_add(json, icon_base, list->types, list->count, none, none);
	json_text(json, "name", place->name);
	if (place->state != OPENING_UNKNOWN) {
		json_object(json, "opening_hours");
		json_bool(json, "open_now", place->state == OPENING_OPEN);
		json_object_end(json);
	}
	json_text(json, "place_id", place->id);
	if (list->is_establishment)
		add_plus_code(json, place);
	json_text(json, "reference", place->id);
	json_text(json, "scope", span_from("APP"));
	json_texts(json, "types", list->types, list->count);
	json_text(json, "vicinity", place->vicinity);
	json_object_end(json);
}

enum herd_error
gazetteer_place_write(sqlite3_stmt *read, const struct gazetteer *gazetteer,
    size_t index, const struct local_time *now, bool *depends_on_now,
    struct buf *out)
{
	enum herd_error error;
	struct gazetteer_row place;
	struct json json;

	error = read_place(read, (sqlite3_int64)index + 1, &place);
	place.list = gazetteer_list_of(gazetteer, index);
	*depends_on_now = false;
	if (error == HERD_OK) {
		place.state = gazetteer_hours_state(column_span(read, 8), now);
		*depends_on_now = place.state != OPENING_UNKNOWN;
		json_begin_member(&json, out, JSON_GOOGLE, PLACE_DEPTH);
		add_place(&json, &place, gazetteer->icon_base);
		error = json_end(&json);
	}
	(void)sqlite3_reset(read);
	return error;
}
