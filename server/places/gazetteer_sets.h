/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which places have a type, or a gram in their folded name: a set of places for
 * each type and gram. A gram is one, two or three bytes, or a joint: a space
 * between the end of a word and the beginning of the next one, without which
 * "blue blue" might be any name with "blue" next to a word in b. Places are
 * divided into blocks in the order of the tree, so that a block is a part of
 * the map; each set has a part for each block, the offsets of its places or,
 * where they are many, a bit for each place. Grams and types that few places
 * have share sets: a set may have places that lack what is looked for, and
 * never lacks one that has it.
 */
#ifndef HERD_PLACES_GAZETTEER_SETS_H
#define HERD_PLACES_GAZETTEER_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herd/compiler.h"
#include "herd/error.h"
#include "herd/span.h"

#define GAZETTEER_BLOCK 65536u /* places */
#define GAZETTEER_GRAM_MAX 3u  /* bytes, but for joints */
/* Bytes of a joint; and of those before its space. */
#define GAZETTEER_JOINT 6u
#define GAZETTEER_JOINT_SPACE 3u
/* A part with more offsets would be kept as bits. */
#define GAZETTEER_OFFSETS_MAX 2047u

struct gazetteer_sets;

/* What a place has; `arg` is the caller's. */
struct gazetteer_source {
	size_t rows;
	struct span (*name)(const void *arg, size_t index); /* folded */
	/* Its types; returns how many they are. */
	size_t (*types)(
	    const void *arg, size_t index, const struct span **types);
	const void *arg;
};

/* Gives *out. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error gazetteer_sets_make(
    const struct gazetteer_source *source, struct gazetteer_sets **out);
void gazetteer_sets_free(struct gazetteer_sets *sets); /* NULL is fine */

/* Does a joint begin at that byte of the text? */
bool gazetteer_sets_is_joint(struct span text, size_t at);

/* The set of a gram of 1 to GAZETTEER_GRAM_MAX bytes or of GAZETTEER_JOINT, or
 * of a type. */
uint32_t gazetteer_sets_gram(
    const struct gazetteer_sets *sets, struct span gram);
uint32_t gazetteer_sets_type(
    const struct gazetteer_sets *sets, struct span type);

/* How many places a set has. */
uint32_t gazetteer_sets_count(const struct gazetteer_sets *sets, uint32_t set);

/* The part of a set in a block; borrowed. */
struct gazetteer_part {
	const uint64_t *bits;    /* GAZETTEER_BLOCK of them, or NULL */
	const uint16_t *offsets; /* of places in the block, ascending */
	size_t count;            /* of its places */
};

struct gazetteer_part gazetteer_sets_part(
    const struct gazetteer_sets *sets, uint32_t set, size_t block);

#endif
