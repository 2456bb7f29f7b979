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

/* Equal questions have equal hashes; all bits are good. */
uint64_t question_hash(const struct places_question *question);

#endif
