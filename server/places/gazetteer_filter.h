/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which places of the gazetteer fit a question's filter, at what time. */
#ifndef HERD_PLACES_GAZETTEER_FILTER_H
#define HERD_PLACES_GAZETTEER_FILTER_H

#include "herd/kd_tree.h"
#include "herd/opening_hours.h"
#include "herd/time.h"
#include "places/gazetteer_names.h"
#include "places/places.h"

/* Local time where the gazetteer's places are. */
struct local_time {
	bool is_known; /* the zone is */
	unsigned weekday;
	unsigned minute;
};

struct local_time gazetteer_filter_time(
    const struct gazetteer *gazetteer, struct wall now);

/* Open at that time, as far as one can say. */
enum opening_state gazetteer_filter_state(
    struct span hours, const struct local_time *now);

#define FILTER_TOKENS_MAX (PLACES_KEYWORD_MAX + 2u)

struct gazetteer_filter {
	const struct gazetteer *gazetteer;
	const struct gazetteer_names *names;
	const struct places_filter *wanted;
	struct local_time now;
	struct kd_filter kd; /* for a search */
	uint32_t tokens[FILTER_TOKENS_MAX];
	size_t token_count;
	uint64_t lists[GAZETTEER_LISTS_MAX / 64]; /* bit l: has the type */
};

/* Borrows all of it. */
void gazetteer_filter_init(struct gazetteer_filter *filter,
    const struct gazetteer *gazetteer, const struct gazetteer_names *names,
    const struct places_filter *wanted, struct wall now);

#endif
