/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store_prune.h"

#include "base/clock.h"
#include "core/least.h"
#include "store/store_internal.h"

static bool
is_due(const struct store *store)
{
	return clock_mono().ns >= store->prune_at.ns &&
	       timekeeper_may_prune(store->config.timekeeper, clock_mono());
}

static void
log_deleted(const struct store *store, uint64_t deleted, const char *event)
{
	if (deleted > 0)
		LOG(store->config.log, LOG_INFO, event,
		    log_number("rows", (int64_t)deleted));
}

/* A row more than the table has: it is nobody's. */
static enum herd_error
has_more_rows(struct store *store, bool *more)
{
	struct table_counts counts;
	uint64_t rows = 0;
	bool is_estimate = false;
	enum herd_error error =
	    store->ops->count(store->engine, &rows, &is_estimate);

	table_count(store->config.table, &counts);
	*more = rows > counts.records;
	return error;
}

enum herd_error
store_prune(struct store *store)
{
	uint64_t deleted = 0;
	enum herd_error error = HERD_OK;

	if (!is_due(store))
		return HERD_OK;
	if (!store->is_pruning)
		error = has_more_rows(store, &store->is_pruning);
	if (error == HERD_OK && store->is_pruning)
		error = store->ops->prune(store->engine, store_is_held, store,
		    STORE_PRUNE_SLICE, &deleted);
	store->pruned += deleted;
	if (error == HERD_EAGAIN)
		return error;
	log_deleted(store, store->pruned, "store-pruned");
	store->prune_at = mono_add(clock_mono(), STORE_PRUNE_NS);
	store->is_pruning = false;
	store->pruned = 0;
	return error;
}

/* Rows before it are too old, or less than all records of a full table. */
static uint64_t
cut_of(const struct store *store, struct wall now)
{
	uint64_t after = store->config.expire_after_ns;
	uint64_t cut = after != 0 && now.ns > after ? now.ns - after : 0;
	uint64_t least;

	return least_time(store->config.table, &least) && least > cut ? least
								      : cut;
}

enum herd_error
store_prune_expired(struct store *store)
{
	struct wall now;
	uint64_t deleted = 0;
	uint64_t cut;
	enum herd_error error;

	if (!is_due(store) || !store->hooks.leads(store->hooks.arg))
		return HERD_OK;
	store->prune_at = mono_add(clock_mono(), STORE_PRUNE_NS);
	now = timekeeper_expiry(store->config.timekeeper, clock_mono());
	cut = cut_of(store, now);
	if (now.ns == 0 || (cut == 0 && store->config.history_ns == 0))
		return HERD_OK;
	error = store->ops->expire(
	    store->engine, now, cut, STORE_PRUNE_ROWS, &deleted);
	if (error != HERD_OK)
		return error;
	atomic_fetch_add(&store->expired, deleted);
	/* Deleted all that may be deleted at one time? Then there is more. */
	if (deleted == STORE_PRUNE_ROWS)
		store->prune_at = clock_mono();
	log_deleted(store, deleted, "store-expired");
	return HERD_OK;
}
