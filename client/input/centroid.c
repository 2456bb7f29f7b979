/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/centroid.h"

#include <math.h>

#include "input/import_record.h"

/* MultiPolygon: polygons of rings of positions of numbers. */
#define DEPTH_MAX 4u

enum shape { POINTS, LINES, AREAS };

struct position {
	double lon;
	double lat;
};

/* Sums of x, y and weight: of areas, of lengths, of points. */
struct sum {
	double lon;
	double lat;
	double weight;
};

struct centroid {
	enum shape shape;
	struct sum points;
	struct sum lines;
	struct sum areas;
	struct position first; /* longitudes go on from its */
	bool begun;
	bool bad;
};

static void
add(struct sum *sum, double lon, double lat, double weight)
{
	sum->lon += lon * weight;
	sum->lat += lat * weight;
	sum->weight += weight;
}

/* Across the antimeridian longitudes go on, beyond 180. */
static bool
read_position(
    struct centroid *c, const struct json_item *pair, struct position *out)
{
	struct json_members members = json_members(pair);
	struct json_item lon;
	struct json_item lat;

	if (!json_members_element(&members, &lon) ||
	    !json_members_element(&members, &lat) ||
	    !import_record_number(lon.text, &out->lon) ||
	    !import_record_number(lat.text, &out->lat) ||
	    fabs(out->lon) > 360 || fabs(out->lat) > 90)
		return false;
	if (!c->begun)
		c->first = *out;
	c->begun = true;
	if (out->lon - c->first.lon > 180)
		out->lon -= 360;
	if (out->lon - c->first.lon < -180)
		out->lon += 360;
	return true;
}

static void
add_step(struct centroid *c, struct sum *ring, struct position from,
    struct position to)
{
	struct position base = c->first;
	double cross = (from.lon - base.lon) * (to.lat - base.lat) -
		       (to.lon - base.lon) * (from.lat - base.lat);

	add(&c->lines, (from.lon + to.lon) / 2, (from.lat + to.lat) / 2,
	    hypot(to.lon - from.lon, to.lat - from.lat));
	/* A third of the triangle's corners, the base among them. */
	add(ring, (from.lon + to.lon + base.lon) / 3,
	    (from.lat + to.lat + base.lat) / 3, cross);
}

/* A line or a ring; `hole': its area does not count. */
static void
add_path(struct centroid *c, const struct json_item *path, bool hole)
{
	struct json_members members = json_members(path);
	struct sum ring = { 0, 0, 0 };
	struct position last = { 0, 0 };
	struct position at;
	struct json_item item;
	bool begun = false;

	while (!c->bad && json_members_element(&members, &item)) {
		if (!read_position(c, &item, &at)) {
			c->bad = true;
			return;
		}
		add(&c->points, at.lon, at.lat, 1);
		if (begun)
			add_step(c, &ring, last, at);
		begun = true;
		last = at;
	}
	/* Whichever way round it goes, it has an area; a hole takes one off. */
	if (ring.weight != 0)
		add(&c->areas, ring.lon / ring.weight, ring.lat / ring.weight,
		    hole ? -fabs(ring.weight) : fabs(ring.weight));
}

static bool
is_list_of(const struct json_item *item, unsigned depth)
{
	struct json_members members;
	struct json_item first = *item;

	for (; depth > 0; depth--) {
		if (first.kind != JSON_ARRAY)
			return false;
		members = json_members(&first);
		if (!json_members_element(&members, &first))
			return false;
	}
	return first.kind == JSON_NUMBER;
}

/* Rings, lines or points, however deep in lists they are. */
static void
add_all(struct centroid *c, const struct json_item *list, unsigned depth)
{
	struct json_members members = json_members(list);
	struct json_item item;
	bool is_polygon = c->shape == AREAS && is_list_of(list, 3);
	unsigned count = 0;

	if (list->kind != JSON_ARRAY || depth == 0) {
		c->bad = true;
	} else if (is_list_of(list, 2)) {
		add_path(c, list, false);
	} else {
		while (!c->bad && json_members_element(&members, &item)) {
			if (is_polygon)
				add_path(c, &item, count++ > 0);
			else
				add_all(c, &item, depth - 1);
		}
	}
}

static bool
give(const struct centroid *c, double *lat, double *lon)
{
	const struct sum *sum = &c->points;

	if (c->shape != POINTS && c->lines.weight > 0)
		sum = &c->lines;
	if (c->shape == AREAS && c->areas.weight > 0)
		sum = &c->areas;
	if (c->bad || !(sum->weight > 0))
		return false;
	*lat = sum->lat / sum->weight;
	*lon = sum->lon / sum->weight;
	if (*lon > 180)
		*lon -= 360;
	if (*lon < -180)
		*lon += 360;
	return fabs(*lat) <= 90 && fabs(*lon) <= 180;
}

bool
centroid_find(const struct json_item *geometry, double *lat, double *lon)
{
	static const struct {
		const char *type;
		enum shape shape;
	} types[] = {
		{ "Point", POINTS },
		{ "MultiPoint", POINTS },
		{ "LineString", LINES },
		{ "MultiLineString", LINES },
		{ "Polygon", AREAS },
		{ "MultiPolygon", AREAS },
	};
	struct json_item type = json_members_find(geometry, "type");
	struct json_item coordinates =
	    json_members_find(geometry, "coordinates");
	struct centroid c = { .bad = true };
	struct position at;

	for (size_t i = 0; i < HERD_ARRAY_LEN(types); i++) {
		if (type.kind != JSON_STRING ||
		    !span_is(type.text, types[i].type))
			continue;
		c.bad = false;
		c.shape = types[i].shape;
	}
	if (!c.bad && is_list_of(&coordinates, 1)) {
		c.bad = !read_position(&c, &coordinates, &at);
		if (!c.bad)
			add(&c.points, at.lon, at.lat, 1);
	} else if (!c.bad) {
		add_all(&c, &coordinates, DEPTH_MAX);
	}
	return give(&c, lat, lon);
}
