/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a search with a filter looks at: each place's folded name and opening
 * hours, and for blocks of places a Bloom filter of the types and the
 * trigrams of names in them, so that most blocks are passed over unread.
 * It is made when the first such question comes, of the gazetteer's file.
 */
#ifndef HERD_PLACES_GAZETTEER_NAMES_H
#define HERD_PLACES_GAZETTEER_NAMES_H

#include <sqlite3.h>

#include "places/gazetteer.h"

/* Blocks of 8, 64 and 512 places, 32 bits a place in each. */
#define GAZETTEER_LEVELS 3u

struct gazetteer_names {
	char *text;       /* name NUL hours NUL, of each place */
	uint32_t *starts; /* of each place's in `text` */
	uint64_t *bits[GAZETTEER_LEVELS];
	size_t rows;
};

/* HERD_ESYNTAX: the file's names are not as they must be. */
HERD_MUST_CHECK enum herd_error gazetteer_names_read(
    const struct gazetteer *gazetteer, sqlite3 *db,
    struct gazetteer_names **out);
void gazetteer_names_free(struct gazetteer_names *names);

struct span gazetteer_names_name(
    const struct gazetteer_names *names, size_t index);
struct span gazetteer_names_hours(
    const struct gazetteer_names *names, size_t index);

/* A word that is looked for, as the blocks have it. */
uint32_t gazetteer_names_type_token(struct span type);
uint32_t gazetteer_names_hours_token(void);
uint32_t gazetteer_names_trigram_token(const char *three);

/* False: no place of [low, high) has it. */
bool gazetteer_names_may_have(const struct gazetteer_names *names, size_t low,
    size_t high, const uint32_t *tokens, size_t count);

#endif
