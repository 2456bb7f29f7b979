/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/request.h"

#include <string.h>

#include "herd/report.h"
#include "herd/time.h"
#include "scan.h"

#define MICROMETRES_PER_KM UINT64_C(1000000000)
#define MICROMETRES_PER_M 1000000.0

enum herd_error
radius_parse(struct span km, double *metres)
{
	const char *begin = km.data, *p = begin, *end = begin + km.len;
	uint64_t whole, fraction, value;
	bool beyond;

	if (!scan_whole(begin, &p, end, REQUEST_RADIUS_MAX_KM, &whole) ||
	    !scan_fraction(begin, &p, end, &fraction, &beyond) || p != end)
		return HERD_ESYNTAX;
	if (whole > REQUEST_RADIUS_MAX_KM)
		return HERD_ERANGE;
	value = whole * MICROMETRES_PER_KM + fraction;
	/* Digits below a micrometre still decide: more than 0, or than 50. */
	if (value == 0 && beyond)
		value = 1;
	else if (whole == REQUEST_RADIUS_MAX_KM && beyond)
		return HERD_ERANGE;
	if (value == 0 || value > REQUEST_RADIUS_MAX_KM * MICROMETRES_PER_KM)
		return HERD_ERANGE;
	*metres = (double)value / MICROMETRES_PER_M;
	return HERD_OK;
}

enum herd_error
bound_parse(struct span text, unsigned *bound)
{
	uint64_t value;
	enum herd_error error;

	error = text_to_u64(text, 1, REQUEST_BOUND_MAX, &value);
	if (error == HERD_OK)
		*bound = (unsigned)value;
	return error;
}

/*
 * As text_next_field, but a NUL ends the field and begins the rest: no field
 * may hold one, so the line then has too few fields or too many.
 */
static struct span
next_field(const char **at, const char *end)
{
	const char *p = *at, *begin;

	while (p < end && text_is_space(*p))
		p++;
	begin = p;
	p = scan_field(p, end);
	*at = p;
	return span_of(begin, (size_t)(p - begin));
}

/* Nothing but white space is left. */
static bool
is_at_end(const char *p, const char *end)
{
	while (p < end && text_is_space(*p))
		p++;
	return p == end;
}

static bool
client_is_valid(struct span client)
{
	return client.len > 0 && client.len <= REPORT_CLIENT_MAX;
}

static void
iamat_parse(const char *p, const char *end, struct request *out)
{
	struct location ignored;

	out->client = next_field(&p, end);
	out->location = next_field(&p, end);
	out->time = next_field(&p, end);
	if (is_at_end(p, end) && client_is_valid(out->client) &&
	    location_parse(out->location, &ignored) == HERD_OK &&
	    time_parse(out->time, &out->time_ns) == HERD_OK)
		out->kind = REQUEST_IAMAT;
}

static void
whatsat_parse(const char *p, const char *end, struct request *out)
{
	struct span radius, bound;

	out->client = next_field(&p, end);
	radius = next_field(&p, end);
	bound = next_field(&p, end);
	if (is_at_end(p, end) && client_is_valid(out->client) &&
	    radius_parse(radius, &out->radius_m) == HERD_OK &&
	    bound_parse(bound, &out->bound) == HERD_OK)
		out->kind = REQUEST_WHATSAT;
}

void
request_parse(struct span line, struct request *out)
{
	const char *p = line.data, *end = line.data + line.len;
	struct span word = next_field(&p, end);

	out->kind = REQUEST_INVALID;
	if (span_is(word, "IAMAT"))
		iamat_parse(p, end, out);
	else if (span_is(word, "WHATSAT"))
		whatsat_parse(p, end, out);
}

/* --- other protocols ----------------------------------------------------- */

/* What a connection of another protocol begins with. */
static const struct signature {
	size_t at;
	const char *bytes;
	size_t len;
} signatures[] = {
	{ 0, "\x16\x03", 2 },         /* TLS: a handshake, version 3.x */
	{ 4, "\x21\x12\xa4\x42", 4 }, /* STUN's magic cookie */
	{ 6, "\x21\x12\xa4\x42", 4 }, /* after the length of a frame */
};

/* A character of a method's name, RFC 9110, 5.6.2. */
static bool
is_token_char(char c)
{
	return c != '\0' && (text_is_digit(c) || (c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z') ||
				strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_token(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_token_char(text.data[i]))
			return false;
	return text.len > 0;
}

/* "HTTP/1.1" */
static bool
is_http_version(struct span text)
{
	return text.len > 5 && memcmp(text.data, "HTTP/", 5) == 0 &&
	       text_is_digit(text.data[5]);
}

/* METHOD ... HTTP/VERSION; a browser puts nothing before it. */
static bool
is_http(struct span line, struct span *method)
{
	const char *end = line.data + line.len, *last;

	while (end > line.data && text_is_space(end[-1]))
		end--;
	last = end;
	while (last > line.data && !text_is_space(last[-1]))
		last--;
	if (!is_http_version(span_of(last, (size_t)(end - last))))
		return false;
	method->data = line.data;
	method->len = 0;
	while (method->len < line.len && !text_is_space(line.data[method->len]))
		method->len++;
	return is_token(*method);
}

enum request_speech
request_speech(struct span line)
{
	struct span method;
	size_t i;

	for (i = 0; i < HERD_ARRAY_LEN(signatures); i++) {
		const struct signature *s = &signatures[i];

		if (line.len >= s->at + s->len &&
		    memcmp(line.data + s->at, s->bytes, s->len) == 0)
			return SPEECH_FOREIGN;
	}
	if (!is_http(line, &method))
		return SPEECH_HERD;
	return span_is(method, "GET") || span_is(method, "HEAD")
		   ? SPEECH_HTTP
		   : SPEECH_FOREIGN;
}
