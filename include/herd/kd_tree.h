/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gazetteer's index: a balanced k-d tree over points on the unit sphere,
 * as an array without pointers. The middle of a range divides it along an
 * axis, smaller ones before it; ranges of up to KD_LEAF points are plain
 * lists. It is made once, by mkgazetteer, and shared by all readers.
 * Source: J. L. Bentley, "Multidimensional binary search trees used for
 * associative searching", CACM 18 (1975); the bound on the way to the far
 * side: S. Arya and D. M. Mount, "Algorithms for fast vector quantization",
 * DCC 1993.
 */
#ifndef HERD_KD_TREE_H
#define HERD_KD_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "herd/request.h"

#define KD_LEAF 8u

/* Coordinates in units of 1/GAZETTEER_UNIT of the sphere's radius. */
struct kd_point {
	int32_t at[3];
	/* kd_tree_build(): the caller's; then the axis in the lowest two bits,
	 * and what the caller adds in the bits above. */
	uint32_t tag;
};

struct kd_found {
	double chord2;   /* squared distance in the points' units */
	size_t index;    /* of the point in the array */
	uint32_t weight; /* 0 without weights */
};

/* How much points count, in their order. Borrowed. */
struct kd_weights {
	const uint32_t *own;
	const uint32_t *peaks; /* of kd_tree_peaks() */
};

/*
 * Which points count. Both are called with `arg`; the second one says that no
 * point of a range counts, and is there for speed alone.
 */
struct kd_filter {
	bool (*accepts)(void *arg, size_t index);
	bool (*rules_out)(void *arg, size_t low, size_t high);
	void *arg;
};

/*
 * One search. The caller sets at, limit, want, filter (NULL: all points
 * count) and weights (NULL: all are alike); kd_tree_search() the rest.
 */
struct kd_search {
	double at[3];
	double limit;  /* greatest squared distance that still counts */
	unsigned want; /* 1 to REQUEST_BOUND_MAX */
	const struct kd_filter *filter;
	const struct kd_weights *weights;
	unsigned count;
	/* the heaviest first, of equal ones the nearest */
	struct kd_found found[REQUEST_BOUND_MAX];
};

/*
 * Puts the points into the tree's order. Before, `tag` says which point is
 * which, below `count`; order[i] is then the tag of points[i]. Equal inputs
 * give equal trees.
 */
void kd_tree_build(struct kd_point *points, size_t count, uint32_t *order);

/*
 * Fills peaks: of each point that divides a range, the greatest weight in that
 * range; what is left of other points has no meaning.
 */
void kd_tree_peaks(const uint32_t *own, size_t count, uint32_t *peaks);

/*
 * The heaviest and then nearest `want` points within the limit; of equally far
 * ones those that come first in the array. Reads no more than the array,
 * whatever is in it.
 */
void kd_tree_search(
    const struct kd_point *points, size_t count, struct kd_search *search);

#endif
