/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/request.h"

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
	/* Digits below a micrometre still make it more than 0, or than 50. */
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
 * As text_next_field, but a NUL ends the field and stays in front of what
 * follows: no field may hold one, so the line then has too few or too many.
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
