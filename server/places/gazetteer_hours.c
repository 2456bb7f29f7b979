/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_hours.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_WORDS (GAZETTEER_BLOCK / 64)

enum { UNREAD, NOT_OPEN, OPEN };

enum opening_state
gazetteer_hours_state(struct span hours, const struct local_time *now)
{
	if (opening_hours_are_always(hours))
		return OPENING_OPEN;
	if (!now->is_known)
		return OPENING_UNKNOWN;
	return opening_hours_at(hours, now->weekday, now->minute);
}

enum herd_error
gazetteer_open_now_begin(struct gazetteer_open_now *open,
    const struct gazetteer_names *names, uint64_t minute,
    const struct local_time *now)
{
	size_t blocks = names->rows / GAZETTEER_BLOCK + 1;

	if (open->minutes == NULL) {
		open->states = calloc(names->hours_count, 1);
		open->bits = calloc(blocks * BLOCK_WORDS, sizeof(*open->bits));
		open->minutes = calloc(blocks, sizeof(*open->minutes));
	}
	if (open->states == NULL || open->bits == NULL ||
	    open->minutes == NULL) {
		gazetteer_open_now_release(open);
		return HERD_ENOMEM;
	}
	if (open->minute != minute)
		memset(open->states, UNREAD, names->hours_count);
	open->names = names;
	open->minute = minute;
	open->now = *now;
	return HERD_OK;
}

void
gazetteer_open_now_release(struct gazetteer_open_now *open)
{
	free(open->states);
	free(open->bits);
	free(open->minutes);
	memset(open, 0, sizeof(*open));
}

bool
gazetteer_open_now_has(struct gazetteer_open_now *open, size_t index)
{
	uint32_t hours = open->names->hours[index];
	uint8_t *state = &open->states[hours];

	if (*state == UNREAD)
		*state = gazetteer_hours_state(
			     gazetteer_names_hours(open->names, hours),
			     &open->now) == OPENING_OPEN
			     ? OPEN
			     : NOT_OPEN;
	return *state == OPEN;
}

const uint64_t *
gazetteer_open_now_bits(struct gazetteer_open_now *open, size_t block)
{
	uint64_t *bits = open->bits + block * BLOCK_WORDS;
	size_t low = block * GAZETTEER_BLOCK;
	size_t left = open->names->rows - low;

	if (open->minutes[block] == open->minute)
		return bits;
	open->minutes[block] = open->minute;
	memset(bits, 0, BLOCK_WORDS * sizeof(*bits));
	for (size_t i = 0; i < left && i < GAZETTEER_BLOCK; i++)
		bits[i / 64] |= (uint64_t)gazetteer_open_now_has(open, low + i)
				<< i % 64;
	return bits;
}
