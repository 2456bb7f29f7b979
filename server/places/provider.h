/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One provider on the network as this node runs it: its configuration, its
 * guards (breaker, rate, limits), its cache, and what it has done. The Places
 * thread owns it; any thread may read the counters and `last_error`.
 */
#ifndef HERD_PLACES_PROVIDER_H
#define HERD_PLACES_PROVIDER_H

#include <pthread.h>
#include <sys/queue.h>

#include "base/rate.h"
#include "places/breaker.h"
#include "places/cache.h"
#include "places/places_internal.h"
#include "places/upstream.h"

/* What is counted of a provider: name in JSON, help of the metric. */
#define PROVIDER_COUNTS(X)                                             \
	X(CALLS, "calls", "Calls made to the upstream.")               \
	X(RETRIES, "retries", "Calls that were made a second time.")   \
	X(SHARED, "shared", "Questions that joined a call in flight.") \
	X(CACHED, "cached", "Questions answered from the cache.")      \
	X(STALE, "stale", "Failures covered by an older answer.")      \
	X(REFUSED_BREAKER, "refused_breaker",                          \
	    "Questions not asked because the breaker was open.")       \
	X(REFUSED_RATE, "refused_rate",                                \
	    "Questions not asked because of places.rate.")             \
	X(REFUSED_QUEUE, "refused_queue",                              \
	    "Questions not asked because too many were waiting.")      \
	X(LEFT_OUT, "left_out",                                        \
	    "Places without location or name, left out of answers.")

enum provider_count {
#define PROVIDER_COUNT_CODE(code, name, help) PROVIDER_##code,
	PROVIDER_COUNTS(PROVIDER_COUNT_CODE)
#undef PROVIDER_COUNT_CODE
	    PROVIDER_COUNT_MAX
};

struct places_lookup;

struct provider {
	/* constant once open */
	enum places_kind kind;
	const struct upstream *upstream;
	struct upstream_config config;
	char *base_url;
	char *icon_base;
	struct api_key key;
	struct cache *cache; /* NULL: its answers are not kept */
	uint64_t max_per_s;  /* requests; 0 = no limit */
	uint64_t max_active;
	uint64_t max_waiting;
	/* the Places thread's */
	struct breaker breaker;
	struct rate rate;
	TAILQ_HEAD(lookup_line, places_lookup) waiting;
	/* written by the Places thread, read by any */
	struct places_stats stats;
	_Atomic uint64_t active;
	_Atomic uint64_t waiting_count;
	_Atomic unsigned breaker_state;
	_Atomic bool failing; /* its last answer was a failure */
	/* any thread */
	_Atomic uint64_t counts[PROVIDER_COUNT_MAX];
	pthread_mutex_t lock;
	char last_error[PLACES_ERROR_TEXT_MAX]; /* "" = none; masked */
	struct mono last_error_at;
};

/*
 * Gives *out; `kind` is one on the network. `shares_chain`: another provider on
 * the network is in the chain, so that places.base_url would be ambiguous.
 * HERD_ESYSTEM, HERD_ESYNTAX ...: `message` says which setting is wrong and
 * why.
 */
HERD_MUST_CHECK enum herd_error provider_open(enum places_kind kind,
    const struct settings *settings, const char *node, const char *base_dir,
    bool shares_chain, struct buf *message, struct provider **out);
void provider_close(struct provider *provider);

/* Names and helps of the counts; static. */
const char *provider_count_name(enum provider_count count);
const char *provider_count_help(enum provider_count count);

/* May a request go out now? Then it is counted. The Places thread only. */
bool provider_may_request(struct provider *provider, struct mono now);

void provider_bump(struct provider *provider, enum provider_count count);
void provider_add(
    struct provider *provider, enum provider_count count, uint64_t more);

/* Keeps `text`, in which the key is masked, as the last error. */
void provider_note_error(
    struct provider *provider, struct span text, struct mono now);

#endif
