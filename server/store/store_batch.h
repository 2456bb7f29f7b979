/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: what is owed, in one transaction of the engine. Store's thread. */
#ifndef HERD_STORE_BATCH_H
#define HERD_STORE_BATCH_H

#include "store/store.h"

/* Room for a batch. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error store_batch_init(struct store *store);
void store_batch_release(struct store *store);

/* Is a batch to be written again, or anything owed? */
bool store_batch_is_due(const struct store *store);

/* Takes what is owed, or what was taken before, and commits it. */
void store_batch_write(struct store *store);

/* Reports that are not in the engine. Looks at every shard. */
uint64_t store_batch_owed(const struct store *store);

#endif
