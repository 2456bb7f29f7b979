/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that nobody needs any more. Not while the clock may be wrong, and now
 * and then only. Store's thread.
 */
#ifndef HERD_STORE_PRUNE_H
#define HERD_STORE_PRUNE_H

#include "store/store.h"

/*
 * Local: deletes rows of clients that expired or were evicted, in slices.
 * HERD_EAGAIN: there are more rows to look at.
 */
HERD_MUST_CHECK enum herd_error store_prune(struct store *store);

/*
 * Shared: deletes rows that are older than expire_after, or less than all
 * records of a full table, whatever this node holds, and only if it is the one
 * that leads.
 */
HERD_MUST_CHECK enum herd_error store_prune_expired(struct store *store);

#endif
