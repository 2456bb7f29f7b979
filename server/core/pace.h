/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When batches of reports leave over a link. At once while it is not busy:
 * a few in a row, and later one for every two intervals. On a busy link about
 * one per interval, at moments that are the same for all links of a node, so
 * that it wakes once for all of them, and random between nodes, or what two
 * neighbours heard from a third would always cross between them.
 */
#ifndef HERD_PACE_H
#define HERD_PACE_H

#include "herd/span.h"
#include "herd/time.h"

#define PACE_BURST 8u /* batches that may leave at once in a row */

struct pace {
	uint64_t seed;      /* of the node's moments */
	struct mono last;   /* when the last batch left */
	uint64_t credit_ns; /* then: two intervals for each batch at once */
};

/* Nothing has left yet. The same name has the same moments. */
void pace_init(struct pace *pace, struct span name);

/*
 * A batch begins `now`: when is it to leave? `now` itself if the link is not
 * busy, or `every_ns` is 0; else the node's next moment, less than twice
 * `every_ns` from now and at least a quarter of it after the last batch.
 */
struct mono pace_due(
    const struct pace *pace, uint64_t every_ns, struct mono now);

/* All that was to leave has left. */
void pace_left(struct pace *pace, uint64_t every_ns, struct mono now);

#endif
