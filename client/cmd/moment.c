/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/moment.h"

#include <string.h>

#include "herd/text.h"

#define SECONDS_A_DAY 86400u

/* Takes exactly `digits` digits off the text. */
static bool
take_number(struct span *text, size_t digits, uint64_t *out)
{
	if (text->len < digits || text_to_u64(span_of(text->data, digits), 0,
				      UINT64_MAX, out) != HERD_OK)
		return false;
	*text = span_of(text->data + digits, text->len - digits);
	return true;
}

static bool
take_byte(struct span *text, const char *among)
{
	if (text->len == 0 || strchr(among, text->data[0]) == NULL)
		return false;
	*text = span_of(text->data + 1, text->len - 1);
	return true;
}

/* Days from 1970-01-01 to a date after it; false if there is no such date. */
static bool
days_of(uint64_t year, uint64_t month, uint64_t day, uint64_t *out)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	uint64_t before = year - 1;

	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && leap ? 1u : 0u))
		return false;
	*out = year * 365 + before / 4 - before / 100 + before / 400 - 719527;
	for (uint64_t i = 1; i < month; i++)
		*out += lengths[i - 1] + (i == 2 && leap ? 1u : 0u);
	*out += day - 1;
	return true;
}

static bool
take_date(struct span *text, uint64_t *days)
{
	uint64_t year, month, day;

	return take_number(text, 4, &year) && take_byte(text, "-") &&
	       take_number(text, 2, &month) && take_byte(text, "-") &&
	       take_number(text, 2, &day) && days_of(year, month, day, days);
}

/* Hours, minutes; seconds and their fraction if they are there. */
static bool
take_clock(struct span *text, uint64_t *ns)
{
	uint64_t hour, minute, second = 0, fraction = 0, unit = HERD_NS_PER_S;

	if (!take_number(text, 2, &hour) || !take_byte(text, ":") ||
	    !take_number(text, 2, &minute))
		return false;
	if (take_byte(text, ":") && !take_number(text, 2, &second))
		return false;
	if (take_byte(text, ".")) {
		while (text->len > 0 && text_is_digit(text->data[0])) {
			unit /= 10;
			fraction += unit * (uint64_t)(text->data[0] - '0');
			*text = span_of(text->data + 1, text->len - 1);
		}
	}
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*ns = (hour * 3600 + minute * 60 + second) * HERD_NS_PER_S + fraction;
	return true;
}

/* Z, or the difference to UTC in seconds. */
static bool
take_zone(struct span *text, int64_t *seconds)
{
	int64_t sign = text->len > 0 && text->data[0] == '-' ? -1 : 1;
	uint64_t hour, minute;

	*seconds = 0;
	if (take_byte(text, "Zz"))
		return true;
	if (!take_byte(text, "+-") || !take_number(text, 2, &hour))
		return false;
	(void)take_byte(text, ":");
	if (!take_number(text, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*seconds = sign * (int64_t)(hour * 3600 + minute * 60);
	return true;
}

/* ISO 8601. HERD_ESYNTAX. */
static enum herd_error
from_iso(struct span text, uint64_t *ns)
{
	uint64_t days, of_day;
	int64_t zone, seconds;

	if (!take_date(&text, &days) || !take_byte(&text, "Tt ") ||
	    !take_clock(&text, &of_day) || !take_zone(&text, &zone) ||
	    text.len > 0)
		return HERD_ESYNTAX;
	seconds = (int64_t)(days * SECONDS_A_DAY) - zone;
	if (days > HERD_TIME_MAX_S / SECONDS_A_DAY || seconds < 0)
		return HERD_ESYNTAX;
	*ns = (uint64_t)seconds * HERD_NS_PER_S + of_day;
	return HERD_OK;
}

enum status
moment_typed(struct run *run, const char *typed, uint64_t *ns)
{
	struct span text = span_from(typed);
	uint64_t now = now_wall().ns;
	uint64_t ago;

	if (strcmp(typed, "now") == 0) {
		*ns = now;
		return STATUS_OK;
	}
	if (time_parse(text, ns) == HERD_OK || from_iso(text, ns) == HERD_OK)
		return STATUS_OK;
	if (duration_parse(text, &ago) == HERD_OK) {
		*ns = now > ago ? now - ago : 0;
		return STATUS_OK;
	}
	return run_fail(run, STATUS_USAGE,
	    "`%s' is no time: write now, 10m (ago), 2026-11-28T10:00:00Z or "
	    "seconds since 1970",
	    typed);
}
