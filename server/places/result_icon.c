/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/result_icon.h"

#include <stdio.h>

#include "herd/settings.h"

#define FOOD "#FF9E67"
#define SHOPS "#4B96F3"
#define HEALTH "#F88181"
#define WAYS "#10BDFF"
#define BEDS "#909CE1"
#define GREEN "#4DB546"
#define SIGHTS "#13B5C7"
#define OTHER "#7B9EB0"

struct icon {
	const char *type;
	const char *name; /* of Google's icon: NAME-71.png */
	const char *color;
};

/* The first type of a place that has a row counts; the last row is for all. */
static const struct icon ICONS[] = {
	{ "cafe", "cafe", FOOD },
	{ "restaurant", "restaurant", FOOD },
	{ "meal_takeaway", "restaurant", FOOD },
	{ "food", "restaurant", FOOD },
	{ "bar", "bar", FOOD },
	{ "night_club", "bar", FOOD },
	{ "supermarket", "supermarket", SHOPS },
	{ "convenience_store", "convenience", SHOPS },
	{ "electronics_store", "electronics", SHOPS },
	{ "jewelry_store", "jewelry", SHOPS },
	{ "florist", "flower", SHOPS },
	{ "liquor_store", "wine", SHOPS },
	{ "pet_store", "pet", SHOPS },
	{ "bicycle_store", "bicycle", SHOPS },
	{ "shopping_mall", "shopping", SHOPS },
	{ "store", "shopping", SHOPS },
	{ "hospital", "doctor", HEALTH },
	{ "doctor", "doctor", HEALTH },
	{ "dentist", "dentist", HEALTH },
	{ "health", "generic_business", HEALTH },
	{ "airport", "airport", WAYS },
	{ "bus_station", "bus", WAYS },
	{ "train_station", "train", WAYS },
	{ "transit_station", "train", WAYS },
	{ "taxi_stand", "taxi", WAYS },
	{ "lodging", "lodging", BEDS },
	{ "bank", "bank_dollar", BEDS },
	{ "atm", "atm", BEDS },
	{ "park", "generic_recreational", GREEN },
	{ "campground", "camping", GREEN },
	{ "zoo", "zoo", SIGHTS },
	{ "aquarium", "aquarium", SIGHTS },
	{ "museum", "museum", SIGHTS },
	{ "art_gallery", "art_gallery", SIGHTS },
	{ "movie_theater", "movies", SIGHTS },
	{ "amusement_park", "amusement", SIGHTS },
	{ "stadium", "stadium", SIGHTS },
	{ "casino", "casino", SIGHTS },
	{ "gym", "fitness", OTHER },
	{ "gas_station", "gas_station", OTHER },
	{ "car_dealer", "car_dealer", OTHER },
	{ "car_rental", "car_rental", OTHER },
	{ "car_repair", "car_repair", OTHER },
	{ "hair_care", "barber", OTHER },
	{ "university", "university", OTHER },
	{ "school", "school", OTHER },
	{ "library", "library", OTHER },
	{ "police", "police", OTHER },
	{ "post_office", "post_office", OTHER },
	{ "courthouse", "courthouse", OTHER },
	{ "city_hall", "civic_building", OTHER },
	{ "local_government_office", "government", OTHER },
	{ "place_of_worship", "worship_general", OTHER },
	{ "travel_agency", "travel_agent", OTHER },
	{ "establishment", "generic_business", OTHER },
	{ NULL, "geocode", OTHER },
};

static const struct icon *
find_icon(const struct span *types, size_t count)
{
	const struct icon *last = &ICONS[HERD_ARRAY_LEN(ICONS) - 1];

	for (size_t t = 0; t < count; t++) {
		for (const struct icon *icon = ICONS; icon < last; icon++) {
			if (span_is(types[t], icon->type))
				return icon;
		}
	}
	return last;
}

void
result_icon_add(struct json *json, const char *base, const struct span *types,
    size_t count, struct span color, struct span mask)
{
	const struct icon *icon = find_icon(types, count);
	char url[SETTING_ICON_BASE_MAX + 64];
	size_t len;

	if (base != NULL && base[0] != '\0') {
		len = (size_t)snprintf(url, sizeof(url), "%.*s%s-71.png",
		    (int)SETTING_ICON_BASE_MAX, base, icon->name);
		json_text(json, "icon", span_of(url, len));
		if (color.data == NULL)
			color = span_from(icon->color);
		/* Clients add .png to a mask. */
		if (mask.data == NULL)
			mask = span_of(url, len - strlen(".png"));
	}
	if (color.data != NULL)
		json_text(json, "icon_background_color", color);
	if (mask.data != NULL)
		json_text(json, "icon_mask_base_uri", mask);
}
