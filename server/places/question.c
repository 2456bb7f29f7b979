/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "places/question.h"

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
	       radius_bits(a) == radius_bits(b) && a->max == b->max;
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

uint64_t
question_hash(const struct places_question *question)
{
	uint64_t hash = mix((uint64_t)question->at.lat_nd);

	hash = mix(hash ^ (uint64_t)question->at.lon_nd);
	return mix(hash ^ radius_bits(question) ^ question->max);
}
