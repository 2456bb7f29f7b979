/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The comparison of the table with a shared engine. A node that dies before its
 * batch is written leaves reports that no other node owes; a failover to an
 * older state loses rows that nobody owes any more. So the node that leads
 * compares now and then, and corrects both sides; the table alone owes.
 *
 * Every row is read in the order of keys, in pages, and looked up in the table:
 * an unknown or newer one is taken, an older one makes its record owed. What
 * the engine lacks has no row to be met: clients fall by the top 18 bits of
 * their keys into 262,144 leaves, each the XOR of hashes of the clients that
 * were met on either side, so that one that is not 0 has a client of one side
 * only. Those leaves are read again, and what is not there is owed.
 *
 * Records younger than 60 s are left out, because their origin may be about to
 * write them. All in slices, between two batches. Store's thread.
 */
#ifndef HERD_STORE_COMPARE_H
#define HERD_STORE_COMPARE_H

#include "store/store.h"

#define STORE_COMPARE_AGE_NS (60u * HERD_NS_PER_S)
#define STORE_COMPARE_LEAVES (1u << 18)

/* Not before what is owed now is older than that age. */
void store_compare_soon(struct store *store);

/* A slice, if one is due or asked for. True: there is more to do now. */
bool store_compare_step(struct store *store);

/* Gives up the one that is under way. */
void store_compare_drop(struct store *store);

#endif
