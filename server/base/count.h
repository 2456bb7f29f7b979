/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters that one thread writes and any thread reads: no lock, and no locked
 * instruction.
 */
#ifndef HERD_COUNT_H
#define HERD_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

/* By the one thread that writes it. */
static inline void
count_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

#endif
