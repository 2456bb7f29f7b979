/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/time.h"

#include <string.h>

#include "scan.h"

#define FRACTION_DIGITS 9u

struct mono
mono_add(struct mono at, uint64_t ns)
{
	struct mono sum = { at.ns + ns };

	if (sum.ns < at.ns)
		sum.ns = UINT64_MAX;
	return sum;
}

uint64_t
mono_since(struct mono later, struct mono earlier)
{
	return later.ns > earlier.ns ? later.ns - earlier.ns : 0;
}

enum herd_error
time_parse(struct span text, uint64_t *ns)
{
	const char *begin = text.data, *p = begin, *end = begin + text.len;
	uint64_t seconds, fraction;
	bool beyond;

	if (text.len > HERD_TIME_TEXT_MAX)
		return HERD_ERANGE;
	if (!scan_whole(begin, &p, end, HERD_TIME_MAX_S, &seconds) ||
	    !scan_fraction(begin, &p, end, &fraction, &beyond) || p != end)
		return HERD_ESYNTAX;
	if (seconds >= HERD_TIME_MAX_S)
		return HERD_ERANGE;
	*ns = seconds * HERD_NS_PER_S + fraction;
	return HERD_OK;
}

static const char PAIRS[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

/* `count` digits of `value`, leading zeros included. */
static void
put_padded(char *out, uint64_t value, size_t count)
{
	for (; count >= 2; value /= 100u) {
		count -= 2;
		memcpy(out + count, PAIRS + 2u * (value % 100u), 2);
	}
	if (count > 0)
		*out = (char)('0' + value % 10u);
}

/* Digits of `value`, without leading zeros; returns how many. */
static size_t
put_decimal(char *out, uint64_t value)
{
	size_t count = 1;

	for (uint64_t left = value; left >= 10u; left /= 10u)
		count++;
	put_padded(out, value, count);
	return count;
}

size_t
time_format(uint64_t ns, char out[TIME_FORMAT_MAX])
{
	size_t n = put_decimal(out, ns / HERD_NS_PER_S);

	out[n++] = '.';
	put_padded(out + n, ns % HERD_NS_PER_S, FRACTION_DIGITS);
	return n + FRACTION_DIGITS;
}

#define DAYS_PER_ERA 146097u /* 400 years */
#define DAYS_TO_1970 719468u /* from the first of March of the year 0 */

/*
 * A year here begins in March, so that a leap day is its last one; an era has
 * 400 of them. Days since 1970-01-01, which the date is not before.
 */
static uint64_t
days_of_date(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month > 2 ? year : year - 1u;
	unsigned m = month > 2 ? month - 3u : month + 9u;
	unsigned of_era = y % 400u;

	return (uint64_t)(y / 400u) * DAYS_PER_ERA + of_era * 365u +
	       of_era / 4u - of_era / 100u + (153u * m + 2u) / 5u + day - 1u -
	       DAYS_TO_1970;
}

/* The inverse of days_of_date(). */
static void
date_of_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t since = days + DAYS_TO_1970;
	unsigned of_era = (unsigned)(since % DAYS_PER_ERA);
	unsigned y =
	    (of_era - of_era / 1460u + of_era / 36524u - of_era / 146096u) /
	    365u;
	unsigned of_year = of_era - (365u * y + y / 4u - y / 100u);
	unsigned m = (5u * of_year + 2u) / 153u;

	*day = of_year - (153u * m + 2u) / 5u + 1u;
	*month = m < 10u ? m + 3u : m - 9u;
	*year = (unsigned)(since / DAYS_PER_ERA) * 400u + y +
		(*month <= 2u ? 1u : 0u);
}

size_t
time_to_iso(uint64_t ns, char out[TIME_ISO_MAX])
{
	static const char form[] = "0000-00-00T00:00:00";
	uint64_t seconds = ns / HERD_NS_PER_S, fraction = ns % HERD_NS_PER_S;
	unsigned of_day = (unsigned)(seconds % 86400u), year, month, day;
	size_t n = strlen(form);

	date_of_days(seconds / 86400u, &year, &month, &day);
	memcpy(out, form, n);
	put_padded(out, year, 4);
	put_padded(out + 5, month, 2);
	put_padded(out + 8, day, 2);
	put_padded(out + 11, of_day / 3600u, 2);
	put_padded(out + 14, of_day / 60u % 60u, 2);
	put_padded(out + 17, of_day % 60u, 2);
	if (fraction > 0) {
		out[n++] = '.';
		put_padded(out + n, fraction, FRACTION_DIGITS);
		n += FRACTION_DIGITS;
		while (out[n - 1u] == '0')
			n--;
	}
	out[n++] = 'Z';
	return n;
}

/* Takes exactly `count` digits off the text. */
static bool
take_digits(struct span *rest, size_t count, unsigned *value)
{
	*value = 0;
	if (rest->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!text_is_digit(rest->data[i]))
			return false;
		*value = *value * 10u + (unsigned)(rest->data[i] - '0');
	}
	*rest = span_of(rest->data + count, rest->len - count);
	return true;
}

/* Takes one of these characters off the text. */
static bool
take_one(struct span *rest, const char *set)
{
	if (rest->len == 0 || memchr(set, rest->data[0], strlen(set)) == NULL)
		return false;
	*rest = span_of(rest->data + 1, rest->len - 1u);
	return true;
}

static bool
is_date(unsigned year, unsigned month, unsigned day)
{
	static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = year % 4u == 0 && (year % 100u != 0 || year % 400u == 0);

	return year >= 1969u && month >= 1u && month <= 12u && day >= 1u &&
	       day <= days[month - 1u] && (month != 2u || day < 29u || leap);
}

/* The date and the time of day, in seconds since 1969-01-01. */
static enum herd_error
take_moment(struct span *rest, uint64_t *seconds, uint64_t *fraction)
{
	unsigned year, month, day, hour, minute, second = 0;
	const char *at, *end;
	bool beyond;

	if (!take_digits(rest, 4, &year) || !take_one(rest, "-") ||
	    !take_digits(rest, 2, &month) || !take_one(rest, "-") ||
	    !take_digits(rest, 2, &day) || !take_one(rest, "Tt ") ||
	    !take_digits(rest, 2, &hour) || !take_one(rest, ":") ||
	    !take_digits(rest, 2, &minute))
		return HERD_ESYNTAX;
	*fraction = 0;
	if (take_one(rest, ":")) {
		if (!take_digits(rest, 2, &second))
			return HERD_ESYNTAX;
		at = rest->data;
		end = rest->data + rest->len;
		if (!scan_fraction(rest->data, &at, end, fraction, &beyond))
			return HERD_ESYNTAX;
		*rest = span_of(at, (size_t)(end - at));
	}
	if (!is_date(year, month, day) || hour > 23u || minute > 59u ||
	    second > 59u)
		return HERD_ERANGE;
	/* 1969 is the year before the first that counts: offsets reach it. */
	*seconds = (days_of_date(year, month, day) + 365u) * 86400u +
		   hour * 3600u + minute * 60u + second;
	return HERD_OK;
}

/* Z, or an offset: seconds that local time is after (or before) UTC. */
static enum herd_error
take_zone(struct span *rest, bool *behind, uint64_t *offset)
{
	unsigned hours, minutes;

	*offset = 0;
	*behind = false;
	if (take_one(rest, "Zz"))
		return rest->len == 0 ? HERD_OK : HERD_ESYNTAX;
	*behind = rest->len > 0 && rest->data[0] == '-';
	if (!take_one(rest, "+-") || !take_digits(rest, 2, &hours))
		return HERD_ESYNTAX;
	(void)take_one(rest, ":");
	if (!take_digits(rest, 2, &minutes) || rest->len > 0)
		return HERD_ESYNTAX;
	if (hours > 23u || minutes > 59u)
		return HERD_ERANGE;
	*offset = hours * 3600u + minutes * 60u;
	return HERD_OK;
}

enum herd_error
time_from_iso(struct span text, uint64_t *ns)
{
	const uint64_t before = 365u * 86400u; /* 1969 */
	uint64_t seconds = 0, fraction = 0, offset = 0;
	bool behind = false;
	struct span rest = text;
	enum herd_error error = take_moment(&rest, &seconds, &fraction);
	enum herd_error zone = HERD_OK;

	/* A text that is no time at all is no day that there is not. */
	if (error != HERD_ESYNTAX)
		zone = take_zone(&rest, &behind, &offset);
	if (error != HERD_OK || zone != HERD_OK)
		return zone != HERD_OK ? zone : error;
	seconds = behind ? seconds + offset : seconds - offset;
	if (seconds < before || seconds - before >= HERD_TIME_MAX_S)
		return HERD_ERANGE;
	*ns = (seconds - before) * HERD_NS_PER_S + fraction;
	return HERD_OK;
}

size_t
skew_format(uint64_t received_ns, uint64_t sent_ns, char out[SKEW_FORMAT_MAX])
{
	bool negative = received_ns < sent_ns;
	uint64_t ns = negative ? sent_ns - received_ns : received_ns - sent_ns;
	size_t n;

	*out = negative ? '-' : '+';
	n = put_decimal(out + 1, ns / HERD_NS_PER_S) + 1u;
	out[n++] = '.';
	put_padded(out + n, ns % HERD_NS_PER_S, FRACTION_DIGITS);
	return n + FRACTION_DIGITS;
}

enum herd_error
skew_parse(struct span text, struct skew *out)
{
	struct span digits;
	bool negative;
	uint64_t ns;
	size_t whole;
	enum herd_error error;

	if (text.len < sizeof("+0.000000000") - 1u ||
	    (text.data[0] != '+' && text.data[0] != '-'))
		return HERD_ESYNTAX;
	negative = text.data[0] == '-';
	digits = span_of(text.data + 1, text.len - 1u);
	whole = digits.len - FRACTION_DIGITS - 1u;
	if (digits.data[whole] != '.' || (whole > 1u && digits.data[0] == '0'))
		return HERD_ESYNTAX;
	error = time_parse(digits, &ns);
	if (error != HERD_OK)
		return error;
	if (negative && ns == 0)
		return HERD_ESYNTAX;
	*out = (struct skew){ negative, ns };
	return HERD_OK;
}

uint64_t
skew_apply(uint64_t sent_ns, struct skew skew)
{
	if (skew.negative)
		return sent_ns > skew.ns ? sent_ns - skew.ns : 0;
	return skew.ns > UINT64_MAX - sent_ns ? UINT64_MAX : sent_ns + skew.ns;
}

/* The units of durations, largest first. */
static const struct unit {
	const char *name;
	uint64_t ns;
	size_t decimals; /* of ns, a power of ten; 0: none are written */
} units[] = {
	{ "d", 86400u * HERD_NS_PER_S, 0 },
	{ "h", 3600u * HERD_NS_PER_S, 0 },
	{ "m", 60u * HERD_NS_PER_S, 0 },
	{ "s", HERD_NS_PER_S, 9 },
	{ "ms", HERD_NS_PER_MS, 6 },
	{ "us", 1000u, 3 },
	{ "ns", 1u, 0 },
};

enum { UNIT_D, UNIT_H, UNIT_M, UNIT_S, UNIT_MS, UNIT_US, UNIT_NS };

/* Index of the unit that *rest begins with; its letters are taken off. */
static bool
unit_take(struct span *rest, size_t *unit)
{
	struct span name = span_of(rest->data, 0);
	size_t i;

	while (name.len < rest->len && name.data[name.len] >= 'a' &&
	       name.data[name.len] <= 'z')
		name.len++;
	for (i = 0; i < HERD_ARRAY_LEN(units); i++)
		if (span_is(name, units[i].name)) {
			rest->data += name.len;
			rest->len -= name.len;
			*unit = i;
			return true;
		}
	return false;
}

/* digits [. digits]: the whole part, and the fraction in 10^-decimals. */
struct number {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale; /* 10^decimals */
};

static enum herd_error
number_take(struct span *rest, struct number *out)
{
	const char *p = rest->data, *end = p + rest->len, *begin = p;

	*out = (struct number){ 0, 0, 1 };
	for (; p < end && text_is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (out->whole > (UINT64_MAX - digit) / 10u)
			return HERD_ERANGE;
		out->whole = out->whole * 10u + digit;
	}
	if (p == begin)
		return HERD_ESYNTAX;
	if (p < end && *p == '.') {
		begin = ++p;
		for (; p < end && text_is_digit(*p); p++) {
			if ((size_t)(p - begin) >= FRACTION_DIGITS)
				return HERD_ESYNTAX;
			out->fraction =
			    out->fraction * 10u + (uint64_t)(*p - '0');
			out->scale *= 10u;
		}
		if (p == begin)
			return HERD_ESYNTAX;
	}
	rest->data = p;
	rest->len = (size_t)(end - p);
	return HERD_OK;
}

/* Adds number * unit to *ns; a part of a nanosecond is an error. */
static enum herd_error
duration_add(uint64_t *ns, const struct number *number, uint64_t unit)
{
	uint64_t part;

	if (number->whole > UINT64_MAX / unit)
		return HERD_ERANGE;
	/* At most 86,400 * 10^9 * 999,999,999 would overflow: split the unit.
	 */
	part = unit / number->scale * number->fraction;
	if (unit % number->scale != 0) {
		uint64_t low = unit % number->scale * number->fraction;

		if (low % number->scale != 0)
			return HERD_ESYNTAX;
		part += low / number->scale;
	}
	if (part > UINT64_MAX - number->whole * unit ||
	    *ns > UINT64_MAX - number->whole * unit - part)
		return HERD_ERANGE;
	*ns += number->whole * unit + part;
	return HERD_OK;
}

enum herd_error
duration_parse(struct span text, uint64_t *ns)
{
	struct span rest = text;
	struct number number;
	uint64_t sum = 0;
	size_t unit, next = 0;
	enum herd_error error;

	if (span_is(text, "0")) {
		*ns = 0;
		return HERD_OK;
	}
	do {
		error = number_take(&rest, &number);
		if (error != HERD_OK)
			return error;
		/* Each unit once, the larger first: "5s1h" is a mistake. */
		if (!unit_take(&rest, &unit) || unit < next)
			return HERD_ESYNTAX;
		next = unit + 1u;
		error = duration_add(&sum, &number, units[unit].ns);
		if (error != HERD_OK)
			return error;
	} while (rest.len > 0);
	*ns = sum;
	return HERD_OK;
}

/* Appends value / unit as a decimal without needless zeros, and the unit. */
static enum herd_error
add_decimal(struct buf *out, uint64_t value, const struct unit *unit)
{
	/* The 20 digits of any value, a point, decimals, and the unit. */
	char text[48];
	size_t n = put_decimal(text, value / unit->ns);
	uint64_t rest = value % unit->ns;

	if (rest > 0) {
		text[n++] = '.';
		put_padded(text + n, rest, unit->decimals);
		n += unit->decimals;
		while (text[n - 1u] == '0')
			n--;
	}
	memcpy(text + n, unit->name, strlen(unit->name));
	n += strlen(unit->name);
	return buf_add(out, text, n);
}

enum herd_error
duration_format(struct buf *out, uint64_t ns)
{
	size_t before = out->len, unit;
	enum herd_error error = HERD_OK;

	if (ns == 0)
		return buf_add_byte(out, '0');
	/* Below two days, hours read better: 24h, 36h. */
	unit = ns < 2u * units[UNIT_D].ns ? UNIT_H : UNIT_D;
	for (; unit < UNIT_S && ns > 0 && error == HERD_OK; unit++) {
		uint64_t whole = ns - ns % units[unit].ns;

		if (whole > 0)
			error = add_decimal(out, whole, &units[unit]);
		ns -= whole;
	}
	for (; unit < UNIT_NS && ns < units[unit].ns; unit++)
		;
	if (ns > 0 && error == HERD_OK)
		error = add_decimal(out, ns, &units[unit]);
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}

enum herd_error
duration_for_people(struct buf *out, uint64_t ns)
{
	const struct unit us = units[UNIT_US], ms = units[UNIT_MS],
			  s = units[UNIT_S];
	size_t unit = UNIT_D, before = out->len;
	enum herd_error error;
	uint64_t whole, rest;

	if (ns < us.ns)
		return buf_add_text(out, "0ms");
	if (ns < ms.ns / 10u)
		return add_decimal(out, ns - ns % us.ns, &us);
	/* One decimal below ten of the unit, none above. */
	if (ns < 10u * ms.ns)
		return add_decimal(out, ns - ns % (ms.ns / 10u), &ms);
	if (ns < s.ns)
		return add_decimal(out, ns - ns % ms.ns, &ms);
	if (ns < 10u * s.ns)
		return add_decimal(out, ns - ns % (s.ns / 10u), &s);
	while (ns < units[unit].ns)
		unit++;
	rest = ns % units[unit].ns;
	whole = ns - rest;
	error = add_decimal(out, whole, &units[unit]);
	if (error == HERD_OK && unit < UNIT_S && rest >= units[unit + 1u].ns) {
		error = buf_add_byte(out, ' ');
		if (error == HERD_OK)
			error =
			    add_decimal(out, rest - rest % units[unit + 1u].ns,
				&units[unit + 1u]);
	}
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}
