/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/place_shape.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/xbuf.h"
#include "herd/place_types.h"
#include "herd/siphash.h"
#include "herd/street.h"
#include "herd/text.h"
#include "input/centroid.h"
#include "input/import_json.h"

#define LIST_OTHERS ",point_of_interest,establishment"
#define POPULATION_MAX UINT64_C(100000000000)
#define NO_RANK SIZE_MAX

/* Names of columns and of members, and the field that each is of. */
static const struct {
	const char *title;
	enum place_field field;
} TITLES[] = {
	{ "id", PLACE_ID },
	{ "@id", PLACE_ID },
	{ "full_id", PLACE_ID },
	{ "osm_id", PLACE_ID },
	{ "fsq_place_id", PLACE_ID },
	{ "fsq_id", PLACE_ID },
	{ "name", PLACE_NAME },
	{ "lat", PLACE_LAT },
	{ "latitude", PLACE_LAT },
	{ "@lat", PLACE_LAT },
	{ "lon", PLACE_LON },
	{ "lng", PLACE_LON },
	{ "longitude", PLACE_LON },
	{ "@lon", PLACE_LON },
	{ "kind", PLACE_KIND },
	{ "types", PLACE_TYPES },
	{ "category", PLACE_LABELS },
	{ "categories", PLACE_LABELS },
	{ "basic_category", PLACE_LABELS },
	{ "fsq_category_labels", PLACE_LABELS },
	{ "address", PLACE_STREET },
	{ "street", PLACE_STREET },
	{ "addr:street", PLACE_STREET },
	{ "freeform", PLACE_STREET },
	{ "housenumber", PLACE_NUMBER },
	{ "addr:housenumber", PLACE_NUMBER },
	{ "town", PLACE_TOWN },
	{ "city", PLACE_TOWN },
	{ "locality", PLACE_TOWN },
	{ "addr:city", PLACE_TOWN },
	{ "vicinity", PLACE_VICINITY },
	{ "country", PLACE_COUNTRY },
	{ "addr:country", PLACE_COUNTRY },
	{ "region", PLACE_ADMIN1 },
	{ "admin1", PLACE_ADMIN1 },
	{ "population", PLACE_POPULATION },
	{ "hours", PLACE_HOURS },
	{ "opening_hours", PLACE_HOURS },
	{ "date_closed", PLACE_CLOSED },
	{ "closed", PLACE_CLOSED },
};

static unsigned
find_title(struct span title)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(TITLES); i++) {
		if (strlen(TITLES[i].title) == title.len &&
		    strncasecmp(TITLES[i].title, title.data, title.len) == 0)
			return TITLES[i].field;
	}
	return IMPORT_FIELDS_MAX;
}

/* --- csv ------------------------------------------------------------------ */

/* The field that --columns gives the title. */
static unsigned
find_column(const char *columns, struct span title)
{
	struct span rest = span_from(columns);

	while (rest.len > 0) {
		struct span pair = span_cut(&rest, ',');
		struct span field = span_cut(&pair, '=');

		if (span_equal(pair, title))
			return find_title(field);
	}
	return IMPORT_FIELDS_MAX;
}

static unsigned
field_of(const struct import_options *options, struct span title)
{
	unsigned field = IMPORT_FIELDS_MAX;

	if (options->columns != NULL)
		field = find_column(options->columns, title);
	return field < IMPORT_FIELDS_MAX ? field : find_title(title);
}

bool
place_shape_columns_are_good(const char *columns, const char **why)
{
	struct span rest = span_from(columns);

	while (rest.len > 0) {
		struct span pair = span_cut(&rest, ',');
		struct span field = span_cut(&pair, '=');

		if (pair.len == 0)
			*why = "use FIELD=COLUMN, with commas between them";
		else if (find_title(field) == IMPORT_FIELDS_MAX)
			*why = "the fields are id name lat lon types category "
			       "address town country hours closed kind "
			       "population";
		else
			continue;
		return false;
	}
	return true;
}

static const char *
missing(const struct import_options *options HERD_UNUSED, uint32_t fields)
{
	if ((fields >> PLACE_NAME & 1u) == 0)
		return "its header has no column `name'; --columns "
		       "name=COLUMN says which one has it";
	if ((fields >> PLACE_LAT & 1u) == 0 || (fields >> PLACE_LON & 1u) == 0)
		return "its header has no columns `lat' and `lon'; --columns "
		       "lat=COLUMN,lon=COLUMN says which ones have them";
	return NULL;
}

/* --- objects -------------------------------------------------------------- */

/* What the members of an object say about the kind of place. */
struct place_reading {
	struct import_record *record;
	size_t rank; /* of the tag that says best what it is */
	struct json_item best_key;
	struct json_item best_value;
	bool is_other; /* tagged as a street, a building ... */
	char letter;   /* of osmium's @type: node, way, relation; or NUL */
};

/* Keys of what was there, such as disused:shop. */
static bool
is_gone(struct span key)
{
	static const char *const keys[] = { "disused:", "abandoned:", "was:",
		"demolished:", "removed:", "razed:", "closed:" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++) {
		if (span_begins(key, span_from(keys[i])))
			return true;
	}
	return false;
}

static bool
is_other_thing(struct span key)
{
	static const char *const keys[] = { "highway", "building", "landuse",
		"waterway", "boundary", "barrier", "power", "route", "railway",
		"man_made", "aeroway", "natural", "place",
		"addr:interpolation" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++) {
		if (span_is(key, keys[i]))
			return true;
	}
	return false;
}

static void
read_tag(
    struct place_reading *r, struct span key, const struct json_item *value)
{
	struct span rest = value->text;
	struct span first = span_cut(&rest, ';');
	size_t rank;

	if (value->kind != JSON_STRING || span_is(first, "no"))
		return;
	rank = place_types_rank(key, first);
	if (is_gone(key) || span_is(first, "vacant") ||
	    (rank == NO_RANK && is_other_thing(key))) {
		r->is_other = true;
	} else if (rank < r->rank) {
		r->rank = rank;
		r->best_key = (struct json_item){ JSON_STRING, key };
		r->best_value = (struct json_item){ JSON_STRING, first };
	}
}

static void
take(struct place_reading *r, const struct json_item *object, const char *key,
    unsigned field)
{
	struct json_item value = json_members_find(object, key);

	(void)import_json_field(&value, r->record, field);
}

/* Members that hold objects or lists: Overture's. */
static void
read_nested(
    struct place_reading *r, struct span key, const struct json_item *value)
{
	struct json_members list = json_members(value);
	struct json_item first;

	if (span_is(key, "names")) {
		take(r, value, "primary", PLACE_NAME);
	} else if (span_is(key, "categories") || span_is(key, "taxonomy")) {
		take(r, value, "primary", PLACE_LABELS);
	} else if (span_is(key, "addresses") && value->kind == JSON_ARRAY &&
		   json_members_element(&list, &first)) {
		take(r, &first, "freeform", PLACE_STREET);
		take(r, &first, "locality", PLACE_TOWN);
		take(r, &first, "region", PLACE_ADMIN1);
		take(r, &first, "country", PLACE_COUNTRY);
	} else if (span_is(key, "fsq_category_labels") &&
		   value->kind == JSON_ARRAY &&
		   json_members_element(&list, &first)) {
		(void)import_json_field(&first, r->record, PLACE_LABELS);
	}
}

static bool
is_nested(const struct json_item *value)
{
	return value->kind == JSON_OBJECT || value->kind == JSON_ARRAY;
}

/*
 * Programs that know no nested members write them as a text of JSON. False: it
 * is none.
 */
static bool
read_nested_text(
    struct place_reading *r, struct span key, const struct json_item *value)
{
	static const char *const keys[] = { "names", "categories", "taxonomy",
		"addresses", "fsq_category_labels" };
	struct buf text = XBUF;
	struct json_item nested;
	bool is_text = false;

	if (value->kind != JSON_STRING)
		return false;
	for (size_t i = 0; i < HERD_ARRAY_LEN(keys); i++)
		is_text = is_text || span_is(key, keys[i]);
	is_text = is_text && json_members_text(value, &text) == HERD_OK &&
		  json_value(buf_span(&text), &nested) && is_nested(&nested);
	if (is_text)
		read_nested(r, key, &nested);
	buf_release(&text);
	return is_text;
}

static void
read_member(
    struct place_reading *r, struct span key, const struct json_item *value)
{
	unsigned field;

	if (is_nested(value)) {
		read_nested(r, key, value);
		return;
	}
	if (read_nested_text(r, key, value))
		return;
	if (span_is(key, "operating_status")) {
		if (span_is(value->text, "permanently_closed"))
			import_record_put(r->record, PLACE_CLOSED, value->text);
		return;
	}
	if (span_is(key, "@type") && value->text.len > 0)
		r->letter = *value->text.data;
	read_tag(r, key, value);
	field = find_title(key);
	if (field == PLACE_CLOSED && value->kind == JSON_WORD)
		import_record_put(r->record, field, value->text);
	else if (field < PLACE_FIELDS)
		(void)import_json_field(value, r->record, field);
}

static void
read_members(struct place_reading *r, const struct json_item *object)
{
	struct json_members members = json_members(object);
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value))
		read_member(r, key, &value);
}

static void
put_types(struct import_record *record, const struct span *types, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			put_byte(&record->fields[PLACE_TYPES], ',');
		import_record_put(record, PLACE_TYPES, types[i]);
	}
}

/* The best tag as types. False: it is no place. */
static bool
settle_tags(struct place_reading *r)
{
	struct span types[PLACE_TYPES_MAX];

	if (r->rank != NO_RANK) {
		buf_clear(&r->record->fields[PLACE_TYPES]);
		put_types(r->record, types,
		    place_types_of_osm(
			r->best_key.text, r->best_value.text, types));
		return true;
	}
	return !r->is_other || r->record->fields[PLACE_TYPES].len > 0 ||
	       r->record->fields[PLACE_LABELS].len > 0;
}

static void
put_degrees(struct import_record *record, double lat, double lon)
{
	putf(&record->fields[PLACE_LAT], "%.8f", lat);
	putf(&record->fields[PLACE_LON], "%.8f", lon);
}

/* Overpass: {"type":"node","id":1,"lat":..,"lon":..,"tags":{..}}. */
static const char *
read_element(const struct json_item *element, struct place_reading *r)
{
	struct json_item tags = json_members_find(element, "tags");
	struct json_item center = json_members_find(element, "center");
	struct json_item type = json_members_find(element, "type");
	struct json_item id = json_members_find(element, "id");
	const struct json_item *at =
	    center.kind == JSON_OBJECT ? &center : element;

	read_members(r, &tags);
	r->record->fields[PLACE_LAT].len = r->record->fields[PLACE_LON].len = 0;
	take(r, at, "lat", PLACE_LAT);
	take(r, at, "lon", PLACE_LON);
	buf_clear(&r->record->fields[PLACE_ID]);
	if (type.kind == JSON_STRING && id.kind == JSON_NUMBER)
		putf(&r->record->fields[PLACE_ID], SPAN_FMT "/" SPAN_FMT,
		    SPAN_ARG(type.text), SPAN_ARG(id.text));
	r->record->passed_over = tags.kind != JSON_OBJECT || !settle_tags(r);
	if (!r->record->passed_over && r->record->fields[PLACE_LAT].len == 0)
		return "it has no position: ask Overpass for `out center'";
	return NULL;
}

/* Nodes, ways and relations count their ids each for itself. */
static void
prefix_id(struct place_reading *r)
{
	struct buf *id = &r->record->fields[PLACE_ID];
	struct buf text = XBUF;
	uint64_t number;

	if (r->letter == '\0' ||
	    text_to_u64(buf_span(id), 0, UINT64_MAX, &number) != HERD_OK)
		return;
	putf(&text, "%c" SPAN_FMT, r->letter, SPAN_ARG(buf_span(id)));
	must(buf_set(id, buf_span(&text).data, text.len));
	buf_release(&text);
}

static const char *
read_feature(const struct json_item *feature, struct place_reading *r)
{
	struct json_item geometry = json_members_find(feature, "geometry");
	struct json_item properties = json_members_find(feature, "properties");
	double lat;
	double lon;

	read_members(r, &properties);
	prefix_id(r);
	take(r, feature, "id", PLACE_ID);
	r->record->passed_over = !settle_tags(r);
	if (r->record->passed_over)
		return NULL;
	if (!centroid_find(&geometry, &lat, &lon))
		return "its geometry is no point, line or area with "
		       "[lon, lat]";
	buf_clear(&r->record->fields[PLACE_LAT]);
	buf_clear(&r->record->fields[PLACE_LON]);
	put_degrees(r->record, lat, lon);
	return NULL;
}

static const char *
read_object(const struct json_item *object, struct import_record *record)
{
	struct place_reading r = { .record = record, .rank = NO_RANK };
	struct json_item type = json_members_find(object, "type");

	if (type.kind != JSON_STRING)
		return "it is neither a Feature nor an element of Overpass";
	return span_is(type.text, "Feature") ? read_feature(object, &r)
					     : read_element(object, &r);
}

/* --- judging -------------------------------------------------------------- */

/* What a type is written with; others may be between types. */
static bool
is_of_type(char c)
{
	return (c >= 'a' && c <= 'z') || text_is_digit(c) || c == '_';
}

/* The next type, which may be empty. False: a byte that has no place here. */
static bool
cut_type(struct span *rest, struct span *type)
{
	size_t len = 0;
	size_t more;

	while (len < rest->len && is_of_type(rest->data[len]))
		len++;
	more = len < rest->len;
	*type = span_of(rest->data, len);
	if (more == 1 && memchr(",; ", rest->data[len], 3) == NULL)
		return false;
	*rest = span_of(rest->data + len + more, rest->len - len - more);
	return true;
}

static bool
has_type(const struct buf *list, struct span type)
{
	struct span rest = buf_span(list);

	while (rest.len > 0) {
		if (span_equal(span_cut(&rest, ','), type))
			return true;
	}
	return false;
}

/* Each type once, with commas between them. */
static const char *
settle_own_types(struct buf *types)
{
	struct span rest = buf_span(types);
	struct buf list = XBUF;
	unsigned count = 0;
	bool is_good = true;

	while (is_good && rest.len > 0) {
		struct span type;

		is_good = cut_type(&rest, &type);
		if (!is_good || type.len == 0 || has_type(&list, type))
			continue;
		if (count++ > 0)
			put_byte(&list, ',');
		put_span(&list, type);
	}
	if (is_good)
		must(buf_set(types, buf_span(&list).data, list.len));
	buf_release(&list);
	if (!is_good)
		return "types are words of a-z, 0-9 and _, with commas";
	return count > GAZETTEER_TYPES_MAX - 2 ? "it has more than 6 types"
					       : NULL;
}

/* An establishment, unless it is an area or a thing of nature. */
static void
add_others(struct buf *types)
{
	static const char *const without[] = { "political", "establishment",
		"route", "natural_feature", "premise", "street_address" };
	struct span list = buf_span(types);

	for (size_t i = 0; i < HERD_ARRAY_LEN(without); i++) {
		if (memmem(list.data, list.len, without[i],
			strlen(without[i])) != NULL)
			return;
	}
	put_text(types, &LIST_OTHERS[types->len == 0]);
}

static const char *
settle_types(struct import_record *record)
{
	struct buf *types = &record->fields[PLACE_TYPES];
	struct span words[PLACE_TYPES_MAX];
	const char *fault = NULL;
	struct buf key = XBUF;

	if (types->len > 0)
		fault = settle_own_types(types);
	else if (record->fields[PLACE_LABELS].len > 0)
		put_types(record, words,
		    place_types_of_label(
			buf_span(&record->fields[PLACE_LABELS]), &key, words));
	buf_release(&key);
	if (fault == NULL)
		add_others(types);
	return fault;
}

/*
 * Texts of a file may have tabs and ends of lines, and blanks around them; ours
 * have none.
 */
static void
clean(struct buf *text)
{
	struct span trimmed;

	for (size_t i = 0; i < text->len; i++) {
		char *c = &text->data[text->head + i];

		if ((unsigned char)*c < ' ')
			*c = ' ';
	}
	trimmed = text_trim(buf_span(text));
	if (text->len > 0)
		buf_drain(text, (size_t)(trimmed.data - buf_span(text).data));
	buf_truncate(text, trimmed.len);
}

/* A flag, or the day since when. */
static bool
is_closed(const struct import_record *record)
{
	static const char *const no[] = { "false", "0", "no", "null" };
	struct span text = import_record_text(record, PLACE_CLOSED);

	for (size_t i = 0; text.len > 0 && i < HERD_ARRAY_LEN(no); i++) {
		if (text.len == strlen(no[i]) &&
		    strncasecmp(text.data, no[i], text.len) == 0)
			return false;
	}
	return text.len > 0;
}

/* What is longer than a file may have is cut, at a character's end. */
static void
cut(struct buf *text, size_t max)
{
	if (text->len > max)
		buf_truncate(text,
		    text_utf8_whole(span_of(buf_span(text).data, max)).len);
}

static void
settle_vicinity(struct import_record *record)
{
	struct buf *vicinity = &record->fields[PLACE_VICINITY];
	struct span town = import_record_text(record, PLACE_TOWN);

	if (vicinity->len > 0)
		return;
	must(street_format(vicinity, import_record_text(record, PLACE_COUNTRY),
	    import_record_text(record, PLACE_STREET),
	    import_record_text(record, PLACE_NUMBER)));
	if (vicinity->len > 0 && town.len > 0)
		put_text(vicinity, ", ");
	put_span(vicinity, town);
}

/* The same place of the same file has the same id the next time. */
static void
settle_id(struct import_record *record)
{
	static const uint8_t bytes[16] = "a place's own id";
	static const unsigned fields[] = { PLACE_TYPES, PLACE_NAME, PLACE_LAT,
		PLACE_LON };
	struct siphash_key key = siphash_key(bytes);
	struct buf text = XBUF;

	if (record->fields[PLACE_ID].len > 0)
		return;
	for (size_t i = 0; i < HERD_ARRAY_LEN(fields); i++) {
		put_span(&text, import_record_text(record, fields[i]));
		put_byte(&text, '\0');
	}
	putf(&record->fields[PLACE_ID], "h%016llx",
	    (unsigned long long)siphash(&key, buf_span(&text).data, text.len));
	buf_release(&text);
}

static const char *
settle_numbers(struct import_record *record)
{
	struct buf *population = &record->fields[PLACE_POPULATION];
	uint64_t people;
	double lat;
	double lon;

	if (!import_record_number(
		text_trim(import_record_text(record, PLACE_LAT)), &lat) ||
	    fabs(lat) > 90)
		return "the latitude is not within -90..90";
	if (!import_record_number(
		text_trim(import_record_text(record, PLACE_LON)), &lon) ||
	    fabs(lon) > 180)
		return "the longitude is not within -180..180";
	/* Beside a place's own, the number is often a text. */
	if (population->len > 0 && text_to_u64(buf_span(population), 0,
				       POPULATION_MAX, &people) != HERD_OK) {
		if (record->fields[PLACE_KIND].len > 0)
			return "the population is not a number";
		buf_clear(population);
	}
	return NULL;
}

/* A row of a table of kinds, which is made by hand: nothing is put right. */
static const char *
settle_row(const struct import_record *record)
{
	struct span kind = import_record_text(record, PLACE_KIND);

	if (kind.len != 1)
		return PLACE_SHAPE_KINDS;
	if (*kind.data != GAZETTEER_KIND_OWN &&
	    record->fields[PLACE_TYPES].len > 0)
		return "types are for places of kind N";
	return NULL;
}

/* Another's data: made to fit. */
static void
settle_other(struct import_record *record)
{
	put_byte(&record->fields[PLACE_KIND], GAZETTEER_KIND_OWN);
	settle_vicinity(record);
	settle_id(record);
	if (record->fields[PLACE_HOURS].len > GAZETTEER_HOURS_MAX)
		buf_clear(&record->fields[PLACE_HOURS]);
	cut(&record->fields[PLACE_NAME], GAZETTEER_NAME_MAX);
	cut(&record->fields[PLACE_VICINITY], GAZETTEER_NAME_MAX);
}

static void
settle(struct import_record *record,
    const struct import_options *options HERD_UNUSED)
{
	bool has_kind = record->fields[PLACE_KIND].len > 0;

	if (record->fault != NULL || record->passed_over)
		return;
	for (unsigned i = 0; i < PLACE_FIELDS && !has_kind; i++)
		clean(&record->fields[i]);
	record->passed_over =
	    is_closed(record) ||
	    (record->fields[PLACE_NAME].len == 0 && !has_kind);
	if (record->passed_over)
		return;
	record->fault = settle_numbers(record);
	if (record->fault == NULL && has_kind)
		record->fault = settle_row(record);
	if (record->fault == NULL &&
	    (!has_kind || *import_record_text(record, PLACE_KIND).data ==
			      GAZETTEER_KIND_OWN))
		record->fault = settle_types(record);
	if (record->fault == NULL && !has_kind)
		settle_other(record);
}

void
place_shape_read(const struct import_record *record, struct maker_place *out)
{
	struct span people = import_record_text(record, PLACE_POPULATION);

	*out = (struct maker_place){
		.id = import_record_text(record, PLACE_ID),
		.kind = *import_record_text(record, PLACE_KIND).data,
		.name = import_record_text(record, PLACE_NAME),
		.vicinity = import_record_text(record, PLACE_VICINITY),
		.country = import_record_text(record, PLACE_COUNTRY),
		.admin1 = import_record_text(record, PLACE_ADMIN1),
		.hours = import_record_text(record, PLACE_HOURS),
	};
	if (out->kind == GAZETTEER_KIND_OWN)
		out->types = import_record_text(record, PLACE_TYPES);
	(void)import_record_number(
	    text_trim(import_record_text(record, PLACE_LAT)), &out->lat);
	(void)import_record_number(
	    text_trim(import_record_text(record, PLACE_LON)), &out->lng);
	if (people.len > 0)
		(void)!text_to_u64(people, 0, POPULATION_MAX, &out->population);
}

const struct import_shape place_shape = {
	.field_of = field_of,
	.missing = missing,
	.read_object = read_object,
	.list = "elements",
	.settle = settle,
};
