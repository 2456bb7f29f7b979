/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/outbox.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mutant.h"
#include "core/shard.h"

/* A shard's turn is this share of its debt, or all if that is small. */
#define TURN_SHARES 8u
#define TURN_LEAST 8u
/* Slots that are fetched from memory while others are read. */
#define TAKE_AHEAD 4u

/* --- owing --------------------------------------------------------------- */

static bool
is_spared(const struct outbox *outbox, uint32_t from)
{
	if (outbox->owner == from && from > FROM_CLIENT)
		return !MUTANT(ECHO);
	return outbox->scope == OUTBOX_OWN ||
	       (outbox->scope == OUTBOX_LEARNED && from == FROM_NOBODY);
}

uint64_t
outbox_spared_bits(
    struct table *table, const struct shard *shard, uint32_t from)
{
	uint64_t attached = shard->attached;
	uint64_t spared = 0;

	if (from == FROM_CLIENT)
		return 0;
	for (; attached != 0; attached &= attached - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(attached);

		if (is_spared(atomic_load(&table->outboxes[bit]), from))
			spared |= UINT64_C(1) << bit;
	}
	return spared;
}

/* The shard's FIFO of that outbox has its first record. */
static void
outbox_note_debt(struct outbox *outbox, uint64_t shard_bit)
{
	if (atomic_fetch_or(&outbox->owing, shard_bit) == 0 &&
	    !atomic_load(&outbox->poised))
		outbox->wake(outbox->arg);
}

void
outbox_owe_slot(
    struct table *table, struct shard *shard, uint32_t number, uint64_t mask)
{
	struct slot *slot = shard_slot(shard, number);
	uint64_t shard_bit = UINT64_C(1) << (shard - table->shards);
	uint64_t due = shard->attached & mask & ~slot->owed;

	slot->owed |= due;
	while (due != 0) {
		unsigned bit = (unsigned)__builtin_ctzll(due);
		struct outbox *outbox = atomic_load(&table->outboxes[bit]);
		struct fifo *fifo = &shard->fifos[bit];

		due &= due - 1;
		if (outbox->note != NULL)
			outbox->note(
			    outbox->arg, slot->hash, slot->time_ns, slot->from);
		if (fifo_append(table, fifo, number) != HERD_OK) {
			slot->owed &= ~(UINT64_C(1) << bit);
			atomic_store(&outbox->failed, true);
			outbox->wake(outbox->arg);
		} else if (fifo->count == 1) {
			outbox_note_debt(outbox, shard_bit);
		}
	}
}

/* Its owner has given it, and lacks it now: it goes there as to any other. */
static void
forget_giver(const struct outbox *outbox, struct slot *slot)
{
	if (slot->from == outbox->owner && outbox->owner > FROM_CLIENT)
		slot->from = FROM_NOBODY;
}

bool
outbox_owe(struct outbox *outbox, struct table_cursor *cursor, unsigned slots,
    bool gives_back, table_visit *wanted, void *arg)
{
	struct table *table = outbox->table;
	uint32_t from;
	uint32_t to;
	struct shard *shard = table_walk_lock(table, cursor, slots, &from, &to);

	if (shard == NULL)
		return false;
	for (uint32_t i = from; i < to; i++) {
		struct slot *slot = shard_slot(shard, i);

		if (slot->state == SLOT_FREE ||
		    !table_visit_slot(table, slot, cursor, wanted, arg, false))
			continue;
		if (gives_back)
			forget_giver(outbox, slot);
		outbox_owe_slot(table, shard, i, UINT64_C(1) << outbox->bit);
	}
	return table_walk_unlock(cursor, shard, to);
}

bool
outbox_owe_client(struct outbox *outbox, struct span client)
{
	struct table *table = outbox->table;
	uint64_t hash = table_hash(table, client);
	struct shard *shard = &table->shards[hash_shard(hash)];
	uint32_t entry;

	pthread_mutex_lock(&shard->lock);
	entry = shard->index[shard_probe(shard, (uint32_t)hash, client)];
	if (entry != 0)
		outbox_owe_slot(table, shard, entry_slot(entry),
		    UINT64_C(1) << outbox->bit);
	pthread_mutex_unlock(&shard->lock);
	return entry != 0;
}

/* --- life ---------------------------------------------------------------- */

void
outbox_init(struct outbox *outbox, struct table *table, uint32_t owner,
    outbox_wake *wake, void *arg)
{
	memset(outbox, 0, sizeof(*outbox));
	outbox->table = table;
	outbox->owner = owner;
	outbox->wake = wake;
	outbox->arg = arg;
}

enum herd_error
outbox_attach(struct outbox *outbox)
{
	struct table *table = outbox->table;
	unsigned bit = 0;

	assert(!outbox->attached);
	pthread_mutex_lock(&table->outbox_lock);
	while (
	    bit < TABLE_OUTBOXES && atomic_load(&table->outboxes[bit]) != NULL)
		bit++;
	if (bit == TABLE_OUTBOXES) {
		pthread_mutex_unlock(&table->outbox_lock);
		return HERD_ELIMIT;
	}
	outbox->bit = (uint8_t)bit;
	outbox->attached = true;
	outbox->next_shard = 0;
	outbox->turn_end = 0;
	atomic_store(&outbox->owing, 0);
	atomic_store(&outbox->poised, false);
	atomic_store(&outbox->failed, false);
	atomic_store(&outbox->evicted, 0);
	atomic_store(&outbox->refused, 0);
	atomic_store(&table->outboxes[bit], outbox);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		shard->attached |= UINT64_C(1) << bit;
		pthread_mutex_unlock(&shard->lock);
	}
	pthread_mutex_unlock(&table->outbox_lock);
	return HERD_OK;
}

static void
shard_detach(struct table *table, struct shard *shard, unsigned bit)
{
	struct fifo *fifo = &shard->fifos[bit];

	while (fifo->count > 0) {
		shard_slot(shard, fifo_peek(fifo))->owed &=
		    ~(UINT64_C(1) << bit);
		fifo_pop(table, fifo);
	}
	fifo_release(table, fifo);
	fifo->appended = 0;
	fifo->popped = 0;
	shard->attached &= ~(UINT64_C(1) << bit);
}

void
outbox_detach(struct outbox *outbox)
{
	struct table *table = outbox->table;

	if (!outbox->attached)
		return;
	pthread_mutex_lock(&table->outbox_lock);
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &table->shards[i];

		pthread_mutex_lock(&shard->lock);
		shard_detach(table, shard, outbox->bit);
		pthread_mutex_unlock(&shard->lock);
	}
	atomic_store(&table->outboxes[outbox->bit], NULL);
	pthread_mutex_unlock(&table->outbox_lock);
	outbox->attached = false;
	atomic_store(&outbox->owing, 0);
}

/* --- taking -------------------------------------------------------------- */

/*
 * Gives one slot's record unless there is nothing to give. Returns false if the
 * consumer did not take it.
 */
static bool
give_slot(const struct outbox *outbox, const struct slot *slot,
    outbox_give *give, void *arg)
{
	char scratch[SLOT_SCRATCH];
	struct report report;
	char *heap;
	bool done;

	if (slot->state == SLOT_FREE)
		return true;
	if (slot->from == outbox->owner && outbox->owner > FROM_CLIENT &&
	    !MUTANT(ECHO))
		return true;
	if (slot_read(outbox->table, slot, scratch, &heap, &report) != HERD_OK)
		return false;
	done = give(arg, &report);
	free(heap);
	return done;
}

static void
fifo_prefetch(const struct fifo *fifo, const struct shard *shard, uint32_t at)
{
	const char *slot;

	if (at >= fifo->count)
		return;
	slot = (const char *)shard_slot(shard, fifo_at(fifo, at));
	__builtin_prefetch(slot, 1);
	__builtin_prefetch(slot + sizeof(struct slot) - 1);
}

/* Takes `max` records, which are due, or as many as are taken. */
static unsigned
shard_take(struct outbox *outbox, struct shard *shard, unsigned max,
    outbox_give *give, void *arg)
{
	struct fifo *fifo = &shard->fifos[outbox->bit];
	uint64_t bit = UINT64_C(1) << outbox->bit;
	unsigned taken = 0;

	for (uint32_t i = 0; i < TAKE_AHEAD && i < max; i++)
		fifo_prefetch(fifo, shard, i);
	while (taken < max) {
		struct slot *slot = shard_slot(shard, fifo_peek(fifo));

		fifo_prefetch(fifo, shard, TAKE_AHEAD);

		/* Cleared before the read, so that a later change is owed. */
		slot->owed &= ~bit;
		if (!give_slot(outbox, slot, give, arg)) {
			slot->owed |= bit;
			break;
		}
		if (MUTANT(CLEAR_AFTER_COPY))
			mutant_clear_late(outbox, shard, fifo_peek(fifo));
		fifo_pop(outbox->table, fifo);
		taken++;
	}
	if (fifo->count == 0)
		atomic_fetch_and(&outbox->owing,
		    ~(UINT64_C(1) << (shard - outbox->table->shards)));
	return taken;
}

/*
 * A shard's turn ends at a position in its FIFO, however many takes that
 * needs. If a take that was cut short passed on to the next shard, the rest
 * would wait another round. If a turn lasted until the shard is empty, that of
 * a busy one would never end. A turn is a share of what is due, the same in
 * all shards, so that large debts go out nearly in the order in which they
 * became due, and not shard by shard.
 */
static uint64_t
turn_length(const struct fifo *fifo)
{
	uint64_t share = fifo->count / TURN_SHARES;

	if (share < TURN_LEAST)
		share = TURN_LEAST;
	return share < fifo->count ? share : fifo->count;
}

unsigned
outbox_take(struct outbox *outbox, unsigned max, outbox_give *give, void *arg)
{
	uint64_t owing = atomic_load(&outbox->owing);
	uint64_t later = owing & (UINT64_MAX << outbox->next_shard);
	const struct fifo *fifo;
	struct shard *shard;
	unsigned number;
	unsigned taken;

	if (owing == 0)
		return 0;
	number = (unsigned)__builtin_ctzll(later != 0 ? later : owing);
	shard = &outbox->table->shards[number];
	fifo = &shard->fifos[outbox->bit];
	pthread_mutex_lock(&shard->lock);
	if (number != outbox->next_shard || outbox->turn_end == 0)
		outbox->turn_end = fifo->popped + turn_length(fifo);
	if (max > outbox->turn_end - fifo->popped)
		max = (unsigned)(outbox->turn_end - fifo->popped);
	taken = shard_take(outbox, shard, max, give, arg);
	outbox->next_shard = (uint8_t)number;
	if (fifo->popped >= outbox->turn_end) {
		outbox->next_shard = (uint8_t)((number + 1) % TABLE_SHARDS);
		outbox->turn_end = 0;
	}
	pthread_mutex_unlock(&shard->lock);
	return taken;
}

bool
outbox_is_empty(const struct outbox *outbox)
{
	return atomic_load(&outbox->owing) == 0;
}

void
outbox_poise(struct outbox *outbox, bool poised)
{
	atomic_store(&outbox->poised, poised);
}

bool
outbox_has_failed(const struct outbox *outbox)
{
	return atomic_load(&outbox->failed);
}

uint64_t
outbox_owed(const struct outbox *outbox)
{
	uint64_t owed = 0;

	if (!outbox->attached)
		return 0;
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &outbox->table->shards[i];

		pthread_mutex_lock(&shard->lock);
		owed += shard->fifos[outbox->bit].count;
		pthread_mutex_unlock(&shard->lock);
	}
	return owed;
}

void
outbox_progress(const struct outbox *outbox, struct outbox_progress *out)
{
	for (unsigned i = 0; i < TABLE_SHARDS; i++) {
		struct shard *shard = &outbox->table->shards[i];

		pthread_mutex_lock(&shard->lock);
		out->appended[i] = shard->fifos[outbox->bit].appended;
		out->popped[i] = shard->fifos[outbox->bit].popped;
		pthread_mutex_unlock(&shard->lock);
	}
}
