/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers of an upstream whose terms allow a cache. An answer is fresh for a
 * minute and serves for five more when the upstream fails; a failure is
 * remembered for five seconds. Bounded in entries and bytes: the least
 * recently used entry goes first. Any thread; reads no clock.
 */
#ifndef HERD_PLACES_CACHE_H
#define HERD_PLACES_CACHE_H

#include "herd/time.h"
#include "places/answer.h"
#include "places/places.h"

#define CACHE_ENTRIES_MAX 4096u
#define CACHE_BYTES_MAX (16u << 20)
#define CACHE_FRESH_NS (60u * HERD_NS_PER_S)
#define CACHE_STALE_NS (300u * HERD_NS_PER_S)
#define CACHE_FAILURE_NS (5u * HERD_NS_PER_S)

enum cache_finding {
	CACHE_NOTHING,
	CACHE_FRESH,   /* an answer to give: a fresh one, or a stale one when
			  the upstream failed a moment ago */
	CACHE_STALE,   /* an answer to give if the upstream fails */
	CACHE_FAILURE, /* it failed a moment ago; the text says why */
};

struct cache;

HERD_MUST_CHECK enum herd_error cache_open(struct cache **out);
void cache_close(struct cache *cache);

/*
 * Looks `question` up and appends the text, unless there is CACHE_NOTHING or
 * no memory (which is CACHE_NOTHING as well).
 */
enum cache_finding cache_find(struct cache *cache,
    const struct places_question *question, struct mono now, struct buf *text,
    struct answer_facts *facts);

/*
 * Keeps an answer, or a failure and its reason. A failure leaves an answer
 * that can still serve. Without memory nothing is kept.
 */
void cache_keep(struct cache *cache, const struct places_question *question,
    struct mono now, struct span text, const struct answer_facts *facts);

/* Drops all; how many they were. */
size_t cache_flush(struct cache *cache);

void cache_size(struct cache *cache, size_t *entries, size_t *bytes);

#endif
