/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
	size_t *left;     /* per node: its edges, for take_out() */
	const bool *gone; /* per edge: it is left out; NULL: none is */
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
	free(walk->left);
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
	walk->left = array(nodes, sizeof(*walk->left));
	if (walk->heads == NULL || walk->ends == NULL || walk->next == NULL ||
	    walk->order == NULL || walk->low == NULL || walk->via == NULL ||
	    walk->stack == NULL || walk->left == NULL) {
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
		if (end.edge == walk->via[node] ||
		    (walk->gone != NULL && walk->gone[end.edge]))
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

/*
 * Hops from `from` to each node that can be reached, NOWHERE for the others;
 * returns the most.
 */
static size_t
farthest(const struct walk *walk, size_t from, size_t *hops)
{
	size_t *queue = walk->stack;
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

/* Bridges, cut vertices and parts. The arrays of `facts` are there. */
static void
study(const struct walk *walk, size_t edge_count, struct graph_facts *facts)
{
	size_t i, clock = 0;

	for (i = 0; i < walk->nodes; i++) {
		walk->next[i] = walk->heads[i];
		walk->order[i] = NOWHERE;
	}
	memset(facts->bridge, 0, edge_count * sizeof(*facts->bridge));
	memset(facts->cut, 0, walk->nodes * sizeof(*facts->cut));
	facts->parts = 0;
	for (i = 0; i < walk->nodes; i++)
		if (walk->order[i] == NOWHERE) {
			facts->parts++;
			study_part(walk, i, &clock, facts);
		}
	facts->bridge_count = count_true(facts->bridge, edge_count);
	facts->cut_count = count_true(facts->cut, walk->nodes);
}

/* Gives both arrays of `facts`, or none. */
static enum herd_error
facts_init(struct graph_facts *facts, size_t nodes, size_t edge_count)
{
	*facts = (struct graph_facts){ .nodes = nodes, .edges = edge_count };
	facts->bridge = array(edge_count, sizeof(*facts->bridge));
	facts->cut = array(nodes, sizeof(*facts->cut));
	if (facts->bridge != NULL && facts->cut != NULL)
		return HERD_OK;
	graph_facts_release(facts);
	return HERD_ENOMEM;
}

enum herd_error
graph_study(size_t nodes, const struct graph_edge *edges, size_t edge_count,
    struct graph_facts *out)
{
	struct graph_facts facts;
	struct walk walk;
	enum herd_error error;
	size_t i, hops;

	error = walk_init(&walk, nodes, edges, edge_count);
	if (error != HERD_OK)
		return error;
	error = facts_init(&facts, nodes, edge_count);
	if (error != HERD_OK) {
		walk_release(&walk);
		return error;
	}
	study(&walk, edge_count, &facts);
	for (i = 0; i < nodes; i++) {
		hops = farthest(&walk, i, walk.low);
		if (hops > facts.diameter)
			facts.diameter = hops;
	}
	facts.cost = 2u * edge_count + facts.parts - nodes;
	walk_release(&walk);
	*out = facts;
	return HERD_OK;
}

/* --- the eager links ------------------------------------------------------ */

/* An edge, and the sum of its ends' hops from the centre of their part. */
struct ranked {
	size_t hops;
	size_t edge;
	struct graph_edge ends; /* the lesser one first */
};

static int
compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* The farthest first, so that short ways stay. */
static int
compare_ranked(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int order = compare_sizes(b->hops, a->hops);

	if (order == 0)
		order = compare_sizes(a->ends.a, b->ends.a);
	return order != 0 ? order : compare_sizes(a->ends.b, b->ends.b);
}

/*
 * Hops of each node from the centre of its part: from the first of the nodes
 * whose farthest node is nearest.
 */
static void
hops_from_centres(const struct walk *walk, size_t *hops)
{
	size_t *least = walk->low, *one = walk->order;
	size_t i, j, most;

	for (i = 0; i < walk->nodes; i++)
		least[i] = NOWHERE;
	for (i = 0; i < walk->nodes; i++) {
		most = farthest(walk, i, one);
		/* All nodes of a part have the same centre. */
		if (least[i] <= most)
			continue;
		for (j = 0; j < walk->nodes; j++)
			if (one[j] != NOWHERE) {
				hops[j] = one[j];
				least[j] = most;
			}
	}
}

static void
rank_edges(const struct walk *walk, const struct graph_edge *edges,
    size_t edge_count, struct ranked *ranked)
{
	size_t i, *hops = walk->via;

	hops_from_centres(walk, hops);
	for (i = 0; i < edge_count; i++) {
		bool turned = edges[i].a > edges[i].b;

		ranked[i].edge = i;
		ranked[i].hops = hops[edges[i].a] + hops[edges[i].b];
		ranked[i].ends.a = turned ? edges[i].b : edges[i].a;
		ranked[i].ends.b = turned ? edges[i].a : edges[i].b;
	}
	qsort(ranked, edge_count, sizeof(*ranked), compare_ranked);
}

/*
 * A node that has two edges left needs both: without one of them the other is a
 * bridge. This saves half of the studies.
 */
static bool
is_needed(const struct graph_edge *ends, const size_t *left)
{
	return ends->a != ends->b && (left[ends->a] <= 2 || left[ends->b] <= 2);
}

/* Takes out, in their order, all edges that are not needed. */
static void
take_out(struct walk *walk, size_t edge_count, const struct ranked *ranked,
    bool *gone, struct graph_facts *facts)
{
	size_t i, parts, bridges, cuts, *left = walk->left;

	for (i = 0; i < walk->nodes; i++)
		left[i] = walk->heads[i + 1u] - walk->heads[i];
	study(walk, edge_count, facts);
	parts = facts->parts;
	bridges = facts->bridge_count;
	cuts = facts->cut_count;
	walk->gone = gone;
	for (i = 0; i < edge_count; i++) {
		const struct graph_edge *ends = &ranked[i].ends;

		if (is_needed(ends, left))
			continue;
		/* Bridges and cut vertices never go away: counting will do. */
		gone[ranked[i].edge] = true;
		study(walk, edge_count, facts);
		if (facts->parts == parts && facts->bridge_count == bridges &&
		    facts->cut_count == cuts) {
			left[ends->a]--;
			left[ends->b]--;
		} else {
			gone[ranked[i].edge] = false;
		}
	}
}

enum herd_error
graph_thin(
    size_t nodes, const struct graph_edge *edges, size_t edge_count, bool *gone)
{
	struct graph_facts facts;
	struct ranked *ranked;
	struct walk walk;
	enum herd_error error;

	memset(gone, 0, edge_count * sizeof(*gone));
	if (edge_count > 0 &&
	    nodes + 2u * edge_count > GRAPH_THIN_STEPS / edge_count)
		return HERD_ELIMIT;
	error = walk_init(&walk, nodes, edges, edge_count);
	if (error != HERD_OK)
		return error;
	ranked = array(edge_count, sizeof(*ranked));
	error = ranked == NULL ? HERD_ENOMEM
			       : facts_init(&facts, nodes, edge_count);
	if (error == HERD_OK) {
		rank_edges(&walk, edges, edge_count, ranked);
		take_out(&walk, edge_count, ranked, gone, &facts);
		graph_facts_release(&facts);
	}
	free(ranked);
	walk_release(&walk);
	return error;
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
