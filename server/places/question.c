/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/question.h"

#include "herd/text.h"
#include "herd/text_fold.h"

/* The radius as its bits: equal doubles here are copies of one another. */
static uint64_t
radius_bits(const struct places_question *question)
{
	uint64_t bits;

	memcpy(&bits, &question->radius_m, sizeof(bits));
	return bits;
}

bool
question_equal(const struct places_question *a, const struct places_question *b)
{
	return a->at.lat_nd == b->at.lat_nd && a->at.lon_nd == b->at.lon_nd &&
	       radius_bits(a) == radius_bits(b) && a->max == b->max &&
	       strcmp(a->filter.type, b->filter.type) == 0 &&
	       strcmp(a->filter.keyword, b->filter.keyword) == 0 &&
	       a->filter.open_now == b->filter.open_now &&
	       a->filter.rank == b->filter.rank;
}

/* Source: the finalizer of MurmurHash3, which is in the public domain. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ (x >> 33);
}

static uint64_t
mix_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = mix(hash ^ (unsigned char)*text);
	return hash;
}

uint64_t
question_hash(const struct places_question *question)
{
	uint64_t hash = mix((uint64_t)question->at.lat_nd);

	hash = mix(hash ^ (uint64_t)question->at.lon_nd);
	hash = mix(hash ^ radius_bits(question) ^ question->max);
	hash = mix(hash ^ (uint64_t)question->filter.open_now ^
		   (uint64_t)question->filter.rank << 1);
	hash = mix_text(hash, question->filter.type);
	return mix_text(hash, question->filter.keyword);
}

bool
question_is_filtered(const struct places_question *question)
{
	const struct places_filter *filter = &question->filter;

	return filter->type[0] != '\0' || filter->keyword[0] != '\0' ||
	       filter->open_now;
}

static bool
is_type(struct span type)
{
	for (size_t i = 0; i < type.len; i++) {
		char c = type.data[i];

		if ((c < 'a' || c > 'z') && !text_is_digit(c) && c != '_')
			return false;
	}
	return type.len <= PLACES_TYPE_MAX;
}

static const char *
set_keyword(struct places_filter *filter, struct span keyword)
{
	const char *fault = NULL;
	struct buf folded;

	keyword = text_trim(keyword);
	if (!text_is_utf8(keyword) ||
	    (keyword.len > 0 &&
		memchr(keyword.data, '\0', keyword.len) != NULL))
		return "keyword is a part of a name, in UTF-8";
	buf_init(&folded, PLACES_KEYWORD_MAX);
	if (text_fold(&folded, keyword) != HERD_OK)
		fault = "keyword has at most 96 bytes";
	else if (folded.len > 0)
		memcpy(filter->keyword, buf_span(&folded).data, folded.len);
	buf_release(&folded);
	return fault;
}

const char *
question_set_filter(struct places_question *question, struct span type,
    struct span keyword, bool open_now, struct span rank)
{
	struct places_filter *filter = &question->filter;

	memset(filter, 0, sizeof(*filter));
	if (!is_type(type))
		return "type is a word of a-z, 0-9 and _, such as cafe";
	if (type.len > 0)
		memcpy(filter->type, type.data, type.len);
	filter->open_now = open_now;
	if (span_is(rank, "distance"))
		filter->rank = PLACES_RANK_DISTANCE;
	else if (span_is(rank, "prominence"))
		filter->rank = PLACES_RANK_PROMINENCE;
	else if (rank.len > 0)
		return "rank is distance or prominence";
	return set_keyword(filter, keyword);
}

/* Under its own name or, if it is not there, under Google's. */
static enum herd_error
find_word(question_find *find, void *arg, const char *name, const char *google,
    struct span *value)
{
	enum herd_error error = find(arg, name, value);

	return error == HERD_ENOTFOUND ? find(arg, google, value) : error;
}

const char *
question_read_filter(
    struct places_question *question, question_find *find, void *arg)
{
	struct span type = { "", 0 }, keyword = type, rank = type, open = type;
	bool open_now = false;
	enum herd_error has_open =
	    find_word(find, arg, "open_now", "opennow", &open);

	if (find(arg, "type", &type) == HERD_ELIMIT ||
	    find(arg, "keyword", &keyword) == HERD_ELIMIT ||
	    find_word(find, arg, "rank", "rankby", &rank) == HERD_ELIMIT)
		return "type, keyword or rank is too long";
	if (has_open == HERD_ELIMIT ||
	    (has_open == HERD_OK && text_to_flag(open, &open_now) != HERD_OK))
		return "open_now is true or false";
	return question_set_filter(question, type, keyword, open_now, rank);
}

static bool
has_keyword(const char *keyword, struct span name)
{
	struct buf folded;
	bool has;

	buf_init(&folded, 2 * PLACES_ANSWER_MAX);
	has = text_fold(&folded, name) == HERD_OK && folded.len > 0 &&
	      memmem(buf_span(&folded).data, folded.len, keyword,
		  strlen(keyword)) != NULL;
	buf_release(&folded);
	return has;
}

bool
question_fits(const struct places_question *question, const struct span *types,
    size_t count, struct span name)
{
	const struct places_filter *filter = &question->filter;
	bool fits = filter->type[0] == '\0';

	for (size_t i = 0; !fits && i < count; i++)
		fits = span_is(types[i], filter->type);
	return fits && (filter->keyword[0] == '\0' ||
			   has_keyword(filter->keyword, name));
}
