/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/names.h"

#include <assert.h>
#include <stdlib.h>

/* FNV-1a: names come from the herd file, so nobody aims at a bucket. */
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
	return pthread_mutex_init(&names->lock, NULL) == 0 ? HERD_OK
							   : HERD_ENOMEM;
}

void
names_release(struct names *names)
{
	for (size_t i = 0; i < NAMES_MAX / NAMES_CHUNK; i++)
		free(atomic_load(&names->chunks[i]));
	pthread_mutex_destroy(&names->lock);
}

static struct name *
name_at(const struct names *names, uint16_t id)
{
	struct name *chunk = atomic_load_explicit(
	    &names->chunks[id / NAMES_CHUNK], memory_order_acquire);

	assert(chunk != NULL);
	return &chunk[id % NAMES_CHUNK];
}

struct span
names_text(const struct names *names, uint16_t id)
{
	const struct name *name = name_at(names, id);

	return span_of(name->text, name->len);
}

/*
 * Where in the index the name is, or would go. At least half of the places are
 * free, so the search ends.
 */
static uint32_t
names_probe(const struct names *names, struct span name, uint16_t *id)
{
	uint32_t at = name_hash(name) % NAMES_INDEX;

	for (;; at = (at + 1) % NAMES_INDEX) {
		uint16_t entry = atomic_load_explicit(
		    &names->index[at], memory_order_acquire);

		*id = (uint16_t)(entry - 1); /* 0 is free: NAME_NONE */
		if (entry == 0 || span_equal(names_text(names, *id), name))
			return at;
	}
}

uint16_t
names_find(const struct names *names, struct span name)
{
	uint16_t id;

	(void)names_probe(names, name, &id);
	return id;
}

bool
names_is_listed(const struct names *names, struct span name)
{
	uint16_t id = names_find(names, name);

	return id != NAME_NONE && atomic_load(&name_at(names, id)->listed);
}

void
names_unlist(struct names *names)
{
	pthread_mutex_lock(&names->lock);
	for (uint32_t i = 0; i < names->count; i++)
		atomic_store(&name_at(names, (uint16_t)i)->listed, false);
	atomic_store(&names->unlisted, names->count);
	pthread_mutex_unlock(&names->lock);
}

bool
names_are_all_listed(const struct names *names)
{
	return atomic_load(&names->unlisted) == 0;
}

/* A new name. Readers find it once it is in the index. */
static enum herd_error
names_append(struct names *names, struct span text, uint32_t at)
{
	_Atomic(struct name *) *chunk =
	    &names->chunks[names->count / NAMES_CHUNK];
	struct name *name;

	if (atomic_load(chunk) == NULL) {
		struct name *made = calloc(NAMES_CHUNK, sizeof(*made));

		if (made == NULL)
			return HERD_ENOMEM;
		atomic_store_explicit(chunk, made, memory_order_release);
	}
	name = name_at(names, (uint16_t)names->count);
	name->len = (uint8_t)text.len;
	memcpy(name->text, text.data, text.len);
	atomic_store(&name->listed, true);
	names->count++;
	atomic_store_explicit(
	    &names->index[at], (uint16_t)names->count, memory_order_release);
	return HERD_OK;
}

enum herd_error
names_add(struct names *names, struct span name)
{
	enum herd_error error = HERD_OK;
	uint32_t at;
	uint16_t id;

	assert(name.len > 0 && name.len <= REPORT_ORIGIN_MAX);
	pthread_mutex_lock(&names->lock);
	at = names_probe(names, name, &id);
	if (id != NAME_NONE) {
		if (!atomic_exchange(&name_at(names, id)->listed, true))
			atomic_fetch_sub(&names->unlisted, 1);
	} else if (names->count == NAMES_MAX) {
		error = HERD_ELIMIT;
	} else {
		error = names_append(names, name, at);
	}
	pthread_mutex_unlock(&names->lock);
	return error;
}
