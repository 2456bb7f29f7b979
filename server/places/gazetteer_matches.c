/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_matches.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_WORDS (GAZETTEER_BLOCK / 64)
/* So few candidates in a block are looked at one by one. */
#define FEW 16u
/* So many more that do not fit than those that do, times FEW, are many. */
#define MANY_UNFIT 32u

enum herd_error
gazetteer_matches_begin(struct gazetteer_matches *matches,
    const struct gazetteer_sets *sets, size_t rows,
    struct gazetteer_open_now *open_now, bool (*fits)(void *arg, size_t index),
    void *arg)
{
	size_t blocks = rows / GAZETTEER_BLOCK + 1;

	if (matches->questions == NULL) {
		matches->bits =
		    calloc(blocks * BLOCK_WORDS, sizeof(*matches->bits));
		matches->words =
		    calloc(blocks * BLOCK_WORDS / 64, sizeof(*matches->words));
		matches->questions =
		    calloc(blocks, sizeof(*matches->questions));
	}
	if (matches->bits == NULL || matches->words == NULL ||
	    matches->questions == NULL) {
		gazetteer_matches_release(matches);
		return HERD_ENOMEM;
	}
	matches->block_count = blocks;
	matches->sets = sets;
	matches->open_now = open_now;
	matches->fits = fits;
	matches->arg = arg;
	matches->wanted_count = 0;
	gazetteer_matches_among(matches, NULL);
	return HERD_OK;
}

void
gazetteer_matches_among(
    struct gazetteer_matches *matches, const uint64_t *among)
{
	matches->among = among;
	matches->fit = matches->unfit = 0;
	matches->question += 2;
	/* After 2^31 questions a block's number would mean another one. */
	if (matches->question == 0) {
		memset(matches->questions, 0,
		    matches->block_count * sizeof(*matches->questions));
		matches->question = 2;
	}
}

void
gazetteer_matches_release(struct gazetteer_matches *matches)
{
	free(matches->bits);
	free(matches->words);
	free(matches->questions);
	memset(matches, 0, sizeof(*matches));
}

void
gazetteer_matches_add(struct gazetteer_matches *matches, uint32_t set)
{
	for (size_t i = 0; i < matches->wanted_count; i++) {
		if (matches->wanted[i] == set)
			return;
	}
	if (matches->wanted_count < MATCHES_SETS_MAX)
		matches->wanted[matches->wanted_count++] = set;
}

/* --- one block ------------------------------------------------------------ */

/* The parts of the wanted sets, the smallest first. False: one is empty. */
static bool
find_parts(const struct gazetteer_matches *matches, size_t block,
    struct gazetteer_part parts[MATCHES_SETS_MAX])
{
	for (size_t i = 0; i < matches->wanted_count; i++) {
		struct gazetteer_part part = gazetteer_sets_part(
		    matches->sets, matches->wanted[i], block);
		size_t at = i;

		if (part.count == 0)
			return false;
		for (; at > 0 && parts[at - 1].count > part.count; at--)
			parts[at] = parts[at - 1];
		parts[at] = part;
	}
	return true;
}

/* Candidates in a block: their offsets, and a bit for each. */
struct candidates {
	uint64_t *bits;
	size_t count;
	uint16_t *offsets;
	uint16_t *spare; /* as long */
};

/* Keeps those of the offsets whose bits are set, and no others. */
static void
keep(struct candidates *candidates, const uint16_t *offsets, size_t count,
    const uint64_t *bits)
{
	uint16_t *kept = candidates->spare;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		uint16_t offset = offsets[i];

		kept[n] = offset;
		n += bits[offset / 64] >> offset % 64 & 1;
	}
	for (size_t i = 0; i < candidates->count; i++)
		candidates->bits[candidates->offsets[i] / 64] = 0;
	for (size_t i = 0; i < n; i++)
		candidates->bits[kept[i] / 64] |= UINT64_C(1) << kept[i] % 64;
	candidates->spare = candidates->offsets;
	candidates->offsets = kept;
	candidates->count = n;
}

static void
keep_bits(struct candidates *candidates, const uint64_t *bits)
{
	if (candidates->count > FEW)
		keep(candidates, candidates->offsets, candidates->count, bits);
}

static void
keep_part(struct candidates *candidates, const struct gazetteer_part *part)
{
	if (part->bits != NULL)
		keep_bits(candidates, part->bits);
	else if (candidates->count > FEW)
		keep(candidates, part->offsets, part->count, candidates->bits);
}

/* The smallest part has offsets. */
static void
match_offsets(struct gazetteer_matches *matches, size_t block,
    const struct gazetteer_part *parts, uint64_t *bits)
{
	/* One more: what does not fit is written before it is seen. */
	uint16_t offsets[2][GAZETTEER_OFFSETS_MAX + 1];
	struct candidates candidates = { bits, parts[0].count, offsets[0],
		offsets[1] };

	memset(bits, 0, BLOCK_WORDS * sizeof(*bits));
	memcpy(offsets[0], parts[0].offsets,
	    parts[0].count * sizeof(offsets[0][0]));
	for (size_t i = 0; i < parts[0].count; i++)
		bits[offsets[0][i] / 64] |= UINT64_C(1) << offsets[0][i] % 64;
	if (matches->among != NULL)
		keep_bits(&candidates, matches->among + block * BLOCK_WORDS);
	for (size_t i = 1; i < matches->wanted_count; i++)
		keep_part(&candidates, &parts[i]);
	if (candidates.count > FEW && matches->open_now != NULL)
		keep_bits(&candidates,
		    gazetteer_open_now_bits(matches->open_now, block));
}

static void
keep_common(uint64_t *bits, const uint64_t *others)
{
	for (size_t i = 0; i < BLOCK_WORDS; i++)
		bits[i] &= others[i];
}

/* All parts are bits, or there are none. */
static void
match_bits(struct gazetteer_matches *matches, size_t block,
    const struct gazetteer_part *parts, uint64_t *bits)
{
	memset(bits, 0xFF, BLOCK_WORDS * sizeof(*bits));
	for (size_t i = 0; i < matches->wanted_count; i++)
		keep_common(bits, parts[i].bits);
	if (matches->among != NULL)
		keep_common(bits, matches->among + block * BLOCK_WORDS);
	if (matches->open_now != NULL)
		keep_common(
		    bits, gazetteer_open_now_bits(matches->open_now, block));
}

static void
note_words(struct gazetteer_matches *matches, size_t block)
{
	const uint64_t *bits = matches->bits + block * BLOCK_WORDS;
	uint64_t *words = matches->words + block * BLOCK_WORDS / 64;

	for (size_t i = 0; i < BLOCK_WORDS / 64; i++) {
		words[i] = 0;
		for (size_t j = 0; j < 64; j++)
			words[i] |= (uint64_t)(bits[i * 64 + j] != 0) << j;
	}
}

/* Looks at the places of the block that are in all sets. */
static void
keep_fit(struct gazetteer_matches *matches, size_t block)
{
	for (size_t i = 0; i < BLOCK_WORDS; i++) {
		size_t word = block * BLOCK_WORDS + i;
		uint64_t left = matches->bits[word];

		for (; left != 0; left &= left - 1) {
			size_t bit = (size_t)__builtin_ctzll(left);

			if (!matches->fits(matches->arg, word * 64 + bit))
				matches->bits[word] ^= UINT64_C(1) << bit;
		}
	}
}

static void
match_block(struct gazetteer_matches *matches, size_t block)
{
	struct gazetteer_part parts[MATCHES_SETS_MAX];
	uint64_t *bits = matches->bits + block * BLOCK_WORDS;
	bool is_strict =
	    matches->unfit > MANY_UNFIT + (size_t)FEW * matches->fit;
	uint32_t done = matches->questions[block];

	if (done == matches->question + is_strict ||
	    done == matches->question + 1)
		return;
	matches->questions[block] = matches->question + is_strict;
	if (done != matches->question) {
		if (!find_parts(matches, block, parts))
			memset(bits, 0, BLOCK_WORDS * sizeof(*bits));
		else if (matches->wanted_count > 0 && parts[0].bits == NULL)
			match_offsets(matches, block, parts, bits);
		else
			match_bits(matches, block, parts, bits);
	}
	if (is_strict)
		keep_fit(matches, block);
	note_words(matches, block);
}

/* --- asking --------------------------------------------------------------- */

bool
gazetteer_matches_has(struct gazetteer_matches *matches, size_t index)
{
	size_t block = index / GAZETTEER_BLOCK;
	bool fits;

	match_block(matches, block);
	if ((matches->bits[index / 64] >> index % 64 & 1) == 0)
		return false;
	if (matches->questions[block] == matches->question + 1)
		return true;
	fits = matches->fits(matches->arg, index);
	matches->fit += fits;
	matches->unfit += !fits;
	return fits;
}

/* The first word from that one on that is not 0; `end' if there is none. */
static size_t
next_word(const struct gazetteer_matches *matches, size_t word, size_t end)
{
	while (word < end) {
		uint64_t left = matches->words[word / 64] >> word % 64;

		if (left != 0) {
			word += (size_t)__builtin_ctzll(left);
			return word < end ? word : end;
		}
		word = (word / 64 + 1) * 64;
	}
	return end;
}

bool
gazetteer_matches_has_any(
    struct gazetteer_matches *matches, size_t low, size_t high)
{
	size_t first = low / 64;
	size_t end = (high + 63) / 64;

	if (low == high || high - low > GAZETTEER_BLOCK)
		return low < high;
	match_block(matches, low / GAZETTEER_BLOCK);
	match_block(matches, (high - 1) / GAZETTEER_BLOCK);
	for (size_t word = next_word(matches, first, end); word < end;
	     word = next_word(matches, word + 1, end)) {
		uint64_t bits = matches->bits[word];

		if (word == first)
			bits &= UINT64_MAX << low % 64;
		if (word == end - 1 && high % 64 != 0)
			bits &= UINT64_MAX >> (64 - high % 64);
		if (bits != 0)
			return true;
	}
	return false;
}
