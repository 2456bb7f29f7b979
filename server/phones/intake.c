/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/intake.h"

#include <stdlib.h>

#include "herd/location.h"
#include "herd/text.h"

/* Seconds reach this in the year 5138, milliseconds did in 1973. */
#define MILLISECONDS_FROM_DIGITS 12u
#define ISO_MAX 40u
#define ISO_DATE_LEN 10u

const char *
intake_fault_word(enum intake_fault fault)
{
	static const char *const words[] = {
#define HERD_INTAKE_FAULT_WORD(id, word) [id] = word,
		INTAKE_FAULTS(HERD_INTAKE_FAULT_WORD)
#undef HERD_INTAKE_FAULT_WORD
	};

	return words[fault];
}

void
intake_init(struct intake *intake, struct wall now)
{
	*intake = (struct intake){ .now = now, .room = 1 };
	intake->fixes = &intake->one;
}

void
intake_release(struct intake *intake)
{
	if (intake->fixes != &intake->one)
		free(intake->fixes);
	explicit_bzero(intake->claim, sizeof(intake->claim));
	intake->fixes = &intake->one;
	intake->count = 0;
	intake->room = 1;
}

void
intake_fault(struct intake *intake, enum intake_fault fault)
{
	intake->faults[fault]++;
}

/* --- what a fix is made of ------------------------------------------------ */

static bool
add_coordinate(struct fix *fix, struct span number)
{
	char *at = fix->location + fix->location_len;
	char digits[DECIMAL_MAX];
	size_t len = decimal_write(text_trim(number), 0, digits);

	if (len == 0)
		return false;
	if (digits[0] != '-') {
		*at++ = '+';
		fix->location_len++;
	}
	memcpy(at, digits, len);
	fix->location_len = (uint8_t)(fix->location_len + len);
	return true;
}

static bool
set_location(struct fix *fix, const struct fix_source *source)
{
	struct location location;

	fix->location_len = 0;
	return add_coordinate(fix, source->lat) &&
	       add_coordinate(fix, source->lon) &&
	       location_parse(span_of(fix->location, fix->location_len),
		   &location) == HERD_OK;
}

static bool
set_time(struct fix *fix, struct span text)
{
	if (text.len == 0 || text.len > sizeof(fix->time) ||
	    time_parse(text, &fix->time_ns) != HERD_OK)
		return false;
	memcpy(fix->time, text.data, text.len);
	fix->time_len = (uint8_t)text.len;
	return true;
}

/* Digits before the point. */
static size_t
whole_digits(struct span number)
{
	return span_cut(&number, '.').len;
}

static bool
set_number_time(struct fix *fix, struct span text)
{
	char digits[DECIMAL_MAX];
	size_t len = decimal_write(text, 0, digits);

	if (len > 0 &&
	    whole_digits(span_of(digits, len)) >= MILLISECONDS_FROM_DIGITS)
		len = decimal_write(text, -3, digits);
	return set_time(fix, span_of(digits, len));
}

/* Seconds and milliseconds. */
static bool
set_wall_time(struct fix *fix, uint64_t ns)
{
	char text[TIME_FORMAT_MAX];
	size_t len = time_format(ns - ns % HERD_NS_PER_MS, text);

	return set_time(fix, span_of(text, len - 6));
}

/*
 * Without a zone it is UTC. A plus that a query did not encode has become a
 * space.
 */
static bool
set_iso_time(struct fix *fix, struct span text)
{
	char iso[ISO_MAX + 1];
	uint64_t ns;
	size_t len = text.len;

	if (len <= ISO_DATE_LEN || len > ISO_MAX)
		return false;
	memcpy(iso, text.data, len);
	for (size_t i = ISO_DATE_LEN + 1; i < len; i++)
		iso[i] = iso[i] == ' ' ? '+' : iso[i];
	if (time_from_iso(span_of(iso, len), &ns) != HERD_OK) {
		iso[len++] = 'Z';
		if (time_from_iso(span_of(iso, len), &ns) != HERD_OK)
			return false;
	}
	return set_wall_time(fix, ns);
}

static bool
set_any_time(
    struct intake *intake, struct fix *fix, const struct fix_source *source)
{
	struct span text = text_trim(source->time);

	if (text.len == 0)
		return source->or_now && set_wall_time(fix, intake->now.ns);
	return set_number_time(fix, text) || set_iso_time(fix, text);
}

/* --- fixes -----------------------------------------------------------------
 */

/* Room for one more; NULL: there is none. */
static struct fix *
next_fix(struct intake *intake)
{
	size_t room = intake->room * 8;
	struct fix *fixes;

	if (intake->count < intake->room)
		return &intake->fixes[intake->count];
	fixes = malloc(room * sizeof(*fixes));
	if (fixes == NULL) {
		intake->out_of_memory = true;
		return NULL;
	}
	memcpy(fixes, intake->fixes, intake->count * sizeof(*fixes));
	if (intake->fixes != &intake->one)
		free(intake->fixes);
	intake->fixes = fixes;
	intake->room = room;
	return &intake->fixes[intake->count];
}

void
intake_add(struct intake *intake, const struct fix_source *source)
{
	struct fix *fix;

	if (intake->count == INTAKE_FIXES_MAX) {
		intake_fault(intake, INTAKE_NUMBER);
		return;
	}
	fix = next_fix(intake);
	if (fix == NULL)
		return;
	if (!set_location(fix, source))
		intake_fault(intake, INTAKE_LOCATION);
	else if (!set_any_time(intake, fix, source))
		intake_fault(intake, INTAKE_TIME);
	else
		intake->count++;
}

/* --- ids and JSON ----------------------------------------------------------
 */

void
intake_claim(struct intake *intake, struct span id)
{
	id = text_trim(id);
	if (intake->claim_len > 0 || id.len == 0 || id.len > INTAKE_CLAIM_MAX)
		return;
	memcpy(intake->claim, id.data, id.len);
	intake->claim_len = id.len;
}

void
intake_claim_json(struct intake *intake, const struct json_item *id)
{
	struct buf text;

	if (id->kind == JSON_NUMBER)
		intake_claim(intake, id->text);
	if (id->kind != JSON_STRING || intake->claim_len > 0)
		return;
	buf_init(&text, INTAKE_CLAIM_MAX);
	if (json_members_text(id, &text) == HERD_OK)
		intake_claim(intake, buf_span(&text));
	buf_release(&text);
}

struct span
intake_value(const struct json_item *item)
{
	return item->kind == JSON_STRING || item->kind == JSON_NUMBER
		   ? item->text
		   : span_from("");
}

bool
intake_json(struct span body, struct json_item *out)
{
	if (span_begins(body, span_from("\xef\xbb\xbf")))
		body = span_of(body.data + 3, body.len - 3);
	return json_value(body, out);
}
