/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/time_zone.h"

#include <limits.h>
#include <stdio.h>

#include "herd/file.h"
#include "herd/text.h"

#define HEADER 44u
#define COUNTS_AT 20u
#define TYPE_BYTES 6u

/* A part of the file, and the counts of its header. */
struct zone_part {
	struct span data; /* after the header */
	size_t isut, isstd, leap, times, types, chars;
	size_t time_bytes;
};

static int64_t
read_number(const char *at, size_t len)
{
	uint64_t value = (*at & 0x80) != 0 ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | (unsigned char)at[i];
	return (int64_t)value;
}

static size_t
length_of(const struct zone_part *part)
{
	return part->times * (part->time_bytes + 1) + part->types * TYPE_BYTES +
	       part->chars + part->leap * (part->time_bytes + 4) + part->isstd +
	       part->isut;
}

/* The part whose header `text` begins with. */
static bool
read_part(struct span text, size_t time_bytes, struct zone_part *out)
{
	size_t counts[6];

	if (text.len < HEADER || memcmp(text.data, "TZif", 4) != 0 ||
	    text.data[4] < '2')
		return false;
	for (size_t i = 0; i < HERD_ARRAY_LEN(counts); i++) {
		int64_t n = read_number(text.data + COUNTS_AT + 4 * i, 4);

		if (n < 0 || n > (int64_t)TIME_ZONE_MAX)
			return false;
		counts[i] = (size_t)n;
	}
	*out = (struct zone_part){
		.data = span_of(text.data + HEADER, text.len - HEADER),
		.isut = counts[0],
		.isstd = counts[1],
		.leap = counts[2],
		.times = counts[3],
		.types = counts[4],
		.chars = counts[5],
		.time_bytes = time_bytes,
	};
	return out->types > 0 && length_of(out) <= out->data.len;
}

/* The second part has times of 64 bits; the first is for old programs. */
static bool
find_part(struct span zone, struct zone_part *out)
{
	struct zone_part first;
	size_t skip;

	if (!read_part(zone, 4, &first))
		return false;
	skip = HEADER + length_of(&first);
	return read_part(span_of(zone.data + skip, zone.len - skip), 8, out);
}

static bool
name_is_good(const char *name)
{
	for (const char *c = name; *c != '\0'; c++) {
		if ((*c < 'a' || *c > 'z') && (*c < 'A' || *c > 'Z') &&
		    !text_is_digit(*c) && strchr("_+-/", *c) == NULL)
			return false;
	}
	return *name != '\0' && *name != '/';
}

enum herd_error
time_zone_read(const char *name, struct buf *out)
{
	char path[PATH_MAX];
	struct zone_part part;
	int len = snprintf(path, sizeof(path), TIME_ZONE_FOLDER "/%s", name);

	if (!name_is_good(name) || len < 0 || (size_t)len >= sizeof(path) ||
	    file_read(path, TIME_ZONE_MAX, out) != HERD_OK)
		return HERD_ENOTFOUND;
	return find_part(buf_span(out), &part) ? HERD_OK : HERD_ESYNTAX;
}

/* How many changes were before or at that time. */
static size_t
count_changes(const struct zone_part *part, int64_t seconds)
{
	size_t low = 0;
	size_t high = part->times;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (read_number(part->data.data + 8 * middle, 8) <= seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
time_zone_offset(struct span zone, int64_t seconds, int32_t *out)
{
	struct zone_part part;
	struct span rule;
	size_t changes;
	size_t type = 0;
	const char *types;

	if (!find_part(zone, &part))
		return false;
	changes = count_changes(&part, seconds);
	rule = span_of(part.data.data + length_of(&part),
	    part.data.len - length_of(&part));
	/* "CET-1CEST,M3.5.0,M10.5.0/3": a comma is before the next changes. */
	if (changes == part.times && span_find(rule, ',') != NULL)
		return false;
	if (changes > 0)
		type =
		    (unsigned char)part.data.data[8 * part.times + changes - 1];
	if (type >= part.types)
		return false;
	types = part.data.data + 9 * part.times;
	*out = (int32_t)read_number(types + TYPE_BYTES * type, 4);
	return true;
}
