/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/names.h"

#include <assert.h>
#include <stdlib.h>

/* FNV-1a; node names come from the herd file, nobody else picks them. */
static uint32_t
name_hash(struct span name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (uint8_t)name.data[i]) * 16777619u;
	return h;
}

enum herd_error
names_init(struct names *names)
{
	memset(names, 0, sizeof(*names));
	names->index_size = 64;
	names->index = calloc(names->index_size, sizeof(*names->index));
	if (names->index == NULL)
		return HERD_ENOMEM;
	if (pthread_mutex_init(&names->lock, NULL) != 0) {
		free(names->index);
		return HERD_ENOMEM;
	}
	return HERD_OK;
}

void
names_release(struct names *names)
{
	for (size_t i = 0; i < NAMES_MAX / NAMES_CHUNK; i++)
		free(atomic_load(&names->chunks[i]));
	free(names->index);
	pthread_mutex_destroy(&names->lock);
}

struct span
names_text(const struct names *names, uint16_t id)
{
	const struct name *chunk = atomic_load_explicit(
	    &names->chunks[id / NAMES_CHUNK], memory_order_acquire);

	assert(chunk != NULL);
	return span_of(
	    chunk[id % NAMES_CHUNK].text, chunk[id % NAMES_CHUNK].len);
}

/* The place of `name` in the index: its entry or the free one for it. */
static uint32_t *
names_probe(const struct names *names, struct span name)
{
	uint32_t mask = names->index_size - 1;
	uint32_t at = name_hash(name) & mask;

	while (names->index[at] != 0 &&
	       !span_equal(
		   names_text(names, (uint16_t)(names->index[at] - 1)), name))
		at = (at + 1) & mask;
	return &names->index[at];
}

static enum herd_error
names_grow_index(struct names *names)
{
	uint32_t *old = names->index;
	uint32_t old_size = names->index_size;
	uint32_t *grown = calloc(old_size * 2, sizeof(*grown));

	if (grown == NULL)
		return HERD_ENOMEM;
	names->index = grown;
	names->index_size = old_size * 2;
	for (uint32_t i = 0; i < old_size; i++) {
		if (old[i] != 0)
			*names_probe(names,
			    names_text(names, (uint16_t)(old[i] - 1))) = old[i];
	}
	free(old);
	return HERD_OK;
}

static enum herd_error
names_append(struct names *names, struct span name, uint16_t *id)
{
	uint32_t next = atomic_load(&names->count);
	struct name *chunk;
	struct name *entry;

	if (next == NAMES_MAX)
		return HERD_ELIMIT;
	if ((next + 1) * 2 > names->index_size &&
	    names_grow_index(names) != HERD_OK)
		return HERD_ENOMEM;
	chunk = atomic_load(&names->chunks[next / NAMES_CHUNK]);
	if (chunk == NULL) {
		chunk = calloc(NAMES_CHUNK, sizeof(*chunk));
		if (chunk == NULL)
			return HERD_ENOMEM;
		atomic_store_explicit(&names->chunks[next / NAMES_CHUNK], chunk,
		    memory_order_release);
	}
	entry = &chunk[next % NAMES_CHUNK];
	entry->len = (uint8_t)name.len;
	memcpy(entry->text, name.data, name.len);
	*names_probe(names, name) = next + 1;
	atomic_store(&names->count, next + 1);
	*id = (uint16_t)next;
	return HERD_OK;
}

enum herd_error
names_intern(struct names *names, struct span name, uint16_t *id)
{
	enum herd_error error = HERD_OK;
	uint32_t found;

	assert(name.len > 0 && name.len <= REPORT_ORIGIN_MAX);
	pthread_mutex_lock(&names->lock);
	found = *names_probe(names, name);
	if (found != 0)
		*id = (uint16_t)(found - 1);
	else
		error = names_append(names, name, id);
	pthread_mutex_unlock(&names->lock);
	return error;
}

enum herd_error
name_cache_intern(struct name_cache *cache, struct names *names,
    struct span name, uint16_t *id)
{
	uint32_t *entry = &cache->ids[name_hash(name) % NAMES_CACHE];
	enum herd_error error;

	if (*entry != 0 &&
	    span_equal(names_text(names, (uint16_t)(*entry - 1)), name)) {
		*id = (uint16_t)(*entry - 1);
		return HERD_OK;
	}
	error = names_intern(names, name, id);
	if (error == HERD_OK)
		*entry = (uint32_t)*id + 1;
	return error;
}
