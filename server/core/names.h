/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of nodes, each stored once and known by a number of 16 bits, so that
 * a record needs two bytes for its origin. Names are never removed; there
 * are at most NAMES_MAX. Any thread may call anything here.
 */
#ifndef HERD_NAMES_H
#define HERD_NAMES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "herd/report.h"

#define NAMES_MAX 65536u
#define NAMES_CHUNK 256u
#define NAMES_CACHE 64u

struct name {
	uint8_t len;
	char text[REPORT_ORIGIN_MAX];
};

struct names {
	pthread_mutex_t lock; /* of writers */
	_Atomic(struct name *) chunks[NAMES_MAX / NAMES_CHUNK];
	_Atomic uint32_t count;
	uint32_t *index; /* open addressing: id + 1, 0 = free */
	uint32_t index_size;
};

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error names_init(struct names *names);
void names_release(struct names *names);

/*
 * The number of that name, a new one if need be. The name is a valid node
 * name. HERD_ELIMIT: NAMES_MAX names exist; HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error names_intern(
    struct names *names, struct span name, uint16_t *id);

/* The text of a number that names_intern gave; lives as long as `names`. */
struct span names_text(const struct names *names, uint16_t id);

/* One user's memory of the names it met last; saves the lock. */
struct name_cache {
	uint32_t ids[NAMES_CACHE]; /* id + 1, 0 = empty */
};

HERD_MUST_CHECK enum herd_error name_cache_intern(struct name_cache *cache,
    struct names *names, struct span name, uint16_t *id);

#endif
