/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/location.h"

#include <math.h>

#include "scan.h"

#define ND_PER_DEGREE UINT64_C(1000000000)
#define LAT_MAX_DEG 90u
#define LON_MAX_DEG 180u
#define EARTH_RADIUS_M 6371008.8 /* IUGG mean radius */
#define PI 3.14159265358979323846
#define DEGREE (PI / 180.0)

/*
 * Reads sign digits [. digits] at *at and moves *at after it. *beyond: more
 * than `max` degrees, by all digits. False: not a coordinate.
 */
static bool
coordinate_read(const char *begin, const char **at, const char *end,
    uint64_t max, int64_t *nd, bool *beyond)
{
	const char *p = *at;
	uint64_t whole, fraction;
	bool negative, tail;

	if (p == end || (*p != '+' && *p != '-'))
		return false;
	negative = *p++ == '-';
	if (!scan_whole(begin, &p, end, max, &whole) ||
	    !scan_fraction(begin, &p, end, &fraction, &tail))
		return false;
	*at = p;
	*beyond = whole > max || (whole == max && (fraction != 0 || tail));
	if (*beyond)
		return true;
	*nd = (int64_t)(whole * ND_PER_DEGREE + fraction);
	if (negative)
		*nd = -*nd;
	return true;
}

enum herd_error
location_parse(struct span text, struct location *out)
{
	const char *begin = text.data, *p = begin, *end = begin + text.len;
	bool lat_beyond, lon_beyond;
	int64_t lat, lon;

	if (!coordinate_read(begin, &p, end, LAT_MAX_DEG, &lat, &lat_beyond) ||
	    !coordinate_read(begin, &p, end, LON_MAX_DEG, &lon, &lon_beyond) ||
	    p != end)
		return HERD_ESYNTAX;
	if (lat_beyond || lon_beyond)
		return HERD_ERANGE;
	*out = (struct location){ lat, lon };
	return HERD_OK;
}

/* Appends the number with a sign, which it may lack. */
static enum herd_error
add_signed(struct buf *out, struct span number)
{
	enum herd_error error;

	if (number.len == 0 ||
	    (number.data[0] != '+' && number.data[0] != '-')) {
		error = buf_add_byte(out, '+');
		if (error != HERD_OK)
			return error;
	}
	return buf_add_span(out, number);
}

enum herd_error
location_from_human(struct span typed, struct buf *text, struct location *out)
{
	struct span trimmed = text_trim(typed), lat, lon, whole;
	const char *comma;
	size_t before = text->len;
	enum herd_error error;

	comma =
	    trimmed.len == 0 ? NULL : memchr(trimmed.data, ',', trimmed.len);
	if (comma == NULL) {
		error = buf_add_span(text, trimmed);
	} else {
		lat = span_of(trimmed.data, (size_t)(comma - trimmed.data));
		lon = text_trim(span_of(comma + 1, trimmed.len - lat.len - 1u));
		error = add_signed(text, lat);
		if (error == HERD_OK)
			error = add_signed(text, lon);
	}
	if (error == HERD_OK) {
		whole = buf_span(text);
		error = location_parse(
		    span_of(whole.data + before, whole.len - before), out);
	}
	if (error != HERD_OK)
		buf_truncate(text, before);
	return error;
}

double
location_lat(struct location location)
{
	return (double)location.lat_nd / (double)ND_PER_DEGREE;
}

double
location_lon(struct location location)
{
	return (double)location.lon_nd / (double)ND_PER_DEGREE;
}

double
location_distance_m(struct location a, struct location b)
{
	double lat_a = location_lat(a) * DEGREE;
	double lat_b = location_lat(b) * DEGREE;
	double half_lat = (lat_b - lat_a) / 2.0;
	double half_lon = (location_lon(b) - location_lon(a)) * DEGREE / 2.0;
	double h = sin(half_lat) * sin(half_lat) +
		   cos(lat_a) * cos(lat_b) * sin(half_lon) * sin(half_lon);

	/* Rounding may carry h of antipodes beyond 1, where asin is NaN. */
	return 2.0 * EARTH_RADIUS_M * asin(sqrt(h < 1.0 ? h : 1.0));
}

double
location_bearing_deg(struct location a, struct location b)
{
	double lat_a = location_lat(a) * DEGREE;
	double lat_b = location_lat(b) * DEGREE;
	double d_lon = (location_lon(b) - location_lon(a)) * DEGREE;
	double east = sin(d_lon) * cos(lat_b);
	double north =
	    cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(d_lon);
	double deg = atan2(east, north) / DEGREE;

	if (deg < 0.0)
		deg += 360.0;
	/* A tiny negative angle plus 360 rounds to 360. */
	return deg >= 360.0 ? 0.0 : deg;
}

const char *
location_compass(double bearing_deg)
{
	static const char *const points[] = { "N", "NNE", "NE", "ENE", "E",
		"ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW",
		"NNW" };
	size_t count = HERD_ARRAY_LEN(points);
	double sector = 360.0 / (double)count;

	return points[(size_t)(bearing_deg / sector + 0.5) % count];
}
