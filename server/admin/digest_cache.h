/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests of the whole table for the admin API. A program that compares nodes
 * asks for the root first and descends with the same key. A request for the
 * root hashes the table again; requests below it are answered from the same
 * hashes as long as they are kept.
 */
#ifndef HERD_DIGEST_CACHE_H
#define HERD_DIGEST_CACHE_H

#include "core/digest.h"
#include "herd/time.h"

#define DIGEST_CACHE_KEPT 2u /* 2 MiB each */
#define DIGEST_CACHE_KEEP_S 30u

struct event_base;
struct digest_cache;

HERD_MUST_CHECK enum herd_error digest_cache_open(
    struct event_base *base, struct digest_cache **out);
void digest_cache_close(struct digest_cache *digests); /* NULL is fine */

/* The kept digest of that key, borrowed; NULL if there is none. */
const struct digest *digest_cache_find(
    const struct digest_cache *digests, const struct siphash_key *key);

/* Takes a finished digest, and frees the oldest if the cache is full. */
void digest_cache_keep(struct digest_cache *digests, struct digest *digest);

#endif
