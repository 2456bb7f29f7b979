/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/import_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "herd/location.h"
#include "herd/report.h"
#include "herd/text.h"
#include "herd/time.h"

#define NUMBER_MAX 64u   /* characters of a number that strtod() reads */
#define DEGREES_MAX 1e6  /* no coordinate is beyond; 1e300 has 300 digits */
#define REQUEST_MORE 64u /* of a request beside client, location and time */

#define LACKS "no client with location and time: it has no "

void
import_record_init(struct import_record *record)
{
	*record = (struct import_record){ 0 };
	for (size_t i = 0; i < IMPORT_FIELDS_MAX; i++)
		buf_init(&record->fields[i], XBUF_MAX);
	buf_init(&record->scratch, XBUF_MAX);
}

void
import_record_release(struct import_record *record)
{
	for (size_t i = 0; i < IMPORT_FIELDS_MAX; i++)
		buf_release(&record->fields[i]);
	buf_release(&record->scratch);
}

void
import_record_clear(struct import_record *record)
{
	for (size_t i = 0; i < IMPORT_FIELDS_MAX; i++)
		buf_clear(&record->fields[i]);
	record->raw = span_of("", 0);
	record->removed = false;
	record->passed_over = false;
	record->fault = NULL;
}

struct span
import_record_text(const struct import_record *record, unsigned field)
{
	return buf_span(&record->fields[field]);
}

void
import_record_put(
    struct import_record *record, unsigned field, struct span text)
{
	put_span(&record->fields[field], text);
}

static void
set(struct import_record *record, enum import_field field, struct span text)
{
	must(buf_set(&record->fields[field], text.data, text.len));
}

bool
import_record_number(struct span text, double *out)
{
	char copy[NUMBER_MAX];
	char *end;

	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!text_is_digit(text.data[i]) &&
		    memchr("+-.eE", text.data[i], 5) == NULL)
			return false;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	*out = strtod(copy, &end);
	return *end == '\0' && isfinite(*out);
}

/* Appends the protocol's form, without needless zeros. */
static void
put_degrees(struct buf *out, double degrees)
{
	char text[NUMBER_MAX];
	size_t len;

	if (fabs(degrees) > DEGREES_MAX)
		degrees = copysign(DEGREES_MAX, degrees);
	len = (size_t)snprintf(text, sizeof(text), "%+.9f", degrees);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	put(out, text, len);
}

/* Without the mark that keeps spreadsheets from calculating it ('+34). */
static struct span
bare(struct span text)
{
	text = text_trim(text);
	if (text.len > 1 && text.data[0] == '\'')
		text = span_of(text.data + 1, text.len - 1);
	return text;
}

static const char *
settle_client(struct import_record *r, const struct import_options *options)
{
	struct buf *client = &r->fields[FIELD_CLIENT];
	struct span coded = import_record_text(r, FIELD_CLIENT_B64);

	if (options->client.len > 0) {
		set(r, FIELD_CLIENT, options->client);
	} else if (coded.len > 0) {
		buf_clear(client);
		if (text_from_base64(client, coded) != HERD_OK)
			return "client_b64 is not base64";
	}
	if (client->len == 0)
		return LACKS "client";
	if (client->len > REPORT_CLIENT_MAX)
		return "the client's id is too long";
	if (!client_id_is_valid(buf_span(client)))
		return "a client's id has no white space and no NUL";
	return NULL;
}

/* The place of two numbers, digit by digit where they are plain. */
static enum herd_error
join_coordinates(struct import_record *r, struct location *at)
{
	struct span lat = bare(import_record_text(r, FIELD_LAT));
	struct span lon = bare(import_record_text(r, FIELD_LON));
	double lat_deg, lon_deg;
	enum herd_error error;

	buf_clear(&r->scratch);
	putf(&r->scratch, SPAN_FMT "," SPAN_FMT, SPAN_ARG(lat), SPAN_ARG(lon));
	error = location_from_human(
	    buf_span(&r->scratch), &r->fields[FIELD_LOCATION], at);
	if (error != HERD_ESYNTAX || !import_record_number(lat, &lat_deg) ||
	    !import_record_number(lon, &lon_deg))
		return error;
	put_degrees(&r->fields[FIELD_LOCATION], lat_deg);
	put_degrees(&r->fields[FIELD_LOCATION], lon_deg);
	return location_parse(import_record_text(r, FIELD_LOCATION), at);
}

static enum herd_error
settle_place(struct import_record *r, struct location *at)
{
	struct buf *location = &r->fields[FIELD_LOCATION];
	struct span text = buf_span(location);

	if (location->len == 0)
		return join_coordinates(r, at);
	if (location_parse(text, at) == HERD_OK)
		return HERD_OK;
	buf_clear(&r->scratch);
	put_span(&r->scratch, bare(text));
	buf_clear(location);
	return location_from_human(buf_span(&r->scratch), location, at);
}

static const char *
settle_location(struct import_record *r)
{
	struct location at;
	enum herd_error error;

	if (r->fields[FIELD_LOCATION].len == 0 &&
	    (r->fields[FIELD_LAT].len == 0 || r->fields[FIELD_LON].len == 0))
		return LACKS "location";
	error = settle_place(r, &at);
	if (error == HERD_ERANGE)
		return "the location is beyond 90 or 180 degrees";
	return error == HERD_OK ? NULL : "the location is none";
}

static const char *
settle_time(struct import_record *r, const struct import_options *options)
{
	struct span text = bare(import_record_text(r, FIELD_TIME));
	char digits[TIME_FORMAT_MAX];
	enum herd_error error;
	uint64_t ns;

	if (text.len == 0)
		text = options->time;
	if (text.len == 0)
		return LACKS "time";
	buf_clear(&r->scratch);
	put_span(&r->scratch, text);
	text = buf_span(&r->scratch);
	set(r, FIELD_TIME, text);
	error = time_parse(text, &ns);
	if (error == HERD_ESYNTAX) {
		error = time_from_iso(text, &ns);
		if (error == HERD_OK)
			set(r, FIELD_TIME,
			    span_of(digits, time_format(ns, digits)));
	}
	if (error == HERD_ERANGE)
		return "the time is out of range (is it in milliseconds?)";
	return error == HERD_OK
		   ? NULL
		   : "the time is neither epoch seconds nor ISO 8601";
}

/* The line has to be one that a node takes. */
static const char *
settle_exact(struct import_record *r, const struct import_options *options)
{
	struct report report;

	if (r->fields[FIELD_ORIGIN].len == 0)
		return "an exact import needs the origin (export --exact)";
	if (!r->removed && r->fields[FIELD_SKEW].len == 0)
		return "an exact import needs the skew (export --exact)";
	buf_clear(&r->scratch);
	import_record_request(r, options, &r->scratch);
	if (report_parse(buf_span(&r->scratch), &report) != HERD_OK)
		return "origin or skew are not what a node writes";
	return NULL;
}

void
import_record_settle(
    struct import_record *r, const struct import_options *options)
{
	if (r->fault == NULL)
		r->fault = settle_client(r, options);
	if (r->fault == NULL && r->removed && !options->exact)
		r->fault = "a removal, which --exact imports";
	if (r->fault == NULL && !r->removed)
		r->fault = settle_location(r);
	if (r->fault == NULL)
		r->fault = settle_time(r, options);
	if (r->fault == NULL && r->fields[FIELD_CLIENT].len +
					r->fields[FIELD_LOCATION].len +
					REQUEST_MORE >
				    IMPORT_LINE_MAX)
		r->fault = "it is longer than a request may be";
	if (r->fault == NULL && options->exact)
		r->fault = settle_exact(r, options);
}

static void
put_field(
    struct buf *out, const struct import_record *r, enum import_field field)
{
	put_byte(out, ' ');
	put_span(out, import_record_text(r, field));
}

void
import_record_request(const struct import_record *r,
    const struct import_options *options, struct buf *out)
{
	if (!options->exact) {
		put_text(out, "IAMAT");
	} else {
		put_text(out, r->removed ? "GONE" : "AT");
		put_field(out, r, FIELD_ORIGIN);
		if (!r->removed)
			put_field(out, r, FIELD_SKEW);
	}
	put_field(out, r, FIELD_CLIENT);
	if (!r->removed)
		put_field(out, r, FIELD_LOCATION);
	put_field(out, r, FIELD_TIME);
}
