/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/place_types.h"

#include "herd/compiler.h"

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

bool
place_types_has_tag(struct span key, struct span value)
{
	for (const struct place_types_tag *tag = TAGS; tag->key != NULL;
	     tag++) {
		if (span_is(key, tag->key) &&
		    (tag->value == NULL || span_is(value, tag->value)))
			return true;
	}
	return false;
}
