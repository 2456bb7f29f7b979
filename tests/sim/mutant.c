/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a mutant needs beyond a condition in the core: see core/mutant.h. */
#include "core/mutant.h"

#include <stdlib.h>

/* Mutants break the table's own rules, so they have to see inside. */
#include "core/shard.h"
#include "sim/sim.h"

enum mutant mutant_on = MUTANT_COUNT;
struct world *mutant_world;

const struct mutant_row MUTANTS[] = {
#define HERD_MUTANT_ROW(id, name, text) { name, text },
	HERD_MUTANT_TABLE(HERD_MUTANT_ROW)
#undef HERD_MUTANT_ROW
};

/* --- keep-outbox --------------------------------------------------------- */

static void
on_wake_of_kept(void *arg)
{
	(void)arg; /* no session is there to be woken */
}

static bool
is_kept(const struct outbox *outbox)
{
	return outbox != NULL && outbox->wake == on_wake_of_kept;
}

/* The kept outbox of the same link. */
static struct outbox *
find_kept(const struct outbox *outbox)
{
	for (unsigned bit = 0; bit < TABLE_OUTBOXES; bit++) {
		struct outbox *kept = outbox->table->outboxes[bit];

		if (is_kept(kept) && kept->owner >> 24 == outbox->owner >> 24)
			return kept;
	}
	return NULL;
}

/* The end whose session has that outbox. */
static struct end *
find_end(const struct outbox *outbox)
{
	return (struct end *)((uintptr_t)outbox -
			      offsetof(struct end, link.session.outbox));
}

void
mutant_keep_outbox(struct outbox *outbox)
{
	struct outbox *old;
	struct outbox *kept;

	if (!outbox->attached)
		return;
	old = find_kept(outbox);
	if (old != NULL) {
		outbox_detach(old);
		free(old);
	}
	kept = sim_alloc(1, sizeof(*kept));
	*kept = *outbox;
	kept->wake = on_wake_of_kept;
	outbox->table->outboxes[outbox->bit] = kept;
	outbox->attached = false;
}

bool
mutant_inherit_outbox(struct outbox *outbox)
{
	struct outbox *kept = find_kept(outbox);

	if (kept == NULL)
		return false;
	find_end(outbox)->inherits = true;
	outbox->bit = kept->bit;
	outbox->next_shard = kept->next_shard;
	outbox->turn_end = kept->turn_end;
	outbox->owing = kept->owing;
	outbox->attached = true;
	outbox->table->outboxes[outbox->bit] = outbox;
	free(kept);
	return true;
}

bool
mutant_has_inherited(const struct outbox *outbox)
{
	return find_end(outbox)->inherits;
}

void
mutant_release(struct table *table)
{
	for (unsigned bit = 0; bit < TABLE_OUTBOXES; bit++) {
		struct outbox *kept = table->outboxes[bit];

		if (is_kept(kept)) {
			outbox_detach(kept);
			free(kept);
		}
	}
}

/* --- relay-ahead --------------------------------------------------------- */

bool
mutant_is_ahead(uint64_t time_ns, struct wall judged)
{
	uint64_t most_ns = mutant_world->plan.max_ahead_ns;

	return most_ns != 0 && time_ns > judged.ns + most_ns;
}

/* --- pauses -------------------------------------------------------------- */

/* Other threads of the node run where the mutant lacks a lock. */
static void
mutant_pause(struct table *table)
{
	struct world *world = mutant_world;
	struct node *node = world->nodes;

	while (node->table != table)
		node++;
	if (node->paused || node->observed || world->calm ||
	    random_percent(&world->random, 95))
		return;
	node->paused = true;
	if (mutant_on == MUTANT_CLEAR_AFTER_COPY) {
		unsigned client =
		    (unsigned)random_below(&world->random, world->plan.clients);

		node_report(node, client, world_draw_time(world, client));
	}
	for (unsigned i = 0; i < world->conn_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			struct end *end = &world->conns[i]->ends[side];

			if (mutant_on == MUTANT_OWE_BEFORE_CONTENT &&
			    end->open && end->node == node && !end->busy)
				end_pump(end);
		}
	}
	node->paused = false;
}

void
mutant_owe_early(struct table *table, struct shard *shard, uint32_t number,
    const struct report *report, uint32_t from)
{
	char scratch[SLOT_SCRATCH];
	struct report held;
	char *heap;
	bool newer;

	if (slot_read(table, shard_slot(shard, number), scratch, &heap,
		&held) != HERD_OK)
		abort();
	newer = report_compare(report, &held) > 0;
	free(heap);
	if (!newer)
		return;
	outbox_owe_slot(
	    table, shard, number, ~outbox_spared_bits(table, shard, from));
	pthread_mutex_unlock(&shard->lock);
	mutant_pause(table);
	pthread_mutex_lock(&shard->lock);
}

void
mutant_clear_late(struct outbox *outbox, struct shard *shard, uint32_t number)
{
	uint64_t bit = UINT64_C(1) << outbox->bit;

	shard_slot(shard, number)->owed |= bit;
	pthread_mutex_unlock(&shard->lock);
	mutant_pause(outbox->table);
	pthread_mutex_lock(&shard->lock);
	shard_slot(shard, number)->owed &= ~bit;
}
