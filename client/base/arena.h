/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is freed all at once: the texts and rows of one answer.
 */
#ifndef HERD_CLIENT_ARENA_H
#define HERD_CLIENT_ARENA_H

#include <stddef.h>

#include "herd/span.h"

struct arena_chunk;

/* Zeroed: empty. */
struct arena {
	struct arena_chunk *chunks;
};

void arena_release(struct arena *arena);

/* As arena_release(), but keeps some memory for what comes next. */
void arena_clear(struct arena *arena);

/* Zeroed memory, aligned for any type, valid until arena_release(). */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `text`; terminated as well, outside the span. */
struct span arena_copy(struct arena *arena, struct span text);

#endif
