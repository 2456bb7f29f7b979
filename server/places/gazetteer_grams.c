/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/gazetteer_grams.h"

#include <stdlib.h>
#include <string.h>

#define GRAMS (1u << 24)
#define NO_LIST UINT32_MAX
/* Candidates of a keyword of one or two bytes: more are found near by. */
#define SHORT_MAX 2048u

struct gram {
	uint32_t value; /* its three bytes, the first one highest */
	uint32_t count; /* of places; of a place more than once with NO_LIST */
	uint32_t start; /* of its list in `places`, or NO_LIST */
};

struct gazetteer_grams {
	struct gram *grams; /* by value */
	size_t count;
	uint32_t *places;
};

/* --- pass --------------------------------------------------------------- */

/* The trigram that begins at that byte of the name. */
static uint32_t
gram_at(struct span name, size_t at)
{
	uint32_t value = 0;

	for (size_t i = at; i < at + 3; i++)
		value = value << 8 |
			(i < name.len ? (unsigned char)name.data[i] : 0u);
	return value;
}

/* What a pass over all names works on. */
struct gram_pass {
	struct gazetteer_grams *grams;
	uint32_t *table; /* of each value: its count, then its place + 1 */
	size_t rows;
	struct span (*name)(const void *arg, size_t index);
	const void *arg;
};

static void
count_all(const struct gram_pass *pass)
{
	for (size_t place = 0; place < pass->rows; place++) {
		struct span name = pass->name(pass->arg, place);

		for (size_t i = 0; i < name.len; i++)
			pass->table[gram_at(name, i)]++;
	}
}

/* From counts to grams without places yet. */
static bool
lay_out(const struct gram_pass *pass)
{
	struct gazetteer_grams *grams = pass->grams;
	size_t room = 0;

	for (uint32_t value = 0; value < GRAMS; value++)
		grams->count += pass->table[value] != 0;
	grams->grams = calloc(grams->count + 1, sizeof(*grams->grams));
	if (grams->grams == NULL)
		return false;
	grams->count = 0;
	for (uint32_t value = 0; value < GRAMS; value++) {
		uint32_t count = pass->table[value];
		bool is_rare =
		    count <= GAZETTEER_GRAM_MAX && room + count < NO_LIST;

		if (count == 0)
			continue;
		grams->grams[grams->count++] =
		    (struct gram){ value, is_rare ? 0 : count,
			    is_rare ? (uint32_t)room : NO_LIST };
		pass->table[value] = (uint32_t)grams->count;
		room += is_rare ? count : 0;
	}
	grams->places = malloc((room + 1) * sizeof(*grams->places));
	return grams->places != NULL;
}

/* A place is once in a list, although its name may have the trigram twice. */
static void
note_place(struct gazetteer_grams *grams, struct gram *gram, uint32_t place)
{
	uint32_t *list = grams->places + gram->start;

	if (gram->start != NO_LIST &&
	    (gram->count == 0 || list[gram->count - 1] != place))
		list[gram->count++] = place;
}

static void
fill(const struct gram_pass *pass)
{
	struct gazetteer_grams *grams = pass->grams;

	for (size_t place = 0; place < pass->rows; place++) {
		struct span name = pass->name(pass->arg, place);

		for (size_t i = 0; i < name.len; i++)
			note_place(grams,
			    &grams->grams[pass->table[gram_at(name, i)] - 1],
			    (uint32_t)place);
	}
}

enum herd_error
gazetteer_grams_make(size_t rows,
    struct span (*name)(const void *arg, size_t index), const void *arg,
    struct gazetteer_grams **out)
{
	struct gram_pass pass = { calloc(1, sizeof(*pass.grams)),
		calloc(GRAMS, sizeof(*pass.table)), rows, name, arg };
	bool is_made = pass.grams != NULL && pass.table != NULL;

	if (is_made) {
		count_all(&pass);
		is_made = lay_out(&pass);
	}
	if (is_made)
		fill(&pass);
	else
		gazetteer_grams_free(pass.grams);
	free(pass.table);
	if (!is_made)
		return HERD_ENOMEM;
	*out = pass.grams;
	return HERD_OK;
}

void
gazetteer_grams_free(struct gazetteer_grams *grams)
{
	if (grams == NULL)
		return;
	free(grams->grams);
	free(grams->places);
	free(grams);
}

/* --- finding -------------------------------------------------------------- */

/* The first gram whose value is not below that one. */
static size_t
lower_bound(const struct gazetteer_grams *grams, uint32_t value)
{
	size_t low = 0;
	size_t high = grams->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (grams->grams[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
compare_places(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
sort_once(struct gazetteer_candidates *candidates)
{
	size_t kept = 0;

	qsort(candidates->places, candidates->count,
	    sizeof(candidates->places[0]), compare_places);
	for (size_t i = 0; i < candidates->count; i++) {
		if (kept == 0 ||
		    candidates->places[kept - 1] != candidates->places[i])
			candidates->places[kept++] = candidates->places[i];
	}
	candidates->count = kept;
}

/* One or two bytes: all trigrams that begin with them. */
static bool
find_short(const struct gazetteer_grams *grams, struct span keyword,
    struct gazetteer_candidates *out)
{
	uint32_t first = gram_at(keyword, 0);
	uint32_t last = first | ((1u << (8 * (3 - keyword.len))) - 1);

	for (size_t i = lower_bound(grams, first);
	     i < grams->count && grams->grams[i].value <= last; i++) {
		const struct gram *gram = &grams->grams[i];

		if (gram->start == NO_LIST ||
		    out->count + gram->count > SHORT_MAX)
			return false;
		memcpy(out->places + out->count, grams->places + gram->start,
		    gram->count * sizeof(out->places[0]));
		out->count += gram->count;
	}
	sort_once(out);
	return true;
}

/* Keeps the candidates that the list has, too. */
static void
intersect(
    struct gazetteer_candidates *candidates, const uint32_t *list, size_t count)
{
	size_t kept = 0;
	size_t at = 0;

	for (size_t i = 0; i < candidates->count; i++) {
		uint32_t place = candidates->places[i];

		while (at < count && list[at] < place)
			at++;
		if (at == count)
			break;
		if (list[at] == place)
			candidates->places[kept++] = place;
	}
	candidates->count = kept;
}

/* The trigram at that byte of the keyword; NULL: no name has it. */
static const struct gram *
find_gram(const struct gazetteer_grams *grams, struct span keyword, size_t at)
{
	uint32_t value = gram_at(keyword, at);
	size_t i = lower_bound(grams, value);

	return i < grams->count && grams->grams[i].value == value
		   ? &grams->grams[i]
		   : NULL;
}

/* The rarest with a list; *is_absent: no name has one of them. */
static const struct gram *
find_rarest(
    const struct gazetteer_grams *grams, struct span keyword, bool *is_absent)
{
	const struct gram *rarest = NULL;

	*is_absent = false;
	for (size_t i = 0; i + 3 <= keyword.len; i++) {
		const struct gram *gram = find_gram(grams, keyword, i);

		if (gram == NULL) {
			*is_absent = true;
			return NULL;
		}
		if (gram->start != NO_LIST &&
		    (rarest == NULL || gram->count < rarest->count))
			rarest = gram;
	}
	return rarest;
}

bool
gazetteer_grams_find(const struct gazetteer_grams *grams, struct span keyword,
    struct gazetteer_candidates *out)
{
	const struct gram *rarest;
	bool is_absent;

	out->count = 0;
	if (keyword.len < 3)
		return find_short(grams, keyword, out);
	rarest = find_rarest(grams, keyword, &is_absent);
	if (rarest == NULL)
		return is_absent;
	out->count = rarest->count;
	memcpy(out->places, grams->places + rarest->start,
	    rarest->count * sizeof(out->places[0]));
	for (size_t i = 0; i + 3 <= keyword.len; i++) {
		const struct gram *gram = find_gram(grams, keyword, i);

		if (gram != NULL && gram != rarest && gram->start != NO_LIST)
			intersect(
			    out, grams->places + gram->start, gram->count);
	}
	return true;
}
