/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which places have three bytes in their name: lists of places for the trigrams
 * that are rare, so that a keyword that few places have costs no walk over
 * those that lack it. A keyword whose trigrams are all common is found near by.
 * A name ends in two NULs here, so that short keywords are prefixes of
 * trigrams.
 */
#ifndef HERD_PLACES_GAZETTEER_GRAMS_H
#define HERD_PLACES_GAZETTEER_GRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "herd/span.h"

/* Trigrams that more places have get no list. */
#define GAZETTEER_GRAM_MAX 16384u

struct gazetteer_grams;

/* `name` gives the folded name of a place. Gives *out. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error gazetteer_grams_make(size_t rows,
    struct span (*name)(const void *arg, size_t index), const void *arg,
    struct gazetteer_grams **out);
void gazetteer_grams_free(struct gazetteer_grams *grams); /* NULL is fine */

struct gazetteer_candidates {
	size_t count;
	uint32_t places[GAZETTEER_GRAM_MAX]; /* ascending */
};

/*
 * The places that may have the keyword, which is not empty, in their name. All
 * others lack it. False: they are too many to be listed.
 */
bool gazetteer_grams_find(const struct gazetteer_grams *grams,
    struct span keyword, struct gazetteer_candidates *out);

#endif
