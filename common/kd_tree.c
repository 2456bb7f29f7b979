/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/kd_tree.h"

#include <assert.h>

/* --- building ------------------------------------------------------------ */

/* The axis along which the points lie farthest apart. */
static uint32_t
widest_axis(const struct kd_point *points, size_t count)
{
	uint32_t widest = 0;
	int64_t width = -1;

	for (uint32_t axis = 0; axis < 3; axis++) {
		int64_t low = INT64_MAX;
		int64_t high = INT64_MIN;

		for (size_t i = 0; i < count; i++) {
			int64_t at = points[i].at[axis];

			low = at < low ? at : low;
			high = at > high ? at : high;
		}
		if (high - low > width) {
			width = high - low;
			widest = axis;
		}
	}
	return widest;
}

/* A total order, so that equal inputs give equal trees. */
static bool
is_before(const struct kd_point *a, const struct kd_point *b, uint32_t axis)
{
	if (a->at[axis] != b->at[axis])
		return a->at[axis] < b->at[axis];
	return a->tag < b->tag;
}

static void
swap(struct kd_point *a, struct kd_point *b)
{
	struct kd_point kept = *a;

	*a = *b;
	*b = kept;
}

/* The median of three points. */
static size_t
median_of_three(
    const struct kd_point *points, size_t a, size_t b, size_t c, uint32_t axis)
{
	if (is_before(&points[b], &points[a], axis)) {
		size_t kept = a;

		a = b;
		b = kept;
	}
	if (is_before(&points[c], &points[a], axis))
		return a;
	return is_before(&points[c], &points[b], axis) ? c : b;
}

/* Moves smaller points before the pivot; returns the pivot's index. */
static size_t
partition(struct kd_point *points, size_t low, size_t high, uint32_t axis)
{
	size_t pivot = median_of_three(
	    points, low, low + (high - low) / 2, high - 1, axis);
	size_t end = low;

	swap(&points[pivot], &points[high - 1]);
	for (size_t i = low; i < high - 1; i++) {
		if (is_before(&points[i], &points[high - 1], axis))
			swap(&points[i], &points[end++]);
	}
	swap(&points[end], &points[high - 1]);
	return end;
}

/* Hoare's selection: points[middle] comes to where sorting would put it. */
static void
select_middle(
    struct kd_point *points, size_t count, size_t middle, uint32_t axis)
{
	size_t low = 0;
	size_t high = count;

	while (high - low > 1) {
		size_t pivot = partition(points, low, high, axis);

		if (pivot == middle)
			return;
		if (pivot < middle)
			low = pivot + 1;
		else
			high = pivot;
	}
}

/* Keeps the axes apart, because tags stay the caller's until the end. */
static void
build(struct kd_point *points, size_t count, uint32_t *axes)
{
	while (count > KD_LEAF) {
		size_t middle = count / 2;
		uint32_t axis = widest_axis(points, count);

		select_middle(points, count, middle, axis);
		axes[middle] = axis;
		build(points, middle, axes);
		points += middle + 1;
		axes += middle + 1;
		count -= middle + 1;
	}
	for (size_t i = 0; i < count; i++)
		axes[i] = 0;
}

void
kd_tree_build(struct kd_point *points, size_t count, uint32_t *order)
{
	build(points, count, order);
	for (size_t i = 0; i < count; i++) {
		uint32_t axis = order[i];

		order[i] = points[i].tag;
		points[i].tag = axis;
	}
}

/* --- searching ----------------------------------------------------------- */

static uint32_t
greatest(const uint32_t *weights, size_t count)
{
	uint32_t peak = 0;

	for (size_t i = 0; i < count; i++)
		peak = weights[i] > peak ? weights[i] : peak;
	return peak;
}

/* Returns the range's own. */
static uint32_t
find_peaks(const uint32_t *own, size_t count, uint32_t *peaks)
{
	size_t middle = count / 2;
	uint32_t sides[2];
	uint32_t peak;

	if (count <= KD_LEAF)
		return greatest(own, count);
	sides[0] = find_peaks(own, middle, peaks);
	sides[1] = find_peaks(
	    own + middle + 1, count - middle - 1, peaks + middle + 1);
	peak = greatest(sides, 2);
	peaks[middle] = own[middle] > peak ? own[middle] : peak;
	return peaks[middle];
}

void
kd_tree_peaks(const uint32_t *own, size_t count, uint32_t *peaks)
{
	(void)find_peaks(own, count, peaks);
}

static bool
is_better(const struct kd_found *a, const struct kd_found *b)
{
	if (a->weight != b->weight)
		return a->weight > b->weight;
	return a->chord2 < b->chord2 ||
	       (a->chord2 == b->chord2 && a->index < b->index);
}

/*
 * Takes a place among the best; once they are enough and all weigh alike, the
 * limit shrinks.
 */
static void
take(struct kd_search *search, const struct kd_found *place)
{
	struct kd_found *found = search->found;
	unsigned at = search->count;

	if (at < search->want)
		search->count++;
	else
		at--;
	for (; at > 0 && is_better(place, &found[at - 1]); at--)
		found[at] = found[at - 1];
	found[at] = *place;
	if (search->count == search->want && search->weights == NULL)
		search->limit = found[search->want - 1].chord2;
}

/* Would it be among the best, if the filter accepts it? */
static bool
is_good(const struct kd_search *search, const struct kd_found *place)
{
	return place->chord2 <= search->limit &&
	       (search->count < search->want ||
		   is_better(place, &search->found[search->want - 1]));
}

static void
offer(struct kd_search *search, const struct kd_point *point, size_t index)
{
	double x = point->at[0] - search->at[0];
	double y = point->at[1] - search->at[1];
	double z = point->at[2] - search->at[2];
	struct kd_found place = { x * x + y * y + z * z, index,
		search->weights == NULL ? 0 : search->weights->own[index] };

	if (is_good(search, &place) &&
	    (search->filter == NULL ||
		search->filter->accepts(search->filter->arg, index)))
		take(search, &place);
}

/* Distances along each axis from the centre to the box of a range. */
struct offset {
	double by[3];
};

/* Is all of the range lighter than what is found, or no heavier but farther? */
static bool
is_outweighed(
    const struct kd_search *search, size_t low, size_t high, double distance2)
{
	const struct kd_weights *weights = search->weights;
	const struct kd_found *last;
	uint32_t peak;

	if (weights == NULL || search->count < search->want)
		return false;
	last = &search->found[search->want - 1];
	peak = high - low > KD_LEAF ? weights->peaks[low + (high - low) / 2]
				    : greatest(weights->own + low, high - low);
	return peak < last->weight ||
	       (peak == last->weight && distance2 > last->chord2);
}

static bool
is_ruled_out(
    const struct kd_search *search, size_t low, size_t high, double distance2)
{
	if (is_outweighed(search, low, high, distance2))
		return true;
	return search->filter != NULL &&
	       search->filter->rules_out(search->filter->arg, low, high);
}

/*
 * points[low..high), whose box is at least sqrt(distance2) away. The near
 * side first, so that the limit has shrunk when the far side is judged.
 */
static void
visit(const struct kd_point *points, size_t low, size_t high,
    struct kd_search *search, struct offset offset, double distance2)
{
	while (high - low > KD_LEAF) {
		size_t middle = low + (high - low) / 2;
		uint32_t axis = (points[middle].tag & 3u) % 3;
		double off = search->at[axis] - points[middle].at[axis];

		if (is_ruled_out(search, low, high, distance2))
			return;
		if (off < 0)
			visit(points, low, middle, search, offset, distance2);
		else
			visit(points, middle + 1, high, search, offset,
			    distance2);
		distance2 += off * off - offset.by[axis] * offset.by[axis];
		if (distance2 > search->limit)
			return;
		offset.by[axis] = off;
		offer(search, &points[middle], middle);
		if (off < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (is_ruled_out(search, low, high, distance2))
		return;
	for (size_t i = low; i < high; i++)
		offer(search, &points[i], i);
}

void
kd_tree_search(
    const struct kd_point *points, size_t count, struct kd_search *search)
{
	assert(search->want >= 1 && search->want <= REQUEST_BOUND_MAX);
	search->count = 0;
	visit(points, 0, count, search, (struct offset){ { 0, 0, 0 } }, 0);
}
