/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The eager links of a herd: those that always carry reports when the herd
 * floods sparsely. The other links may rest. Every node finds the same ones
 * from its herd file, and knows by the hash that others have found them too.
 * Source: herd-protocol(7), SPARSE FLOODING.
 */
#ifndef HERD_EAGER_H
#define HERD_EAGER_H

#include <stdint.h>

#include "herd/graph.h"
#include "herd/herdfile.h"

struct eager {
	size_t links;      /* of the herd */
	size_t count;      /* of them, eager ones */
	bool *rests;       /* per link, in the given order: it may rest */
	size_t *part;      /* per node: the part of the herd that it is in */
	size_t cost;       /* messages per update over the eager links */
	size_t diameter;   /* hops over the eager links */
	uint64_t hash;     /* of nodes, links and which may rest; not 0 */
	bool is_too_large; /* it was not tried: all links are eager */
};

/*
 * Gives *out; release it with eager_release(). The names are all different.
 * HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error eager_find(const char *const *names,
    size_t nodes, const struct graph_edge *links, size_t count,
    struct eager *out);

/* The same for a herd file. */
HERD_MUST_CHECK enum herd_error eager_of_file(
    const struct herdfile *file, struct eager *out);

void eager_release(struct eager *eager);

#endif
