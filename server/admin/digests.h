/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests of the whole table for the admin API. Whoever compares nodes asks
 * for the root first and descends with the same key: a question for the root
 * hashes the table anew, one for what is below it is answered from the same
 * hashes while they are kept.
 */
#ifndef HERD_ADMIN_DIGESTS_H
#define HERD_ADMIN_DIGESTS_H

#include "core/digest.h"
#include "herd/time.h"

#define DIGESTS_KEPT 2u /* 2 MiB each */
#define DIGESTS_KEEP_S 30u

struct event_base;
struct digests;

HERD_MUST_CHECK enum herd_error digests_open(
    struct event_base *base, struct digests **out);
void digests_close(struct digests *digests); /* NULL is fine */

/* The kept digest of that key, borrowed; NULL if there is none. */
const struct digest *digests_find(
    const struct digests *digests, const struct siphash_key *key);

/* Takes a finished digest; an older one may go for it. */
void digests_keep(struct digests *digests, struct digest *digest);

#endif
