/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which places of the gazetteer fit a question's filter, at what time. */
#ifndef HERD_PLACES_GAZETTEER_FILTER_H
#define HERD_PLACES_GAZETTEER_FILTER_H

#include "herd/kd_tree.h"
#include "herd/time.h"
#include "places/gazetteer_matches.h"
#include "places/places.h"

struct local_time gazetteer_filter_time(
    const struct gazetteer *gazetteer, struct wall now);

/* Which places are looked for, by their people. */
enum filter_people { PEOPLE_ANY, PEOPLE_SOME, PEOPLE_NONE };

/* One reader's, for its questions; all is zero before the first one. */
struct gazetteer_filter {
	const struct gazetteer *gazetteer;
	const struct gazetteer_names *names;
	const struct places_filter *wanted;
	enum filter_people people;
	struct kd_filter kd; /* for a search */
	struct gazetteer_matches matches;
	struct gazetteer_open_now open;
	bool has_lists; /* some place has the type, or any may have */
	uint64_t lists[GAZETTEER_LISTS_MAX / 64]; /* bit l: has the type */
};

/*
 * For a question that is asked at that minute since 1970, which is `now' where
 * the places are. Borrows all of it. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error gazetteer_filter_begin(
    struct gazetteer_filter *filter, const struct gazetteer *gazetteer,
    const struct gazetteer_names *names, const struct places_filter *wanted,
    uint64_t minute, const struct local_time *now);
/* The same question about these alone; it begins with PEOPLE_ANY. */
void gazetteer_filter_choose(
    struct gazetteer_filter *filter, enum filter_people people);
void gazetteer_filter_release(struct gazetteer_filter *filter);

#endif
