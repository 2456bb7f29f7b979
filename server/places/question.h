/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two questions are the same if all their fields are. The cache and shared
 * lookups go by this.
 */
#ifndef HERD_PLACES_QUESTION_H
#define HERD_PLACES_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "places/places.h"

bool question_equal(
    const struct places_question *a, const struct places_question *b);

/*
 * Sets the filter of words as people write them; each may be empty: a type
 * ("cafe"), a part of the name in any case and with or without accents, a rank
 * ("distance", "prominence"). NULL, or what is wrong.
 */
const char *question_set_filter(struct places_question *question,
    struct span type, struct span keyword, bool open_now, struct span rank);

/* The parameters of a filter in a request; Google's names of the last two are
 * opennow and rankby. */
#define QUESTION_FILTER_PARAMETERS "type keyword open_now rank"

/*
 * Looks a parameter up. HERD_ENOTFOUND: there is none, HERD_ELIMIT: it is too
 * long. *value is valid until all are read.
 */
typedef enum herd_error question_find(
    void *arg, const char *name, struct span *value);

/* Sets the filter of a request's parameters. NULL, or what is wrong. */
const char *question_read_filter(
    struct places_question *question, question_find *find, void *arg);

/* Does it ask for some places only? The rank does not count. */
bool question_is_filtered(const struct places_question *question);

/* Does a place of these types and that name fit the filter's type and keyword?
 */
bool question_fits(const struct places_question *question,
    const struct span *types, size_t count, struct span name);

/* Equal questions have equal hashes; all bits are good. */
uint64_t question_hash(const struct places_question *question);

#endif
