/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/digest_cache.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/tick.h"

struct kept {
	struct digest *digest; /* NULL: free */
	struct mono at;
};

struct digest_cache {
	struct tick tick;
	struct kept kept[DIGEST_CACHE_KEPT];
};

static void
drop(struct kept *kept)
{
	digest_free(kept->digest);
	kept->digest = NULL;
}

static void
on_tick(void *arg)
{
	struct digest_cache *digests = arg;
	bool keeps = false;

	for (unsigned i = 0; i < DIGEST_CACHE_KEPT; i++) {
		struct kept *kept = &digests->kept[i];

		if (kept->digest != NULL &&
		    mono_since(clock_mono(), kept->at) >=
			DIGEST_CACHE_KEEP_S * HERD_NS_PER_S)
			drop(kept);
		keeps = keeps || kept->digest != NULL;
	}
	if (keeps)
		tick_in(&digests->tick, DIGEST_CACHE_KEEP_S * HERD_NS_PER_S);
}

enum herd_error
digest_cache_open(struct event_base *base, struct digest_cache **out)
{
	struct digest_cache *digests = calloc(1, sizeof(*digests));

	if (digests == NULL)
		return HERD_ENOMEM;
	if (tick_open(&digests->tick, base, -1, "digest-cache", on_tick,
		digests) != HERD_OK) {
		digest_cache_close(digests);
		return HERD_ENOMEM;
	}
	*out = digests;
	return HERD_OK;
}

void
digest_cache_close(struct digest_cache *digests)
{
	if (digests == NULL)
		return;
	tick_close(&digests->tick);
	for (unsigned i = 0; i < DIGEST_CACHE_KEPT; i++)
		drop(&digests->kept[i]);
	free(digests);
}

const struct digest *
digest_cache_find(
    const struct digest_cache *digests, const struct siphash_key *key)
{
	for (unsigned i = 0; i < DIGEST_CACHE_KEPT; i++) {
		const struct digest *digest = digests->kept[i].digest;

		if (digest != NULL && digest->key.k0 == key->k0 &&
		    digest->key.k1 == key->k1)
			return digest;
	}
	return NULL;
}

void
digest_cache_keep(struct digest_cache *digests, struct digest *digest)
{
	struct kept *place = &digests->kept[0];

	for (unsigned i = 0; i < DIGEST_CACHE_KEPT; i++) {
		struct kept *kept = &digests->kept[i];

		if (kept->digest != NULL &&
		    kept->digest->key.k0 == digest->key.k0 &&
		    kept->digest->key.k1 == digest->key.k1) {
			place = kept;
			break;
		}
		if (place->digest != NULL &&
		    (kept->digest == NULL || kept->at.ns < place->at.ns))
			place = kept;
	}
	drop(place);
	place->digest = digest;
	place->at = clock_mono();
	tick_soon(&digests->tick, DIGEST_CACHE_KEEP_S * HERD_NS_PER_S);
}
