/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/graph.h"

#include <assert.h>
#include <stdlib.h>

#define NOWHERE ((size_t)-1)

/* Neighbours of node n: heads[n] up to heads[n + 1] of `ends`. */
struct half_edge {
	size_t to;
	size_t edge;
};

struct walk {
	size_t nodes;
	size_t *heads;          /* nodes + 1 */
	struct half_edge *ends; /* two per edge */
	size_t *next;           /* per node: the half edge to take next */
	size_t *order;          /* per node: when first seen, or NOWHERE */
	size_t *low;            /* per node: earliest node it can go back to */
	size_t *via;            /* per node: the edge by which it was seen */
	size_t *stack;
};

static void
walk_release(struct walk *walk)
{
	free(walk->heads);
	free(walk->ends);
	free(walk->next);
	free(walk->order);
	free(walk->low);
	free(walk->via);
	free(walk->stack);
}

/* calloc(0) may give NULL, which is no failure. */
static void *
array(size_t count, size_t size)
{
	return calloc(count + 1u, size);
}

static enum herd_error
walk_init(struct walk *walk, size_t nodes, const struct graph_edge *edges,
    size_t edge_count)
{
	size_t i;

	*walk = (struct walk){ .nodes = nodes };
	walk->heads = array(nodes + 1u, sizeof(*walk->heads));
	walk->ends = array(2u * edge_count, sizeof(*walk->ends));
	walk->next = array(nodes, sizeof(*walk->next));
	walk->order = array(nodes, sizeof(*walk->order));
	walk->low = array(nodes, sizeof(*walk->low));
	walk->via = array(nodes, sizeof(*walk->via));
	walk->stack = array(nodes, sizeof(*walk->stack));
	if (walk->heads == NULL || walk->ends == NULL || walk->next == NULL ||
	    walk->order == NULL || walk->low == NULL || walk->via == NULL ||
	    walk->stack == NULL) {
		walk_release(walk);
		return HERD_ENOMEM;
	}
	/* Count, sum up, fill from the back: the usual counting sort. */
	for (i = 0; i < edge_count; i++) {
		assert(edges[i].a < nodes && edges[i].b < nodes);
		walk->heads[edges[i].a]++;
		walk->heads[edges[i].b]++;
	}
	for (i = 1; i <= nodes; i++)
		walk->heads[i] += walk->heads[i - 1u];
	for (i = edge_count; i-- > 0;) {
		walk->ends[--walk->heads[edges[i].a]] =
		    (struct half_edge){ edges[i].b, i };
		walk->ends[--walk->heads[edges[i].b]] =
		    (struct half_edge){ edges[i].a, i };
	}
	for (i = 0; i < nodes; i++) {
		walk->next[i] = walk->heads[i];
		walk->order[i] = NOWHERE;
	}
	return HERD_OK;
}

/* Back from `node` to `parent`, with what the subtree of `node` showed. */
static void
leave(const struct walk *walk, size_t parent, size_t node, bool parent_is_root,
    struct graph_facts *facts)
{
	if (walk->low[node] < walk->low[parent])
		walk->low[parent] = walk->low[node];
	if (walk->low[node] > walk->order[parent])
		facts->bridge[walk->via[node]] = true;
	if (walk->low[node] >= walk->order[parent] && !parent_is_root)
		facts->cut[parent] = true;
}

/*
 * Depth-first from `root`, with a stack of its own since a herd may be one
 * long chain. Source: Hopcroft and Tarjan, Algorithm 447 (1973): an edge is a
 * bridge if what is beyond it has no other way back; a root is a cut vertex if
 * the walk had to start from it twice.
 */
static void
study_part(const struct walk *walk, size_t root, size_t *clock,
    struct graph_facts *facts)
{
	size_t depth = 1, node, to, children = 0;
	struct half_edge end;

	walk->stack[0] = root;
	walk->order[root] = walk->low[root] = (*clock)++;
	walk->via[root] = NOWHERE;
	while (depth > 0) {
		node = walk->stack[depth - 1u];
		if (walk->next[node] == walk->heads[node + 1u]) {
			depth--;
			if (depth > 0)
				leave(walk, walk->stack[depth - 1u], node,
				    depth == 1, facts);
			continue;
		}
		end = walk->ends[walk->next[node]++];
		to = end.to;
		if (end.edge == walk->via[node])
			continue;
		if (walk->order[to] != NOWHERE) {
			if (walk->order[to] < walk->low[node])
				walk->low[node] = walk->order[to];
			continue;
		}
		children += node == root;
		walk->order[to] = walk->low[to] = (*clock)++;
		walk->via[to] = end.edge;
		walk->stack[depth++] = to;
	}
	if (children > 1)
		facts->cut[root] = true;
}

/* Hops from `from` to the farthest node that can be reached. */
static size_t
farthest(const struct walk *walk, size_t from)
{
	size_t *queue = walk->stack, *hops = walk->low;
	size_t taken = 0, seen = 1, i, node, to;

	for (i = 0; i < walk->nodes; i++)
		hops[i] = NOWHERE;
	queue[0] = from;
	hops[from] = 0;
	while (taken < seen) {
		node = queue[taken++];
		for (i = walk->heads[node]; i < walk->heads[node + 1u]; i++) {
			to = walk->ends[i].to;
			if (hops[to] == NOWHERE) {
				hops[to] = hops[node] + 1u;
				queue[seen++] = to;
			}
		}
	}
	return hops[queue[seen - 1u]];
}

static size_t
count_true(const bool *flags, size_t count)
{
	size_t i, sum = 0;

	for (i = 0; i < count; i++)
		sum += flags[i];
	return sum;
}

enum herd_error
graph_study(size_t nodes, const struct graph_edge *edges, size_t edge_count,
    struct graph_facts *out)
{
	struct graph_facts facts = { .nodes = nodes, .edges = edge_count };
	size_t i, hops, clock = 0;
	struct walk walk;
	enum herd_error error;

	error = walk_init(&walk, nodes, edges, edge_count);
	if (error != HERD_OK)
		return error;
	facts.bridge = array(edge_count, sizeof(*facts.bridge));
	facts.cut = array(nodes, sizeof(*facts.cut));
	if (facts.bridge == NULL || facts.cut == NULL) {
		graph_facts_release(&facts);
		walk_release(&walk);
		return HERD_ENOMEM;
	}
	for (i = 0; i < nodes; i++)
		if (walk.order[i] == NOWHERE) {
			facts.parts++;
			study_part(&walk, i, &clock, &facts);
		}
	for (i = 0; i < nodes; i++) {
		hops = farthest(&walk, i);
		if (hops > facts.diameter)
			facts.diameter = hops;
	}
	facts.cost = 2u * edge_count + facts.parts - nodes;
	facts.bridge_count = count_true(facts.bridge, edge_count);
	facts.cut_count = count_true(facts.cut, nodes);
	walk_release(&walk);
	*out = facts;
	return HERD_OK;
}

/* The first node of the part, by `part` as each node's way to it. */
static size_t
first_of(size_t *part, size_t node)
{
	while (part[node] != node) {
		part[node] = part[part[node]];
		node = part[node];
	}
	return node;
}

size_t
graph_parts(size_t nodes, const struct graph_edge *edges, size_t edge_count,
    size_t *part)
{
	size_t i, a, b, count = 0;

	for (i = 0; i < nodes; i++)
		part[i] = i;
	for (i = 0; i < edge_count; i++) {
		a = first_of(part, edges[i].a);
		b = first_of(part, edges[i].b);
		if (a < b)
			part[b] = a;
		else
			part[a] = b;
	}
	for (i = 0; i < nodes; i++)
		part[i] = first_of(part, i);
	/* A first node comes before the rest of its part. */
	for (i = 0; i < nodes; i++)
		part[i] = part[i] == i ? count++ : part[part[i]];
	return count;
}

void
graph_facts_release(struct graph_facts *facts)
{
	free(facts->bridge);
	free(facts->cut);
	*facts = (struct graph_facts){ 0 };
}
