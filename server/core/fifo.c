/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/fifo.h"

#include <stdlib.h>

#include "core/shard.h"

#define FIFO_SIZE_MIN 64u

enum herd_error
fifo_grow(struct table *table, struct fifo *fifo)
{
	uint32_t size = fifo->size == 0 ? FIFO_SIZE_MIN : fifo->size * 2;
	uint32_t *ring = malloc((size_t)size * sizeof(*ring));

	/* A slot is in it once at most, and there are fewer than 2^24. */
	assert(size > fifo->size);
	if (ring == NULL)
		return HERD_ENOMEM;
	for (uint32_t i = 0; i < fifo->count; i++)
		ring[i] = fifo_at(fifo, i);
	free(fifo->ring);
	table_add_bytes(
	    table, fifo->size * sizeof(*ring), size * sizeof(*ring));
	fifo->ring = ring;
	fifo->size = size;
	fifo->head = 0;
	return HERD_OK;
}

void
fifo_release(struct table *table, struct fifo *fifo)
{
	table_add_bytes(table, fifo->size * sizeof(*fifo->ring), 0);
	free(fifo->ring);
	fifo->ring = NULL;
	fifo->size = 0;
	fifo->head = 0;
	fifo->count = 0;
}
