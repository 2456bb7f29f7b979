/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/traccar.h"

static void
read_coords(const struct json_item *coords, struct fix_source *source)
{
	struct json_members members = json_members(coords);
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value)) {
		if (span_is(key, "latitude"))
			source->lat = intake_value(&value);
		else if (span_is(key, "longitude"))
			source->lon = intake_value(&value);
	}
}

static void
read_location(const struct json_item *location, struct intake *intake)
{
	struct json_members members = json_members(location);
	struct fix_source source = { .or_now = false };
	struct json_item value;
	struct span key;

	while (json_members_next(&members, &key, &value)) {
		if (span_is(key, "timestamp"))
			source.time = intake_value(&value);
		else if (span_is(key, "coords") && value.kind == JSON_OBJECT)
			read_coords(&value, &source);
	}
	if (members.bad || location->kind != JSON_OBJECT)
		intake_fault(intake, INTAKE_FORMAT);
	else
		intake_add(intake, &source);
}

static void
read_locations(const struct json_item *list, struct intake *intake)
{
	struct json_members members = json_members(list);
	struct json_item item;

	if (list->kind != JSON_ARRAY) {
		read_location(list, intake);
		return;
	}
	while (json_members_element(&members, &item))
		read_location(&item, intake);
	if (members.bad)
		intake_fault(intake, INTAKE_FORMAT);
}

void
traccar_read(struct span body, struct intake *intake)
{
	struct json_item item, location;

	if (!intake_json(body, &item) || item.kind != JSON_OBJECT) {
		intake_fault(intake, INTAKE_FORMAT);
		return;
	}
	location = json_members_find(&item, "device_id");
	intake_claim_json(intake, &location);
	location = json_members_find(&item, "location");
	if (location.kind != JSON_NONE)
		read_locations(&location, intake);
	else
		intake_fault(intake, INTAKE_LOCATION);
}
