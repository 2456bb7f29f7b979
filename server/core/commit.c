/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/commit.h"

#include <assert.h>

#include "core/mutant.h"

static void
publish(struct commit *commit, const uint64_t positions[TABLE_SHARDS])
{
	for (unsigned i = 0; i < TABLE_SHARDS; i++)
		atomic_store_explicit(
		    &commit->done[i], positions[i], memory_order_release);
}

static bool
reached(
    const uint64_t positions[TABLE_SHARDS], const uint64_t until[TABLE_SHARDS])
{
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		if (positions[i] < until[i])
			return false;
	}
	return true;
}

void
commit_init(struct commit *commit, const struct outbox *outbox)
{
	struct outbox_progress progress;

	assert(outbox->attached);
	memset(commit, 0, sizeof(*commit));
	commit->outbox = outbox;
	commit->evicted = atomic_load(&outbox->evicted);
	commit->refused = atomic_load(&outbox->refused);
	outbox_progress(outbox, &progress);
	memcpy(commit->batch, progress.popped, sizeof(commit->batch));
	publish(commit, commit->batch);
}

void
commit_end_batch(struct commit *commit)
{
	struct outbox_progress progress;
	uint64_t evicted;
	uint64_t refused;

	/*
	 * The counters are read before the positions. An eviction is counted
	 * before its slot can be popped as empty, and its cause was appended
	 * before that, so this order overlooks neither.
	 */
	evicted = atomic_load(&commit->outbox->evicted);
	refused = atomic_load(&commit->outbox->refused);
	outbox_progress(commit->outbox, &progress);
	memcpy(commit->batch, progress.popped, sizeof(commit->batch));
	if (MUTANT(ACK_BEFORE_COMMIT))
		publish(commit, commit->batch);
	if (MUTANT(ACK_EVICTED) ||
	    (evicted == commit->evicted && refused == commit->refused))
		return;
	commit->tainted = true;
	memcpy(commit->barrier, progress.appended, sizeof(commit->barrier));
	/* Answers under way may wait for an evicted record. */
	if (evicted != commit->evicted && !MUTANT(ACK_CHAIN))
		memcpy(commit->until, progress.appended, sizeof(commit->until));
	commit->evicted = evicted;
	commit->refused = refused;
}

bool
commit_publish(struct commit *commit)
{
	bool published = false;

	if (outbox_has_failed(commit->outbox))
		return false;
	if (commit->holding && reached(commit->batch, commit->until)) {
		publish(commit, commit->held);
		commit->holding = false;
		published = true;
	}
	if (commit->holding)
		return published;
	if (commit->tainted && !reached(commit->batch, commit->barrier)) {
		commit->holding = true;
		memcpy(commit->held, commit->batch, sizeof(commit->held));
		memcpy(commit->until, commit->barrier, sizeof(commit->until));
	} else {
		publish(commit, commit->batch);
		published = true;
	}
	commit->tainted = false;
	return published;
}

bool
commit_covers(const struct commit *commit, const struct put_info *ticket)
{
	if (outbox_has_failed(commit->outbox))
		return false;
	if (MUTANT(ACK_AT_EMPTY) && outbox_is_empty(commit->outbox))
		return true;
	return atomic_load_explicit(&commit->done[ticket->shard],
		   memory_order_acquire) >= ticket->appended;
}

bool
commit_must_wait(const struct commit *commit, enum put_result result,
    const struct put_info *ticket)
{
	if (MUTANT(STALE_AT_ONCE) &&
	    (result == PUT_STALE || result == PUT_EQUAL))
		return false;
	return !commit_covers(commit, ticket);
}
