/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The places that may be meant by a question: those that are in all of some
 * sets (gazetteer_sets.h), and open if that is asked. They are computed for one
 * block of the map after the other, when a search comes there: a filter that
 * many places near by have costs one or two blocks, one that nobody has costs
 * all blocks within the radius, and no more. A place that is in all sets may
 * still not fit; when many do not, those of a block are looked at one after
 * the other, which costs less than finding each of them on the map.
 */
#ifndef HERD_PLACES_GAZETTEER_MATCHES_H
#define HERD_PLACES_GAZETTEER_MATCHES_H

#include "places/gazetteer_hours.h"
#include "places/gazetteer_sets.h"

/* A type, and so many grams of a keyword as tell enough. */
#define MATCHES_SETS_MAX 12u

/* One reader's; all is zero before gazetteer_matches_begin(). */
struct gazetteer_matches {
	const struct gazetteer_sets *sets;
	struct gazetteer_open_now *open_now; /* NULL: it does not matter */
	const uint64_t *among; /* a bit for each place; NULL: all of them */
	bool (*fits)(void *arg, size_t index);
	void *arg;
	uint32_t wanted[MATCHES_SETS_MAX];
	size_t wanted_count;
	unsigned fit;    /* places that were looked at, and do ... */
	unsigned unfit;  /* ... or do not */
	uint64_t *bits;  /* of each place */
	uint64_t *words; /* of each word of `bits': is it not 0? */
	/* Of each block: the question it was computed for, + 1: all fit. */
	uint32_t *questions;
	uint32_t question; /* even */
	size_t block_count;
};

/*
 * Begins a question about `rows' places; the first one makes room. `fits', with
 * `arg', tells of a place that is in all sets. HERD_ENOMEM. The caller adds
 * sets then; without any, all places may be meant.
 */
HERD_MUST_CHECK enum herd_error gazetteer_matches_begin(
    struct gazetteer_matches *matches, const struct gazetteer_sets *sets,
    size_t rows, struct gazetteer_open_now *open_now,
    bool (*fits)(void *arg, size_t index), void *arg);
void gazetteer_matches_release(struct gazetteer_matches *matches);

/* The same question about those places alone; borrows it. NULL: about all. */
void gazetteer_matches_among(
    struct gazetteer_matches *matches, const uint64_t *among);

/* More than MATCHES_SETS_MAX are passed over. */
void gazetteer_matches_add(struct gazetteer_matches *matches, uint32_t set);

/* The first two are the search's questions (kd_tree.h). */
bool gazetteer_matches_has(struct gazetteer_matches *matches, size_t index);
bool gazetteer_matches_has_any(
    struct gazetteer_matches *matches, size_t low, size_t high);

#endif
