/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "out/values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/xbuf.h"
#include "herd/location.h"
#include "herd/text.h"
#include "herd/time.h"
#include "out/width.h"

/* Steps that a REAL is rounded to, per unit; 0: it is not. */
static const double precision[] = {
	[VALUE_PERCENT] = 1e3,
	[VALUE_SECONDS] = 1e6,
	[VALUE_MS] = 1e6,
	[VALUE_DISTANCE] = 1e3,
	[VALUE_BEARING] = 1e3,
	[VALUE_JSON] = 0, /* the last type */
};

void
put_grouped(struct buf *out, int64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
	int i = 0;

	if (digits[0] == '-')
		put_byte(out, digits[i++]);
	for (; i < len; i++) {
		put_byte(out, digits[i]);
		if (i + 1 < len && (len - i - 1) % 3 == 0)
			put_byte(out, ',');
	}
}

void
put_duration(struct buf *out, double seconds)
{
	double ns = fabs(seconds) * 1e9;

	/* Less than a microsecond is none, and has no sign. */
	if (seconds <= -1e-6)
		put_byte(out, '-');
	if (!(ns < 9e18))
		ns = 9e18;
	must(duration_for_people(out, (uint64_t)ns));
}

void
put_distance(struct buf *out, double metres)
{
	if (metres < 999.5)
		putf(out, "%.0f m", metres);
	else if (metres < 99950)
		putf(out, "%.1f km", metres / 1000);
	else
		putf(out, "%.0f km", metres / 1000);
}

void
put_size(struct buf *out, double bytes)
{
	static const char units[] = " KMGTPE";
	size_t unit = 0;

	while (bytes >= 999.5 && unit + 2 < sizeof(units)) {
		bytes /= 1024;
		unit++;
	}
	if (unit == 0)
		putf(out, "%.0f", bytes);
	else
		putf(out, bytes < 9.95 ? "%.1f%c" : "%.0f%c", bytes,
		    units[unit]);
}

/* Today people want the time of day; else the date belongs to it. */
void
put_clock(struct buf *out, struct span text)
{
	uint64_t ns;
	time_t at;
	time_t now = time(NULL);
	struct tm tm;
	struct tm today;
	char shown[32];

	if (time_parse(text, &ns) != HERD_OK) {
		put_clean(out, text);
		return;
	}
	at = (time_t)(ns / HERD_NS_PER_S);
	localtime_r(&at, &tm);
	localtime_r(&now, &today);
	if (tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year)
		strftime(shown, sizeof(shown), "%H:%M:%S", &tm);
	else
		strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M:%S", &tm);
	put_text(out, shown);
}

/* Joins the lines of a value into one. */
static void
put_lines(struct buf *out, struct span text)
{
	if (text.len == 0)
		put_byte(out, '-');
	while (text.len > 0) {
		put_clean(out, width_take_line(&text, 0));
		if (text.len > 0)
			put_text(out, "; ");
	}
}

static void
put_place(struct buf *out, const struct value *value)
{
	if (value->text.len > 0)
		put_clean(out, value->text);
	else
		putf(out, "%.6f,%.6f", value->lat, value->lon);
}

void
value_for_people(struct buf *out, const struct value *value,
    const struct column *column, bool grouped)
{
	if (!value->known) {
		put_byte(out, '-');
		return;
	}
	switch (value->type) {
	case VALUE_TEXT:
	case VALUE_STATE:
	case VALUE_TIME:
		if (value->text.len == 0)
			put_text(out, "\"\"");
		else
			put_clean(out, value->text);
		return;
	case VALUE_JSON: put_lines(out, value->shown); return;
	case VALUE_INTEGER:
		if (grouped && (column->traits & COLUMN_NUMERAL) == 0)
			put_grouped(out, value->integer);
		else
			putf(out, "%" PRId64, value->integer);
		return;
	case VALUE_REAL:
		if (column->digits == DIGITS_ALL)
			put_number(out, value->real);
		else
			putf(out, "%.*f", (int)column->digits, value->real);
		return;
	case VALUE_PERCENT: putf(out, "%.1f%%", value->real); return;
	case VALUE_BOOL: put_text(out, value->integer ? "yes" : "no"); return;
	case VALUE_CLOCK: put_clock(out, value->text); return;
	case VALUE_SECONDS: put_duration(out, value->real); return;
	case VALUE_MS: put_duration(out, value->real / 1e3); return;
	case VALUE_DISTANCE: put_distance(out, value->real); return;
	case VALUE_BEARING:
		put_text(out, location_compass(value->real));
		return;
	case VALUE_PLACE: put_place(out, value); return;
	case VALUE_BYTES: put_size(out, value->real); return;
	}
}

static double
rounded(const struct value *value)
{
	double per_unit = precision[value->type];

	return per_unit > 0 ? round(value->real * per_unit) / per_unit
			    : value->real;
}

void
value_for_machines(struct buf *out, const struct value *value)
{
	if (!value->known)
		return;
	if (value->type == VALUE_BOOL)
		put_text(out, value->integer ? "true" : "false");
	else if (value_base(value->type) == BASE_INTEGER)
		putf(out, "%" PRId64, value->integer);
	else if (value_base(value->type) == BASE_REAL)
		put_number(out, rounded(value));
	else
		put_span(out, value->text);
}

void
put_number(struct buf *out, double number)
{
	struct json json;

	json_begin(&json, out, JSON_COMPACT);
	json_number(&json, NULL, number);
	must(json_end(&json));
}

/* An unknown value, or one without a form in JSON, is null. */
static void
write_value(struct json *json, const char *key, const struct value *value)
{
	if (!value->known ||
	    (value->type == VALUE_PLACE && value->text.len == 0))
		json_null(json, key);
	else if (value->type == VALUE_BOOL)
		json_bool(json, key, value->integer != 0);
	else if (value->type == VALUE_JSON)
		json_raw(json, key, value->text);
	else if (value_base(value->type) == BASE_INTEGER)
		json_integer(json, key, value->integer);
	else if (value_base(value->type) == BASE_REAL)
		json_number(json, key, rounded(value));
	else
		json_text(json, key, value->text);
}

static void
write_base64(struct json *json, const char *key, struct span bytes)
{
	struct buf name = XBUF;
	struct buf text = XBUF;

	putf(&name, "%s_b64", key);
	must(text_to_base64(&text, bytes));
	json_text(json, text_of(&name), buf_span(&text));
	buf_release(&name);
	buf_release(&text);
}

void
value_write(
    struct json *json, const struct value *value, const struct column *column)
{
	write_value(json, column->key, value);
	if (column->type == VALUE_PLACE) {
		json_number(
		    json, "lat", value->known ? value->lat : (double)NAN);
		json_number(
		    json, "lon", value->known ? value->lon : (double)NAN);
	}
	if ((column->traits & COLUMN_ID) != 0 && value->known &&
	    !text_is_utf8(value->text))
		write_base64(json, column->key, value->text);
}
