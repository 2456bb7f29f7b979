/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_names.h"

#include <stdlib.h>

#include "herd/text.h"

/* Names and hours of 50 million places are 4 GB at most. */
#define TEXT_MAX UINT32_MAX
#define BITS_A_PLACE 32u

static const unsigned BLOCK_SHIFTS[GAZETTEER_LEVELS] = { 3, 6, 9 };

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

uint32_t
gazetteer_names_type_token(struct span type)
{
	uint32_t hash = 1;

	for (size_t i = 0; i < type.len; i++)
		hash = mix(hash ^ (unsigned char)type.data[i]);
	return mix(hash ^ UINT32_C(0x74000000));
}

uint32_t
gazetteer_names_hours_token(void)
{
	return mix(UINT32_C(0x68000000));
}

uint32_t
gazetteer_names_trigram_token(const char *three)
{
	return mix((uint32_t)(unsigned char)three[0] << 16 |
		   (uint32_t)(unsigned char)three[1] << 8 |
		   (uint32_t)(unsigned char)three[2]);
}

/* The bit of the token in a block of that level. */
static size_t
bit_of(unsigned level, size_t block, uint32_t token)
{
	size_t bits = (size_t)BITS_A_PLACE << BLOCK_SHIFTS[level];

	return block * bits + (token & (bits - 1));
}

static void
add_token(struct gazetteer_names *names, size_t index, uint32_t token)
{
	for (unsigned level = 0; level < GAZETTEER_LEVELS; level++) {
		size_t bit = bit_of(level, index >> BLOCK_SHIFTS[level], token);

		names->bits[level][bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

static bool
block_has(const struct gazetteer_names *names, unsigned level, size_t block,
    const uint32_t *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t bit = bit_of(level, block, tokens[i]);

		if ((names->bits[level][bit / 64] >> bit % 64 & 1) == 0)
			return false;
	}
	return true;
}

bool
gazetteer_names_may_have(const struct gazetteer_names *names, size_t low,
    size_t high, const uint32_t *tokens, size_t count)
{
	unsigned level = 0;

	while (level < GAZETTEER_LEVELS &&
	       high - low > (size_t)1 << BLOCK_SHIFTS[level])
		level++;
	if (level == GAZETTEER_LEVELS || low == high)
		return true;
	for (size_t block = low >> BLOCK_SHIFTS[level];
	     block <= (high - 1) >> BLOCK_SHIFTS[level]; block++) {
		if (block_has(names, level, block, tokens, count))
			return true;
	}
	return false;
}

struct span
gazetteer_names_name(const struct gazetteer_names *names, size_t index)
{
	return span_from(names->text + names->starts[index]);
}

struct span
gazetteer_names_hours(const struct gazetteer_names *names, size_t index)
{
	const char *name = names->text + names->starts[index];

	return span_from(name + strlen(name) + 1);
}

/* --- reading -------------------------------------------------------------- */

static void
add_place(struct gazetteer_names *names, const struct gazetteer *gazetteer,
    size_t index)
{
	const struct gazetteer_list *list = gazetteer_list_of(gazetteer, index);
	struct span name = gazetteer_names_name(names, index);

	for (size_t i = 0; i < list->count; i++)
		add_token(
		    names, index, gazetteer_names_type_token(list->types[i]));
	for (size_t i = 0; i + 3 <= name.len; i++)
		add_token(
		    names, index, gazetteer_names_trigram_token(name.data + i));
	if (gazetteer_names_hours(names, index).len > 0)
		add_token(names, index, gazetteer_names_hours_token());
}

/* The chunks of the tree one after the other, each with its NULs. */
static enum herd_error
read_text(sqlite3 *db, struct buf *text)
{
	sqlite3_stmt *row = NULL;
	enum herd_error error = HERD_ESYNTAX;
	int step = SQLITE_ERROR;

	if (sqlite3_prepare_v2(db, "SELECT names FROM tree ORDER BY id", -1,
		&row, NULL) == SQLITE_OK)
		error = HERD_OK;
	while (error == HERD_OK && (step = sqlite3_step(row)) == SQLITE_ROW)
		error = buf_add(text, sqlite3_column_blob(row, 0),
		    (size_t)sqlite3_column_bytes(row, 0));
	sqlite3_finalize(row);
	if (error == HERD_OK && step != SQLITE_DONE)
		error = HERD_ESYNTAX;
	return error;
}

/* Where each place's begins. False: there are more or fewer of them. */
static bool
find_starts(struct gazetteer_names *names, struct span text)
{
	size_t at = 0;

	for (size_t i = 0; i < names->rows; i++) {
		names->starts[i] = (uint32_t)at;
		for (int part = 0; part < 2; part++) {
			const char *end =
			    at < text.len
				? memchr(text.data + at, '\0', text.len - at)
				: NULL;

			if (end == NULL)
				return false;
			at = (size_t)(end - text.data) + 1;
		}
	}
	return at == text.len;
}

static bool
make_room(struct gazetteer_names *names, struct span text)
{
	/* Of the largest blocks, the last one is whole. */
	size_t bits = ((names->rows >> BLOCK_SHIFTS[GAZETTEER_LEVELS - 1]) + 1)
		      << BLOCK_SHIFTS[GAZETTEER_LEVELS - 1];

	names->text = malloc(text.len + 1);
	names->starts = calloc(names->rows, sizeof(*names->starts));
	for (unsigned level = 0; level < GAZETTEER_LEVELS; level++) {
		names->bits[level] =
		    calloc(bits * BITS_A_PLACE / 64, sizeof(uint64_t));
		if (names->bits[level] == NULL)
			return false;
	}
	return names->text != NULL && names->starts != NULL;
}

static enum herd_error
fill(struct gazetteer_names *names, const struct gazetteer *gazetteer,
    struct span text)
{
	if (!make_room(names, text))
		return HERD_ENOMEM;
	memcpy(names->text, text.len > 0 ? text.data : "", text.len);
	if (!find_starts(names, text))
		return HERD_ESYNTAX;
	for (size_t i = 0; i < names->rows; i++)
		add_place(names, gazetteer, i);
	return HERD_OK;
}

enum herd_error
gazetteer_names_read(const struct gazetteer *gazetteer, sqlite3 *db,
    struct gazetteer_names **out)
{
	struct gazetteer_names *names = calloc(1, sizeof(*names));
	struct buf text;
	enum herd_error error;

	if (names == NULL)
		return HERD_ENOMEM;
	names->rows = (size_t)gazetteer->rows;
	buf_init(&text, TEXT_MAX);
	error = read_text(db, &text);
	if (error == HERD_OK)
		error = fill(names, gazetteer, buf_span(&text));
	buf_release(&text);
	if (error != HERD_OK) {
		gazetteer_names_free(names);
		return error;
	}
	*out = names;
	return HERD_OK;
}

void
gazetteer_names_free(struct gazetteer_names *names)
{
	if (names == NULL)
		return;
	for (unsigned level = 0; level < GAZETTEER_LEVELS; level++)
		free(names->bits[level]);
	free(names->starts);
	free(names->text);
	free(names);
}
