/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/place_types.h"

#include <stdint.h>

#include "herd/text.h"
#include "herd/text_fold.h"

/* What follows the types of a row. */
enum tail {
	TAIL_NONE,
	TAIL_POLITICAL,
	TAIL_POINT, /* point_of_interest, establishment */
};

/* The first row that fits counts; value NULL fits all. */
static const struct {
	const char *key;
	const char *value;
	const char *types[3];
	enum tail tail;
} ROWS[] = {
	{ "place", "city", { "locality" }, TAIL_POLITICAL },
	{ "place", "town", { "locality" }, TAIL_POLITICAL },
	{ "place", "village", { "locality" }, TAIL_POLITICAL },
	{ "place", "hamlet", { "locality" }, TAIL_POLITICAL },
	{ "place", "suburb", { "neighborhood" }, TAIL_POLITICAL },
	{ "place", "quarter", { "neighborhood" }, TAIL_POLITICAL },
	{ "place", "neighbourhood", { "neighborhood" }, TAIL_POLITICAL },
	{ "place", "borough", { "sublocality" }, TAIL_POLITICAL },
	{ "place", "country", { "country" }, TAIL_POLITICAL },
	{ "place", "state", { "administrative_area_level_1" }, TAIL_POLITICAL },
	{ "place", "county", { "administrative_area_level_2" },
	    TAIL_POLITICAL },
	{ "place", "house", { "street_address" }, TAIL_NONE },
	{ "place", "square", { "town_square" }, TAIL_POINT },
	{ "place", NULL, { "locality" }, TAIL_POLITICAL },
	{ "boundary", NULL, { "administrative_area_level_2" }, TAIL_POLITICAL },
	{ "amenity", "restaurant", { "restaurant", "food" }, TAIL_POINT },
	{ "amenity", "fast_food", { "meal_takeaway", "restaurant", "food" },
	    TAIL_POINT },
	{ "amenity", "cafe", { "cafe", "food" }, TAIL_POINT },
	{ "amenity", "bar", { "bar" }, TAIL_POINT },
	{ "amenity", "pub", { "bar" }, TAIL_POINT },
	{ "amenity", "nightclub", { "night_club" }, TAIL_POINT },
	{ "amenity", "atm", { "atm", "finance" }, TAIL_POINT },
	{ "amenity", "bank", { "bank", "finance" }, TAIL_POINT },
	{ "amenity", "pharmacy", { "pharmacy", "health" }, TAIL_POINT },
	{ "amenity", "hospital", { "hospital", "health" }, TAIL_POINT },
	{ "amenity", "clinic", { "hospital", "health" }, TAIL_POINT },
	{ "amenity", "doctors", { "doctor", "health" }, TAIL_POINT },
	{ "amenity", "dentist", { "dentist", "health" }, TAIL_POINT },
	{ "amenity", "veterinary", { "veterinary_care" }, TAIL_POINT },
	{ "amenity", "school", { "school" }, TAIL_POINT },
	{ "amenity", "kindergarten", { "school" }, TAIL_POINT },
	{ "amenity", "college", { "university" }, TAIL_POINT },
	{ "amenity", "university", { "university" }, TAIL_POINT },
	{ "amenity", "library", { "library" }, TAIL_POINT },
	{ "amenity", "place_of_worship", { "place_of_worship" }, TAIL_POINT },
	{ "amenity", "police", { "police" }, TAIL_POINT },
	{ "amenity", "fire_station", { "fire_station" }, TAIL_POINT },
	{ "amenity", "post_office", { "post_office" }, TAIL_POINT },
	{ "amenity", "townhall", { "city_hall", "local_government_office" },
	    TAIL_POINT },
	{ "amenity", "courthouse", { "courthouse" }, TAIL_POINT },
	{ "amenity", "cinema", { "movie_theater" }, TAIL_POINT },
	{ "amenity", "theatre", { "performing_arts_theater" }, TAIL_POINT },
	{ "amenity", "casino", { "casino" }, TAIL_POINT },
	{ "amenity", "fuel", { "gas_station" }, TAIL_POINT },
	{ "amenity", "parking", { "parking" }, TAIL_POINT },
	{ "amenity", "car_rental", { "car_rental" }, TAIL_POINT },
	{ "amenity", "car_wash", { "car_wash" }, TAIL_POINT },
	{ "amenity", "taxi", { "taxi_stand" }, TAIL_POINT },
	{ "amenity", "bus_station", { "bus_station", "transit_station" },
	    TAIL_POINT },
	{ "amenity", "grave_yard", { "cemetery" }, TAIL_POINT },
	{ "shop", "supermarket",
	    { "supermarket", "grocery_or_supermarket", "store" }, TAIL_POINT },
	{ "shop", "convenience", { "convenience_store", "store" }, TAIL_POINT },
	{ "shop", "bakery", { "bakery", "store" }, TAIL_POINT },
	{ "shop", "books", { "book_store", "store" }, TAIL_POINT },
	{ "shop", "clothes", { "clothing_store", "store" }, TAIL_POINT },
	{ "shop", "shoes", { "shoe_store", "store" }, TAIL_POINT },
	{ "shop", "department_store", { "department_store", "store" },
	    TAIL_POINT },
	{ "shop", "mall", { "shopping_mall" }, TAIL_POINT },
	{ "shop", "electronics", { "electronics_store", "store" }, TAIL_POINT },
	{ "shop", "hardware", { "hardware_store", "store" }, TAIL_POINT },
	{ "shop", "doityourself", { "hardware_store", "store" }, TAIL_POINT },
	{ "shop", "furniture", { "furniture_store", "store" }, TAIL_POINT },
	{ "shop", "florist", { "florist", "store" }, TAIL_POINT },
	{ "shop", "hairdresser", { "hair_care" }, TAIL_POINT },
	{ "shop", "beauty", { "beauty_salon" }, TAIL_POINT },
	{ "shop", "bicycle", { "bicycle_store", "store" }, TAIL_POINT },
	{ "shop", "car", { "car_dealer", "store" }, TAIL_POINT },
	{ "shop", "car_repair", { "car_repair" }, TAIL_POINT },
	{ "shop", "jewelry", { "jewelry_store", "store" }, TAIL_POINT },
	{ "shop", "pet", { "pet_store", "store" }, TAIL_POINT },
	{ "shop", "alcohol", { "liquor_store", "store" }, TAIL_POINT },
	{ "shop", "laundry", { "laundry" }, TAIL_POINT },
	{ "shop", "travel_agency", { "travel_agency" }, TAIL_POINT },
	{ "shop", NULL, { "store" }, TAIL_POINT },
	{ "tourism", "hotel", { "lodging" }, TAIL_POINT },
	{ "tourism", "hostel", { "lodging" }, TAIL_POINT },
	{ "tourism", "guest_house", { "lodging" }, TAIL_POINT },
	{ "tourism", "motel", { "lodging" }, TAIL_POINT },
	{ "tourism", "apartment", { "lodging" }, TAIL_POINT },
	{ "tourism", "camp_site", { "campground", "lodging" }, TAIL_POINT },
	{ "tourism", "caravan_site", { "rv_park", "lodging" }, TAIL_POINT },
	{ "tourism", "museum", { "museum", "tourist_attraction" }, TAIL_POINT },
	{ "tourism", "gallery", { "art_gallery" }, TAIL_POINT },
	{ "tourism", "zoo", { "zoo", "tourist_attraction" }, TAIL_POINT },
	{ "tourism", "aquarium", { "aquarium", "tourist_attraction" },
	    TAIL_POINT },
	{ "tourism", "theme_park", { "amusement_park", "tourist_attraction" },
	    TAIL_POINT },
	{ "tourism", NULL, { "tourist_attraction" }, TAIL_POINT },
	{ "historic", NULL, { "tourist_attraction" }, TAIL_POINT },
	{ "leisure", "park", { "park" }, TAIL_POINT },
	{ "leisure", "garden", { "park" }, TAIL_POINT },
	{ "leisure", "nature_reserve", { "park" }, TAIL_POINT },
	{ "leisure", "stadium", { "stadium" }, TAIL_POINT },
	{ "leisure", "fitness_centre", { "gym", "health" }, TAIL_POINT },
	{ "leisure", "sports_centre", { "gym" }, TAIL_POINT },
	{ "leisure", "bowling_alley", { "bowling_alley" }, TAIL_POINT },
	{ "leisure", "marina", { "marina" }, TAIL_POINT },
	{ "railway", "station", { "train_station", "transit_station" },
	    TAIL_POINT },
	{ "railway", "halt", { "train_station", "transit_station" },
	    TAIL_POINT },
	{ "railway", "subway_entrance", { "subway_station", "transit_station" },
	    TAIL_POINT },
	{ "railway", "tram_stop", { "light_rail_station", "transit_station" },
	    TAIL_POINT },
	{ "public_transport", NULL, { "transit_station" }, TAIL_POINT },
	{ "highway", "bus_stop", { "bus_station", "transit_station" },
	    TAIL_POINT },
	{ "highway", NULL, { "route" }, TAIL_NONE },
	{ "aeroway", "aerodrome", { "airport" }, TAIL_POINT },
	{ "aeroway", "terminal", { "airport" }, TAIL_POINT },
	{ "office", "lawyer", { "lawyer" }, TAIL_POINT },
	{ "office", "estate_agent", { "real_estate_agency" }, TAIL_POINT },
	{ "office", "insurance", { "insurance_agency" }, TAIL_POINT },
	{ "office", "diplomatic", { "embassy" }, TAIL_POINT },
	{ "landuse", "cemetery", { "cemetery" }, TAIL_POINT },
	{ "building", NULL, { "premise" }, TAIL_NONE },
	{ "natural", NULL, { "natural_feature" }, TAIL_NONE },
	{ "waterway", NULL, { "natural_feature" }, TAIL_NONE },
};

static size_t
add_tail(enum tail tail, struct span *out, size_t count)
{
	switch (tail) {
	case TAIL_NONE: break;
	case TAIL_POLITICAL: out[count++] = span_from("political"); break;
	case TAIL_POINT:
		out[count++] = span_from("point_of_interest");
		out[count++] = span_from("establishment");
		break;
	}
	return count;
}

size_t
place_types_of_osm(
    struct span key, struct span value, struct span out[PLACE_TYPES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < HERD_ARRAY_LEN(ROWS); i++) {
		if (!span_is(key, ROWS[i].key) ||
		    (ROWS[i].value != NULL && !span_is(value, ROWS[i].value)))
			continue;
		for (size_t t = 0; t < HERD_ARRAY_LEN(ROWS[i].types) &&
				   ROWS[i].types[t] != NULL;
		     t++)
			out[count++] = span_from(ROWS[i].types[t]);
		return add_tail(ROWS[i].tail, out, count);
	}
	return add_tail(TAIL_POINT, out, count);
}

/* In the order in which a place with several of them is called after one. */
static const struct place_types_tag TAGS[] = {
	{ "amenity", NULL },
	{ "shop", NULL },
	{ "tourism", NULL },
	{ "leisure", NULL },
	{ "aeroway", "aerodrome" },
	{ "aeroway", "terminal" },
	{ "railway", "station" },
	{ "railway", "halt" },
	{ "railway", "tram_stop" },
	{ "railway", "subway_entrance" },
	{ "highway", "bus_stop" },
	{ "public_transport", NULL },
	{ "office", NULL },
	{ "historic", NULL },
	{ "natural", NULL },
	{ "place", "city" },
	{ "place", "town" },
	{ "place", "village" },
	{ "place", "hamlet" },
	{ "place", "borough" },
	{ "place", "suburb" },
	{ "place", "quarter" },
	{ "place", "neighbourhood" },
	{ "place", "square" },
	{ "place", "island" },
	{ NULL, NULL },
};

const struct place_types_tag *
place_types_tags(void)
{
	return TAGS;
}

static bool
row_has_type(size_t row, const char *type)
{
	for (size_t t = 0; t < HERD_ARRAY_LEN(ROWS[row].types); t++) {
		if (ROWS[row].types[t] != NULL &&
		    strcmp(ROWS[row].types[t], type) == 0)
			return true;
	}
	return false;
}

bool
place_types_may_be(const struct place_types_tag *tag, const char *type)
{
	/* Rows end with these, which say nothing about the kind. */
	if (strcmp(type, "establishment") == 0 ||
	    strcmp(type, "point_of_interest") == 0 ||
	    strcmp(type, "political") == 0)
		return true;
	for (size_t i = 0; i < HERD_ARRAY_LEN(ROWS); i++) {
		if (strcmp(ROWS[i].key, tag->key) == 0 &&
		    (tag->value == NULL || ROWS[i].value == NULL ||
			strcmp(ROWS[i].value, tag->value) == 0) &&
		    row_has_type(i, type))
			return true;
	}
	return false;
}

size_t
place_types_rank(struct span key, struct span value)
{
	for (size_t i = 0; TAGS[i].key != NULL; i++) {
		if (span_is(key, TAGS[i].key) &&
		    (TAGS[i].value == NULL || span_is(value, TAGS[i].value)))
			return i;
	}
	return SIZE_MAX;
}

bool
place_types_has_tag(struct span key, struct span value)
{
	return place_types_rank(key, value) != SIZE_MAX;
}

/* --- words of other sources ----------------------------------------------- */

/*
 * A category or label, folded and with _ between its words, and the tag that
 * OpenStreetMap has for it. "_x" is any word that ends so; the first row
 * counts.
 */
static const struct {
	const char *word;
	const char *key;
	const char *value;
} WORDS[] = {
	{ "cafe", "amenity", "cafe" },
	{ "coffee_shop", "amenity", "cafe" },
	{ "coffeehouse", "amenity", "cafe" },
	{ "tea_room", "amenity", "cafe" },
	{ "_cafe", "amenity", "cafe" },
	{ "fast_food_restaurant", "amenity", "fast_food" },
	{ "fast_food", "amenity", "fast_food" },
	{ "burger_joint", "amenity", "fast_food" },
	{ "sandwich_shop", "amenity", "fast_food" },
	{ "restaurant", "amenity", "restaurant" },
	{ "_restaurant", "amenity", "restaurant" },
	{ "diner", "amenity", "restaurant" },
	{ "bistro", "amenity", "restaurant" },
	{ "pizzeria", "amenity", "restaurant" },
	{ "steakhouse", "amenity", "restaurant" },
	{ "eat_and_drink", "amenity", "restaurant" },
	{ "dining_and_drinking", "amenity", "restaurant" },
	{ "bar", "amenity", "bar" },
	{ "pub", "amenity", "pub" },
	{ "_bar", "amenity", "bar" },
	{ "_pub", "amenity", "pub" },
	{ "brewery", "amenity", "bar" },
	{ "night_club", "amenity", "nightclub" },
	{ "dance_club", "amenity", "nightclub" },
	{ "bakery", "shop", "bakery" },
	{ "supermarket", "shop", "supermarket" },
	{ "grocery_store", "shop", "supermarket" },
	{ "convenience_store", "shop", "convenience" },
	{ "clothing_store", "shop", "clothes" },
	{ "boutique", "shop", "clothes" },
	{ "shoe_store", "shop", "shoes" },
	{ "bookstore", "shop", "books" },
	{ "book_store", "shop", "books" },
	{ "department_store", "shop", "department_store" },
	{ "shopping_mall", "shop", "mall" },
	{ "shopping_center", "shop", "mall" },
	{ "electronics_store", "shop", "electronics" },
	{ "hardware_store", "shop", "hardware" },
	{ "furniture_store", "shop", "furniture" },
	{ "flower_store", "shop", "florist" },
	{ "flower_shop", "shop", "florist" },
	{ "florist", "shop", "florist" },
	{ "jewelry_store", "shop", "jewelry" },
	{ "pet_store", "shop", "pet" },
	{ "liquor_store", "shop", "alcohol" },
	{ "bicycle_shop", "shop", "bicycle" },
	{ "bike_shop", "shop", "bicycle" },
	{ "bicycle_store", "shop", "bicycle" },
	{ "car_dealer", "shop", "car" },
	{ "car_dealership", "shop", "car" },
	{ "automotive_repair", "shop", "car_repair" },
	{ "automotive_repair_shop", "shop", "car_repair" },
	{ "hair_salon", "shop", "hairdresser" },
	{ "barber", "shop", "hairdresser" },
	{ "barbershop", "shop", "hairdresser" },
	{ "beauty_salon", "shop", "beauty" },
	{ "laundromat", "shop", "laundry" },
	{ "laundry_service", "shop", "laundry" },
	{ "travel_agency", "shop", "travel_agency" },
	{ "drugstore", "amenity", "pharmacy" },
	{ "pharmacy", "amenity", "pharmacy" },
	{ "hospital", "amenity", "hospital" },
	{ "medical_center", "amenity", "clinic" },
	{ "doctor", "amenity", "doctors" },
	{ "doctor_s_office", "amenity", "doctors" },
	{ "dentist", "amenity", "dentist" },
	{ "veterinarian", "amenity", "veterinary" },
	{ "bank", "amenity", "bank" },
	{ "bank_credit_union", "amenity", "bank" },
	{ "credit_union", "amenity", "bank" },
	{ "atm", "amenity", "atm" },
	{ "atms", "amenity", "atm" },
	{ "college_university", "amenity", "university" },
	{ "university", "amenity", "university" },
	{ "college_and_university", "amenity", "university" },
	{ "preschool", "amenity", "kindergarten" },
	{ "school", "amenity", "school" },
	{ "_school", "amenity", "school" },
	{ "library", "amenity", "library" },
	{ "hotel", "tourism", "hotel" },
	{ "_hotel", "tourism", "hotel" },
	{ "motel", "tourism", "motel" },
	{ "hostel", "tourism", "hostel" },
	{ "bed_and_breakfast", "tourism", "guest_house" },
	{ "lodging", "tourism", "hotel" },
	{ "campground", "tourism", "camp_site" },
	{ "art_museum", "tourism", "museum" },
	{ "museum", "tourism", "museum" },
	{ "_museum", "tourism", "museum" },
	{ "art_gallery", "tourism", "gallery" },
	{ "zoo", "tourism", "zoo" },
	{ "aquarium", "tourism", "aquarium" },
	{ "amusement_park", "tourism", "theme_park" },
	{ "theme_park", "tourism", "theme_park" },
	{ "landmark_and_historical_building", "tourism", "attraction" },
	{ "cinema", "amenity", "cinema" },
	{ "movie_theater", "amenity", "cinema" },
	{ "theatre", "amenity", "theatre" },
	{ "theater", "amenity", "theatre" },
	{ "casino", "amenity", "casino" },
	{ "stadium_arena", "leisure", "stadium" },
	{ "stadium", "leisure", "stadium" },
	{ "park", "leisure", "park" },
	{ "_park", "leisure", "park" },
	{ "gym", "leisure", "fitness_centre" },
	{ "gym_and_studio", "leisure", "fitness_centre" },
	{ "fitness_center", "leisure", "fitness_centre" },
	{ "bowling_alley", "leisure", "bowling_alley" },
	{ "marina", "leisure", "marina" },
	{ "gas_station", "amenity", "fuel" },
	{ "fuel_station", "amenity", "fuel" },
	{ "parking", "amenity", "parking" },
	{ "car_rental", "amenity", "car_rental" },
	{ "car_rental_agency", "amenity", "car_rental" },
	{ "rental_car_location", "amenity", "car_rental" },
	{ "car_wash", "amenity", "car_wash" },
	{ "taxi_stand", "amenity", "taxi" },
	{ "train_station", "railway", "station" },
	{ "rail_station", "railway", "station" },
	{ "metro_station", "railway", "subway_entrance" },
	{ "subway_station", "railway", "subway_entrance" },
	{ "light_rail_station", "railway", "tram_stop" },
	{ "tram_station", "railway", "tram_stop" },
	{ "bus_station", "amenity", "bus_station" },
	{ "bus_stop", "highway", "bus_stop" },
	{ "airport", "aeroway", "aerodrome" },
	{ "airport_terminal", "aeroway", "terminal" },
	{ "church_cathedral", "amenity", "place_of_worship" },
	{ "church", "amenity", "place_of_worship" },
	{ "mosque", "amenity", "place_of_worship" },
	{ "synagogue", "amenity", "place_of_worship" },
	{ "temple", "amenity", "place_of_worship" },
	{ "_temple", "amenity", "place_of_worship" },
	{ "religious_organization", "amenity", "place_of_worship" },
	{ "police_department", "amenity", "police" },
	{ "police_station", "amenity", "police" },
	{ "fire_department", "amenity", "fire_station" },
	{ "fire_station", "amenity", "fire_station" },
	{ "post_office", "amenity", "post_office" },
	{ "courthouse", "amenity", "courthouse" },
	{ "town_hall", "amenity", "townhall" },
	{ "city_hall", "amenity", "townhall" },
	{ "embassy", "office", "diplomatic" },
	{ "lawyer", "office", "lawyer" },
	{ "real_estate_agent", "office", "estate_agent" },
	{ "insurance_agency", "office", "insurance" },
	{ "_store", "shop", "other" },
	{ "_shop", "shop", "other" },
	{ "retail", "shop", "other" },
	{ "shopping", "shop", "other" },
};

static bool
fits(struct span word, const char *row)
{
	size_t len = strlen(row);

	if (row[0] != '_')
		return span_is(word, row);
	return word.len > len &&
	       memcmp(word.data + word.len - len, row, len) == 0;
}

static size_t
find_word(struct span word, struct span out[PLACE_TYPES_MAX])
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(WORDS); i++) {
		if (fits(word, WORDS[i].word))
			return place_types_of_osm(span_from(WORDS[i].key),
			    span_from(WORDS[i].value), out);
	}
	return 0;
}

/* "Café & Tea" as "cafe_tea". False: memory. */
static bool
make_word(struct buf *word, struct span text)
{
	size_t kept = 0;

	buf_clear(word);
	if (text_fold(word, text) != HERD_OK)
		return false;
	for (size_t i = 0; i < word->len; i++) {
		char c = word->data[word->head + i];
		bool plain = (c >= 'a' && c <= 'z') || text_is_digit(c);

		if (plain)
			word->data[word->head + kept++] = c;
		else if (kept > 0 && word->data[word->head + kept - 1] != '_')
			word->data[word->head + kept++] = '_';
	}
	while (kept > 0 && word->data[word->head + kept - 1] == '_')
		kept--;
	buf_truncate(word, kept);
	return true;
}

/* The part of a label; a list's next label may follow it after a comma. */
static size_t
find_part(struct span part, struct buf *word, struct span out[PLACE_TYPES_MAX])
{
	size_t count = 0;

	while (count == 0 && part.len > 0 && make_word(word, part)) {
		count = find_word(buf_span(word), out);
		do
			part.len--;
		while (part.len > 0 && part.data[part.len] != ',');
	}
	return count;
}

/* A list without quotes: a comma and a root of the tree begin its next one. */
static struct span
first_without_quotes(struct span label)
{
	static const char *const roots[] = { "Arts and Entertainment",
		"Business and Professional Services",
		"Community and Government", "Dining and Drinking", "Event",
		"Health and Medicine", "Landmarks and Outdoors", "Retail",
		"Sports and Recreation", "Travel and Transportation" };

	for (size_t at = 1; at + 2 < label.len; at++) {
		struct span next =
		    span_of(label.data + at + 2, label.len - at - 2);

		if (memcmp(label.data + at, ", ", 2) != 0)
			continue;
		for (size_t i = 0; i < HERD_ARRAY_LEN(roots); i++) {
			if (span_begins(next, span_from(roots[i])))
				return span_of(label.data, at);
		}
	}
	return label;
}

/* The first text of a list of them, or all of it. */
static struct span
first_of_list(struct span label)
{
	struct span rest = label;
	struct span quoted;

	if (span_find(label, '"') == NULL)
		return first_without_quotes(label);
	(void)span_cut(&rest, '"');
	quoted = span_cut(&rest, '"');
	return quoted;
}

size_t
place_types_of_label(
    struct span label, struct buf *scratch, struct span out[PLACE_TYPES_MAX])
{
	struct span rest = first_of_list(label);
	size_t count = 0;

	/* The last part says most; the ones before it are wider. */
	while (count == 0 && rest.len > 0) {
		size_t start = rest.len;

		while (start > 0 && rest.data[start - 1] != '>')
			start--;
		count = find_part(
		    span_of(rest.data + start, rest.len - start), scratch, out);
		rest.len = start > 0 ? start - 1 : 0;
	}
	return count;
}
