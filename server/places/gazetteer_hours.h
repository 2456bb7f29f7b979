/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which places are open now: a bit for each, computed once a minute for each
 * block of places that is asked for. Hours are written alike for many places,
 * so each text is read once a minute at most.
 */
#ifndef HERD_PLACES_GAZETTEER_HOURS_H
#define HERD_PLACES_GAZETTEER_HOURS_H

#include "herd/opening_hours.h"
#include "places/gazetteer_names.h"

/* Local time where the gazetteer's places are. */
struct local_time {
	bool is_known; /* the zone is */
	unsigned weekday;
	unsigned minute;
};

/* Open at that time, as far as one can say. */
enum opening_state gazetteer_hours_state(
    struct span hours, const struct local_time *now);

/* One reader's; all is zero before gazetteer_open_now_begin(). */
struct gazetteer_open_now {
	const struct gazetteer_names *names;
	struct local_time now;
	uint64_t minute;   /* since 1970; 0 = none yet */
	uint8_t *states;   /* of each text of hours: UNREAD, or its state */
	uint64_t *bits;    /* of each place */
	uint64_t *minutes; /* of each block: when it was computed */
};

/* Begins a question at that minute; the first one makes room. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error gazetteer_open_now_begin(
    struct gazetteer_open_now *open, const struct gazetteer_names *names,
    uint64_t minute, const struct local_time *now);
void gazetteer_open_now_release(struct gazetteer_open_now *open);

bool gazetteer_open_now_has(struct gazetteer_open_now *open, size_t index);

/* GAZETTEER_BLOCK bits, valid until the next question. */
const uint64_t *gazetteer_open_now_bits(
    struct gazetteer_open_now *open, size_t block);

#endif
