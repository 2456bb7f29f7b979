/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When batches of reports leave a busy node: about every `every_ns`, at
 * moments that are the same for all links of a node, so that it wakes once
 * for all of them, and random between nodes, or what two neighbours heard
 * from a third would always cross between them.
 */
#ifndef HERD_PACE_H
#define HERD_PACE_H

#include "herd/span.h"
#include "herd/time.h"

/* What a node's moments depend on; the same name gives the same. */
uint64_t pace_seed(struct span name);

/*
 * A link has its first report since it had sent all at `last`: when is it to
 * leave, with those that come meanwhile? `now` if the link was not busy, or
 * `every_ns` is 0; else the node's next moment, less than twice `every_ns`
 * from now and at least a quarter of it after `last`.
 */
struct mono pace_next(
    uint64_t seed, uint64_t every_ns, struct mono last, struct mono now);

#endif
