/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an operator wants to know of the herd's shape: diameter, bridges, cut
 * vertices, parts, and what one update costs.
 */
#ifndef HERD_GRAPH_H
#define HERD_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "herd/compiler.h"
#include "herd/error.h"

struct graph_edge {
	size_t a;
	size_t b;
};

struct graph_facts {
	size_t nodes;
	size_t edges;
	size_t parts;        /* connected components */
	size_t diameter;     /* hops, of the largest finite distance */
	size_t cost;         /* messages per update: sum of 2E-(N-1) of parts */
	size_t bridge_count; /* edges whose loss splits a part */
	size_t cut_count;    /* nodes whose loss splits a part */
	bool *bridge;        /* one per edge */
	bool *cut;           /* one per node */
};

/* Gives *out; release it with graph_facts_release. HERD_ENOMEM. */
HERD_MUST_CHECK enum herd_error graph_study(size_t nodes,
    const struct graph_edge *edges, size_t edge_count, struct graph_facts *out);
void graph_facts_release(struct graph_facts *facts);

/*
 * Gives each node the number of its part, from 0 on in the order of the parts'
 * first nodes; returns how many parts there are. `part` has room for all nodes.
 */
size_t graph_parts(size_t nodes, const struct graph_edge *edges,
    size_t edge_count, size_t *part);

/* Nodes and twice the edges, times the edges: what graph_thin() may cost. */
#define GRAPH_THIN_STEPS 60000000u

/*
 * Says which edges a flood can do without: gone[i] for edges[i]. Every edge is
 * looked at once, and is taken out if that makes no bridge and no cut vertex
 * that the whole graph does not have. The order is by the sum of the hops of
 * the ends from the centre of their part, the greatest first, then by the
 * lesser end and the other one; so nodes are numbered in the order of their
 * names. The centre is the first of the nodes whose farthest node is nearest.
 * On failure no edge is gone: HERD_ENOMEM, HERD_ELIMIT (GRAPH_THIN_STEPS).
 */
HERD_MUST_CHECK enum herd_error graph_thin(size_t nodes,
    const struct graph_edge *edges, size_t edge_count, bool *gone);

#endif
