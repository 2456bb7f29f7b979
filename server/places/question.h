/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When two questions are the same one: all their fields are. The cache and
 * the sharing of calls in flight go by this.
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
