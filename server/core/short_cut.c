/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/short_cut.h"

/* Bytes of DIGEST lines of pairs: per pair, and per line by depth. */
#define PAIR_BYTES 12u
#define LINE_BYTES_1 10u
#define LINE_BYTES_2 11u

/* The root's children that both have and that differ. */
struct below {
	uint64_t nodes;
	uint64_t common; /* children that both have, equal ones too */
	uint64_t records;
	uint64_t bytes;
};

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The records of a side are spread evenly over its children. */
static void
below_add(struct below *below, const struct digest_node *root)
{
	uint64_t filled = 0;

	for (unsigned i = 0; i < DIGEST_FAN; i++)
		filled += root->hashes[i] != 0;
	if (filled == 0)
		return;
	below->records += root->size.records * below->nodes / filled;
	below->bytes += root->size.bytes * below->nodes / filled;
}

static struct below
below_of(const struct digest_node *a, const struct digest_node *b)
{
	struct below below = { 0 };

	for (unsigned i = 0; i < DIGEST_FAN; i++) {
		if (a->hashes[i] == 0 || b->hashes[i] == 0)
			continue;
		below.common++;
		below.nodes += a->hashes[i] != b->hashes[i];
	}
	below_add(&below, a);
	below_add(&below, b);
	return below;
}

/*
 * How many clients have to be drawn until so many of the children have one:
 * the coupon collector's sum, in sixteenths while it grows.
 */
static uint64_t
clients_likely(const struct below *below)
{
	uint64_t sixteenths = 0;

	for (uint64_t i = 0; i < below->nodes; i++)
		sixteenths += 16 * below->common / (below->common - i);
	return least(sixteenths / 16, below->records / 2);
}

/*
 * How many of `places` are hit by `hits` at random. With x hits for a place it
 * is 1 - e^-x of them, which x (2 + x) / (2 + 2x + x^2) approximates. Rounded
 * up, because one hit makes one place.
 */
static uint64_t
places_hit(uint64_t hits, uint64_t places)
{
	uint64_t divisor;

	if (hits >= 8 * places)
		return places;
	divisor = 2 * places * places + 2 * places * hits + hits * hits;
	return (places * hits * (2 * places + hits) + divisor - 1) / divisor;
}

/* Bytes, one way, of going down and sending if so many clients differ. */
static uint64_t
cost_of_descent(const struct below *below, uint64_t clients)
{
	uint64_t records = below->records / 2;
	uint64_t children = DIGEST_FAN * below->nodes;
	uint64_t lines = places_hit(clients, children);
	uint64_t hashes =
	    places_hit(records, children) +
	    places_hit(lines + lines * records / children, DIGEST_FAN * lines);

	return LINE_BYTES_1 * below->nodes + LINE_BYTES_2 * lines +
	       PAIR_BYTES * hashes + clients * (below->bytes / below->records);
}

bool
short_cut_pays(const struct digest_node *a, const struct digest_node *b)
{
	struct below below = below_of(a, b);
	uint64_t cost;

	if (below.nodes == 0 || below.records == 0)
		return false;
	cost = cost_of_descent(&below, clients_likely(&below));
	/*
	 * No child is equal, so any number may differ, from this one up to all.
	 * All has more weight, because while a node is away every client may
	 * report. With 3 : 2 the worst case still costs about what dense lines
	 * did.
	 */
	if (below.nodes == below.common)
		cost = (2 * cost +
			   3 * cost_of_descent(&below, below.records / 2)) /
		       5;
	return below.bytes / 2 < cost;
}
