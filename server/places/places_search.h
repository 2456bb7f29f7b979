/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question of a thread that may block. */
#ifndef HERD_PLACES_SEARCH_H
#define HERD_PLACES_SEARCH_H

#include "places/places.h"

/*
 * Asks as places_ask() does, appends the answer to `out', and waits for it, at
 * most for PLACES_DEADLINE_MS. Any number of threads may do so.
 */
HERD_MUST_CHECK enum herd_error places_search(struct places *places,
    const struct places_question *question, struct buf *out);

#endif
