/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A FIFO of slots: what a shard owes to one outbox, oldest first. A ring that
 * is freed when it is empty and large. All under the shard's lock.
 */
#ifndef HERD_FIFO_H
#define HERD_FIFO_H

#include <assert.h>
#include <stdint.h>

#include "herd/compiler.h"
#include "herd/error.h"

struct table;

struct fifo {
	uint32_t *ring;
	uint32_t size; /* power of two or 0 */
	uint32_t head; /* position of the oldest */
	uint32_t count;
	uint64_t appended;
	uint64_t popped;
};

/* Doubles the ring. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error fifo_grow(
    struct table *table, struct fifo *fifo);
void fifo_release(struct table *table, struct fifo *fifo);

/* An empty ring larger than this is given back. */
#define FIFO_SIZE_KEEP 256u

/* The slot `at` places after the oldest. */
static inline uint32_t
fifo_at(const struct fifo *fifo, uint32_t at)
{
	return fifo->ring[(fifo->head + at) & (fifo->size - 1)];
}

/* HERD_ENOMEM. */
HERD_MUST_CHECK static inline enum herd_error
fifo_append(struct table *table, struct fifo *fifo, uint32_t slot)
{
	if (fifo->count == fifo->size && fifo_grow(table, fifo) != HERD_OK)
		return HERD_ENOMEM;
	fifo->ring[(fifo->head + fifo->count) & (fifo->size - 1)] = slot;
	fifo->count++;
	fifo->appended++;
	return HERD_OK;
}

/* The oldest; count > 0. */
static inline uint32_t
fifo_peek(const struct fifo *fifo)
{
	assert(fifo->count > 0);
	return fifo->ring[fifo->head];
}

static inline void
fifo_pop(struct table *table, struct fifo *fifo)
{
	assert(fifo->count > 0);
	fifo->head = (fifo->head + 1) & (fifo->size - 1);
	fifo->count--;
	fifo->popped++;
	if (fifo->count == 0 && fifo->size > FIFO_SIZE_KEEP)
		fifo_release(table, fifo);
}

#endif
