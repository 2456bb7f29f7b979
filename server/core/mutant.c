/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the mutant keep-outbox needs; empty in every other build. */
#include "core/mutant.h"

#ifdef HERD_MUTANTS

#include <stdlib.h>

#include "core/table_shard.h"

static void
on_wake_of_kept(void *arg)
{
	(void)arg; /* nobody is there to be woken */
}

static bool
is_kept(const struct outbox *outbox)
{
	return outbox != NULL && outbox->wake == on_wake_of_kept;
}

/* The kept outbox of the same edge. */
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
	kept = malloc(sizeof(*kept));
	if (kept == NULL)
		abort();
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
	outbox->bit = kept->bit;
	outbox->next_shard = kept->next_shard;
	outbox->turn_end = kept->turn_end;
	outbox->owing = kept->owing;
	outbox->attached = true;
	outbox->table->outboxes[outbox->bit] = outbox;
	free(kept);
	return true;
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

#endif
