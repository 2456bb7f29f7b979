/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/overland.h"

/* [longitude, latitude, altitude] */
static void
read_coordinates(const struct json_item *point, struct fix_source *source)
{
	struct json_item value = json_members_find(point, "coordinates");
	struct json_members members = json_members(&value);

	if (json_members_element(&members, &value))
		source->lon = intake_value(&value);
	if (json_members_element(&members, &value))
		source->lat = intake_value(&value);
}

static void
read_properties(const struct json_item *properties, struct fix_source *source,
    struct intake *intake)
{
	struct json_members members = json_members(properties);
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value)) {
		if (span_is(key, "timestamp"))
			source->time = intake_value(&value);
		else if (span_is(key, "device_id"))
			intake_claim_json(intake, &value);
	}
}

static void
read_feature(const struct json_item *feature, struct intake *intake)
{
	struct json_members members = json_members(feature);
	struct fix_source source = { .or_now = false };
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value)) {
		if (span_is(key, "geometry"))
			read_coordinates(&value, &source);
		else if (span_is(key, "properties"))
			read_properties(&value, &source, intake);
	}
	if (members.bad || feature->kind != JSON_OBJECT)
		intake_fault(intake, INTAKE_FORMAT);
	else
		intake_add(intake, &source);
}

/* The array of points; false: *why says what is wrong. */
static bool
find_points(struct span body, struct json_item *out, enum intake_fault *why)
{
	*why = INTAKE_FORMAT;
	if (!intake_json(body, out) || out->kind != JSON_OBJECT)
		return false;
	*why = INTAKE_LOCATION;
	*out = json_members_find(out, "locations");
	return out->kind == JSON_ARRAY;
}

void
overland_claim(struct span body, struct intake *intake)
{
	enum intake_fault why;
	struct json_item item;
	struct json_members members;

	if (!find_points(body, &item, &why))
		return;
	members = json_members(&item);
	if (!json_members_element(&members, &item))
		return;
	item = json_members_find(&item, "properties");
	item = json_members_find(&item, "device_id");
	intake_claim_json(intake, &item);
}

void
overland_read(struct span body, struct intake *intake)
{
	enum intake_fault why;
	struct json_item item;
	struct json_members members;

	if (!find_points(body, &item, &why)) {
		intake_fault(intake, why);
		return;
	}
	members = json_members(&item);
	while (json_members_element(&members, &item))
		read_feature(&item, intake);
	if (members.bad)
		intake_fault(intake, INTAKE_FORMAT);
}
