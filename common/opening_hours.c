/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/opening_hours.h"

#include "herd/text.h"

#define DAYS 7u
#define DAY_MINUTES 1440u
#define SPANS_MAX 8u
#define ALL_DAYS 0x7Fu

/* Minutes of a day; `to` may be on the next one. */
struct hours {
	unsigned from;
	unsigned to;
};

/* A rule: on these days these times; none: closed. */
struct rule {
	unsigned days; /* bit d */
	struct hours times[SPANS_MAX];
	unsigned count;
	bool of_holidays; /* and "off": when that is, nobody here knows */
};

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && text_is_space(*rest->data))
		*rest = span_of(rest->data + 1, rest->len - 1);
}

static bool
take_word(struct span *rest, const char *word)
{
	if (!span_begins(*rest, span_from(word)))
		return false;
	*rest = span_of(rest->data + strlen(word), rest->len - strlen(word));
	return true;
}

/* "Mo" to "Su" */
static bool
take_day(struct span *rest, unsigned *day)
{
	static const char *const names[DAYS] = { "Mo", "Tu", "We", "Th", "Fr",
		"Sa", "Su" };

	for (*day = 0; *day < DAYS; ++*day) {
		if (take_word(rest, names[*day]))
			return true;
	}
	return false;
}

/* "Mo-Fr,Su"; a range may go over the week's end. False: another thing. */
static bool
take_days(struct span *rest, struct rule *rule)
{
	unsigned day;
	unsigned last;

	do {
		if (take_word(rest, "PH") || take_word(rest, "SH")) {
			rule->of_holidays = true;
			continue;
		}
		if (!take_day(rest, &day))
			return false;
		last = day;
		if (take_word(rest, "-") && !take_day(rest, &last))
			return false;
		for (; day != last; day = (day + 1) % DAYS)
			rule->days |= 1u << day;
		rule->days |= 1u << last;
	} while (take_word(rest, ","));
	return true;
}

/* "8:30", "08:30", up to "48:00" */
static bool
take_minute(struct span *rest, unsigned *out)
{
	unsigned values[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++) {
		unsigned digits = 0;

		while (
		    rest->len > 0 && text_is_digit(*rest->data) && digits < 2) {
			values[i] =
			    values[i] * 10 + (unsigned)(*rest->data - '0');
			*rest = span_of(rest->data + 1, rest->len - 1);
			digits++;
		}
		if (digits == 0 || (i == 0 && !take_word(rest, ":")))
			return false;
	}
	*out = values[0] * 60 + values[1];
	return values[1] < 60 && *out <= 2 * DAY_MINUTES;
}

static bool
take_times(struct span *rest, struct rule *rule)
{
	do {
		struct hours *hours = &rule->times[rule->count];

		skip_blanks(rest);
		if (rule->count++ == SPANS_MAX ||
		    !take_minute(rest, &hours->from) || !take_word(rest, "-") ||
		    !take_minute(rest, &hours->to) ||
		    hours->from >= DAY_MINUTES)
			return false;
		if (hours->to <= hours->from)
			hours->to += DAY_MINUTES;
	} while (take_word(rest, ","));
	return true;
}

static bool
parse_rule(struct span text, struct rule *rule)
{
	*rule = (struct rule){ 0 };
	text = text_trim(text);
	if (span_is(text, "24/7")) {
		rule->days = ALL_DAYS;
		rule->times[rule->count++] = (struct hours){ 0, DAY_MINUTES };
		return true;
	}
	if (text.len == 0)
		return false;
	if (text_is_digit(*text.data))
		rule->days = ALL_DAYS;
	else if (!take_days(&text, rule))
		return false;
	skip_blanks(&text);
	if (span_is(text, "off") || span_is(text, "closed"))
		return true;
	/* The hours of a holiday are those of a day that nobody here knows. */
	if (rule->of_holidays && rule->days == 0)
		return false;
	return take_times(&text, rule) && text.len == 0;
}

static bool
covers(const struct rule *rule, unsigned minute)
{
	for (unsigned i = 0; i < rule->count; i++) {
		if (minute >= rule->times[i].from && minute < rule->times[i].to)
			return true;
	}
	return false;
}

/*
 * The last rule for a day counts, alone. False: the text goes beyond a week.
 * *holidays: on some days another rule would count.
 */
static bool
is_covered(struct span text, unsigned weekday, unsigned minute, bool *open,
    bool *holidays)
{
	struct rule rule;

	*open = false;
	while (text_trim(text).len > 0) {
		if (!parse_rule(span_cut(&text, ';'), &rule))
			return false;
		*holidays = *holidays || rule.of_holidays;
		if ((rule.days >> weekday & 1u) != 0)
			*open = covers(&rule, minute);
	}
	return true;
}

bool
opening_hours_are_always(struct span text)
{
	return span_is(text_trim(text), "24/7");
}

enum opening_state
opening_hours_at(struct span text, unsigned weekday, unsigned minute)
{
	bool holidays = false;
	bool today;
	bool yesterday;

	if (text_trim(text).len == 0 ||
	    !is_covered(text, weekday, minute, &today, &holidays) ||
	    !is_covered(text, (weekday + DAYS - 1) % DAYS, minute + DAY_MINUTES,
		&yesterday, &holidays))
		return OPENING_UNKNOWN;
	if (!today && !yesterday)
		return OPENING_CLOSED;
	return holidays ? OPENING_UNKNOWN : OPENING_OPEN;
}
