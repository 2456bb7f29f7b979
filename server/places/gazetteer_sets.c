/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_sets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Values of what places have: grams of three, two and one bytes, joints, types.
 */
#define PAIRS (UINT32_C(1) << 24)
#define SINGLES (PAIRS + (UINT32_C(1) << 16))
#define HASHED (UINT32_C(1) << 16) /* values for what is longer */
#define JOINTS (SINGLES + (UINT32_C(1) << 8))
#define TYPES (JOINTS + HASHED)
#define VALUES (TYPES + HASHED)

/* What fewer of the places have shares one of so many sets with others. */
#define OWN_SET_SHARE 4096u
#define SHARED_SETS 16384u

#define PART_WORDS (GAZETTEER_BLOCK / 64)

/* A set's part in a block. */
struct set_part {
	uint32_t start; /* in the block's `bits` or `offsets`, by the count */
	uint32_t count; /* of its places */
};

struct block {
	struct set_part *parts; /* of each set */
	uint64_t *bits;
	uint16_t *offsets;
};

struct gazetteer_sets {
	uint32_t *values; /* ascending, of the sets that are shared with none */
	size_t own;       /* of them; SHARED_SETS more follow */
	size_t count;     /* of all */
	uint32_t *counts; /* of the places in each set */
	struct block *blocks;
	size_t block_count;
};

/* Source: the finalizer of MurmurHash3, which is in the public domain. */
static uint32_t
mix(uint32_t x)
{
	x ^= x >> 16;
	x *= UINT32_C(0x85ebca6b);
	x ^= x >> 13;
	x *= UINT32_C(0xc2b2ae35);
	return x ^ (x >> 16);
}

/* Different bytes may have the same. */
static uint32_t
hash_of(const char *bytes, size_t len)
{
	uint32_t hash = 1;

	for (size_t i = 0; i < len; i++)
		hash = mix(hash ^ (unsigned char)bytes[i]);
	return hash % HASHED;
}

static uint32_t
gram_value(const char *bytes, size_t len)
{
	static const uint32_t bases[] = { 0, SINGLES, PAIRS, 0 };
	uint32_t value = 0;

	if (len == GAZETTEER_JOINT)
		return JOINTS + hash_of(bytes, len);
	for (size_t i = 0; i < len; i++)
		value = value << 8 | (unsigned char)bytes[i];
	return bases[len] + value;
}

static uint32_t
type_value(struct span type)
{
	return TYPES + hash_of(type.data, type.len);
}

bool
gazetteer_sets_is_joint(struct span text, size_t at)
{
	return at + GAZETTEER_JOINT <= text.len &&
	       text.data[at + GAZETTEER_JOINT_SPACE] == ' ';
}

/* --- making --------------------------------------------------------------- */

struct sets_making {
	struct gazetteer_sets *sets;
	const struct gazetteer_source *source;
	uint32_t *table;     /* of each value: how many have it, then its set */
	uint32_t *last;      /* of each set: the last place in it, + 1 */
	struct block *block; /* that is being filled */
};

/* Calls `use` with each value that the place has, some of them repeatedly. */
static void
each_value(struct sets_making *making, size_t place,
    void (*use)(struct sets_making *making, size_t place, uint32_t value))
{
	const struct gazetteer_source *source = making->source;
	struct span name = source->name(source->arg, place);
	const struct span *types;
	size_t count = source->types(source->arg, place, &types);

	for (size_t i = 0; i < name.len; i++) {
		for (size_t len = 1;
		     len <= GAZETTEER_GRAM_MAX && i + len <= name.len; len++)
			use(making, place, gram_value(name.data + i, len));
		if (gazetteer_sets_is_joint(name, i))
			use(making, place,
			    gram_value(name.data + i, GAZETTEER_JOINT));
	}
	for (size_t i = 0; i < count; i++)
		use(making, place, type_value(types[i]));
}

static void
count_value(
    struct sets_making *making, size_t place HERD_UNUSED, uint32_t value)
{
	making->table[value]++;
}

static uint32_t
shared_set(const struct gazetteer_sets *sets, uint32_t value)
{
	return (uint32_t)sets->own + mix(value) % SHARED_SETS;
}

/* Gives each value its set, in the table. */
static bool
number_sets(struct sets_making *making)
{
	struct gazetteer_sets *sets = making->sets;
	uint32_t share = (uint32_t)(making->source->rows / OWN_SET_SHARE);
	uint32_t own = 0;

	for (uint32_t value = 0; value < VALUES; value++)
		sets->own += making->table[value] > share;
	sets->count = sets->own + SHARED_SETS;
	sets->values = calloc(sets->own + 1, sizeof(*sets->values));
	sets->counts = calloc(sets->count, sizeof(*sets->counts));
	making->last = calloc(sets->count, sizeof(*making->last));
	if (sets->values == NULL || sets->counts == NULL ||
	    making->last == NULL)
		return false;
	for (uint32_t value = 0; value < VALUES; value++) {
		if (making->table[value] > share) {
			sets->values[own] = value;
			making->table[value] = own++;
		} else if (making->table[value] > 0) {
			making->table[value] = shared_set(sets, value);
		}
	}
	return true;
}

/* The part that the place is to be noted in; NULL: it is there already. */
static struct set_part *
find_part(struct sets_making *making, size_t place, uint32_t value)
{
	uint32_t set = making->table[value];

	if (making->last[set] == place + 1)
		return NULL;
	making->last[set] = (uint32_t)place + 1;
	return &making->block->parts[set];
}

static void
count_place(struct sets_making *making, size_t place, uint32_t value)
{
	struct set_part *part = find_part(making, place, value);

	if (part != NULL)
		part->count++;
}

static bool
is_bits(const struct set_part *part)
{
	return part->count > GAZETTEER_OFFSETS_MAX;
}

/* From counts to memory for the places; `start' is where the next place goes.
 */
static bool
make_space(struct sets_making *making)
{
	struct gazetteer_sets *sets = making->sets;
	struct block *block = making->block;
	size_t words = 0;
	size_t offsets = 0;

	for (size_t i = 0; i < sets->count; i++) {
		struct set_part *part = &block->parts[i];

		sets->counts[i] += part->count;
		part->start = (uint32_t)(is_bits(part) ? words : offsets);
		if (is_bits(part))
			words += PART_WORDS;
		else
			offsets += part->count;
	}
	block->bits = calloc(words + 1, sizeof(*block->bits));
	block->offsets = calloc(offsets + 1, sizeof(*block->offsets));
	return block->bits != NULL && block->offsets != NULL;
}

static void
note_place(struct sets_making *making, size_t place, uint32_t value)
{
	struct set_part *part = find_part(making, place, value);
	size_t offset = place % GAZETTEER_BLOCK;

	if (part == NULL)
		return;
	if (is_bits(part))
		making->block->bits[part->start + offset / 64] |=
		    UINT64_C(1) << offset % 64;
	else
		making->block->offsets[part->start++] = (uint16_t)offset;
}

static bool
make_block(struct sets_making *making, size_t index)
{
	struct gazetteer_sets *sets = making->sets;
	size_t low = index * GAZETTEER_BLOCK;
	size_t high = low + GAZETTEER_BLOCK;
	struct block *block = &sets->blocks[index];

	if (high > making->source->rows)
		high = making->source->rows;
	making->block = block;
	block->parts = calloc(sets->count, sizeof(*block->parts));
	if (block->parts == NULL)
		return false;
	for (size_t place = low; place < high; place++)
		each_value(making, place, count_place);
	if (!make_space(making))
		return false;
	memset(making->last, 0, sets->count * sizeof(*making->last));
	for (size_t place = low; place < high; place++)
		each_value(making, place, note_place);
	for (size_t i = 0; i < sets->count; i++) {
		if (!is_bits(&block->parts[i]))
			block->parts[i].start -= block->parts[i].count;
	}
	return true;
}

static bool
make_all(struct sets_making *making)
{
	struct gazetteer_sets *sets = making->sets;
	size_t rows = making->source->rows;

	sets->blocks =
	    calloc(rows / GAZETTEER_BLOCK + 1, sizeof(*sets->blocks));
	if (sets->blocks == NULL)
		return false;
	for (size_t place = 0; place < rows; place++)
		each_value(making, place, count_value);
	if (!number_sets(making))
		return false;
	while (sets->block_count * GAZETTEER_BLOCK < rows) {
		if (!make_block(making, sets->block_count++))
			return false;
	}
	return true;
}

enum herd_error
gazetteer_sets_make(
    const struct gazetteer_source *source, struct gazetteer_sets **out)
{
	struct sets_making making = { calloc(1, sizeof(*making.sets)), source,
		calloc(VALUES, sizeof(*making.table)), NULL, NULL };
	bool is_made =
	    making.sets != NULL && making.table != NULL && make_all(&making);

	free(making.table);
	free(making.last);
	if (!is_made) {
		gazetteer_sets_free(making.sets);
		return HERD_ENOMEM;
	}
	*out = making.sets;
	return HERD_OK;
}

void
gazetteer_sets_free(struct gazetteer_sets *sets)
{
	if (sets == NULL)
		return;
	for (size_t i = 0; i < sets->block_count; i++) {
		free(sets->blocks[i].parts);
		free(sets->blocks[i].bits);
		free(sets->blocks[i].offsets);
	}
	free(sets->blocks);
	free(sets->values);
	free(sets->counts);
	free(sets);
}

/* --- finding -------------------------------------------------------------- */

static uint32_t
find_set(const struct gazetteer_sets *sets, uint32_t value)
{
	size_t low = 0;
	size_t high = sets->own;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sets->values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sets->own && sets->values[low] == value
		   ? (uint32_t)low
		   : shared_set(sets, value);
}

uint32_t
gazetteer_sets_gram(const struct gazetteer_sets *sets, struct span gram)
{
	assert(gram.len >= 1 &&
	       (gram.len <= GAZETTEER_GRAM_MAX || gram.len == GAZETTEER_JOINT));
	return find_set(sets, gram_value(gram.data, gram.len));
}

uint32_t
gazetteer_sets_type(const struct gazetteer_sets *sets, struct span type)
{
	return find_set(sets, type_value(type));
}

uint32_t
gazetteer_sets_count(const struct gazetteer_sets *sets, uint32_t set)
{
	return sets->counts[set];
}

struct gazetteer_part
gazetteer_sets_part(
    const struct gazetteer_sets *sets, uint32_t set, size_t block)
{
	const struct block *of = &sets->blocks[block];
	const struct set_part *part = &of->parts[set];

	if (is_bits(part))
		return (struct gazetteer_part){ of->bits + part->start, NULL,
			part->count };
	return (struct gazetteer_part){ NULL, of->offsets + part->start,
		part->count };
}
