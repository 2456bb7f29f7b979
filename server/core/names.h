/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of nodes that the herd file has or had since the start, each with
 * a number of 16 bits, so that a record needs two bytes for its origin. Names
 * come only from the herd file, never from a peer: a record of any other origin
 * holds the name's text, so that the name goes when the record goes.
 * Any thread may call anything here; reading takes no lock.
 */
#ifndef HERD_NAMES_H
#define HERD_NAMES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "herd/report.h"

#define NAMES_MAX 8192u /* twice what a herd file may have */
#define NAMES_CHUNK 256u
#define NAMES_INDEX (2u * NAMES_MAX)
#define NAME_NONE UINT16_MAX /* no number: the record holds the text */

struct name {
	_Atomic bool listed; /* the present herd file has it */
	uint8_t len;
	char text[REPORT_ORIGIN_MAX];
};

struct names {
	pthread_mutex_t lock; /* of writers */
	uint32_t count;
	_Atomic uint32_t unlisted; /* of them */
	_Atomic(struct name *) chunks[NAMES_MAX / NAMES_CHUNK];
	_Atomic uint16_t index[NAMES_INDEX]; /* open addressing: id + 1 */
};

/* HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error names_init(struct names *names);
void names_release(struct names *names);

/* No name is listed any more; all keep their numbers. */
void names_unlist(struct names *names);

/*
 * The herd file has this valid node name. HERD_ENOMEM; HERD_ELIMIT: NAMES_MAX
 * names have a number. Then the name only has none, and is not listed.
 */
HERD_MUST_CHECK enum herd_error names_add(
    struct names *names, struct span name);

/* The number of that name, NAME_NONE if it has none. */
uint16_t names_find(const struct names *names, struct span name);

/* Does the present herd file have it? */
bool names_is_listed(const struct names *names, struct span name);

/* Does the present herd file have every name with a number? */
bool names_are_all_listed(const struct names *names);

/* The text of a number that names_find gave; lives as long as `names`. */
struct span names_text(const struct names *names, uint16_t id);

#endif
