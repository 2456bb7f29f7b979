/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When batches of reports leave over a link. While the link is not busy they
 * leave at once: a few in a row, and later one for every two intervals. On a
 * busy link about one leaves per interval. The moments are the same for all
 * links of a node, so that it wakes once for all of them. They are random
 * between nodes, because otherwise what two neighbours heard from a third
 * would always cross between them.
 *
 * A node that is awake anyway, because reports have come in, need not be woken
 * again at the moment. At one end of each link the batch then leaves with
 * them, at the other end only shortly before its moment, for the same reason.
 */
#ifndef HERD_BATCH_TIMER_H
#define HERD_BATCH_TIMER_H

#include "herd/span.h"
#include "herd/time.h"

#define BATCH_BURST 8u /* batches that may leave at once in a row */

struct batch_timer {
	uint64_t seed;     /* of the node's moments */
	bool leads;        /* the link's end that need not wait for them */
	struct mono last;  /* when the last batch left */
	uint64_t spare_ns; /* then: two intervals for each batch at once */
};

/*
 * Nothing has left yet. The same name has the same moments. One end of a link
 * `leads`.
 */
void batch_timer_init(struct batch_timer *timer, struct span name, bool leads);

/*
 * When a batch that begins `now` is to leave. This is `now` itself if the link
 * is not busy or `every_ns` is 0. Else it is the node's next moment, at most
 * two and a half times `every_ns` from now and at least half of it after the
 * last batch.
 */
struct mono batch_timer_due(
    const struct batch_timer *timer, uint64_t every_ns, struct mono now);

/* When a batch that is `due` then may leave if the node is awake anyway. */
struct mono batch_timer_early(
    const struct batch_timer *timer, uint64_t every_ns, struct mono due);

/* A batch has left. */
void batch_timer_left(
    struct batch_timer *timer, uint64_t every_ns, struct mono now);

#endif
