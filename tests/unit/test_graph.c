/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit.h"

#include "herd/graph.h"

#define EDGES_MAX 64u

/* "01 12 23": each pair of digits an edge. */
static size_t
edges_from(const char *text, struct graph_edge *edges)
{
	size_t count = 0;

	for (; *text != '\0'; text += text[2] == ' ' ? 3 : 2)
		edges[count++] = (struct graph_edge){ (size_t)(text[0] - '0'),
			(size_t)(text[1] - '0') };
	return count;
}

static void
test_shapes_have_their_facts(void **state HERD_UNUSED)
{
	static const struct {
		size_t nodes;
		const char *edges;
		size_t parts, diameter, cost;
		const char *bridges; /* one letter per edge */
		const char *cuts;    /* one letter per node */
	} cases[] = {
		{ 0, "", 0, 0, 0, "", "" },
		{ 1, "", 1, 0, 0, "", "n" },
		{ 2, "", 2, 0, 0, "", "nn" },
		{ 2, "01", 1, 1, 1, "y", "nn" },
		{ 3, "01 12", 1, 2, 2, "yy", "nyn" },
		{ 3, "01 12 20", 1, 1, 4, "nnn", "nnn" },
		/* a star */
		{ 5, "01 02 03 04", 1, 2, 4, "yyyy", "ynnnn" },
		/* two triangles that share a node */
		{ 5, "01 12 20 23 34 42", 1, 2, 8, "nnnnnn", "nnynn" },
		/* two triangles with a bridge */
		{ 6, "01 12 20 23 34 45 53", 1, 3, 9, "nnnynnn", "nnyynn" },
		/* two parts */
		{ 5, "01 12 20 34", 2, 1, 5, "nnny", "nnnnn" },
		/* parallel edges are no bridge */
		{ 2, "01 01", 1, 1, 3, "nn", "nn" },
		/* the herd of the course: six edges, five nodes */
		{ 5, "01 02 13 14 23 34", 1, 2, 8, "nnnnnn", "nnnnn" },
	};
	struct graph_edge edges[EDGES_MAX];
	struct graph_facts facts;
	size_t i, j, count, part[16];

	for (i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		count = edges_from(cases[i].edges, edges);
		assert_int_equal(
		    graph_parts(cases[i].nodes, edges, count, part),
		    cases[i].parts);
		for (j = 0; j < count; j++)
			assert_int_equal(part[edges[j].a], part[edges[j].b]);
		for (j = 0; j < cases[i].nodes; j++)
			assert_true(part[j] < cases[i].parts);
		assert_ok(graph_study(cases[i].nodes, edges, count, &facts));
		assert_int_equal(facts.nodes, cases[i].nodes);
		assert_int_equal(facts.edges, count);
		assert_int_equal(facts.parts, cases[i].parts);
		assert_int_equal(facts.diameter, cases[i].diameter);
		assert_int_equal(facts.cost, cases[i].cost);
		for (j = 0; j < count; j++)
			assert_int_equal(
			    facts.bridge[j], cases[i].bridges[j] == 'y');
		for (j = 0; j < cases[i].nodes; j++)
			assert_int_equal(facts.cut[j], cases[i].cuts[j] == 'y');
		graph_facts_release(&facts);
	}
}

static size_t
parts_without(size_t nodes, const struct graph_edge *edges, size_t count,
    size_t node, size_t edge)
{
	bool seen[16] = { false }, grown;
	size_t parts = 0, i, start;

	for (start = 0; start < nodes; start++) {
		if (start == node || seen[start])
			continue;
		parts++;
		seen[start] = true;
		do {
			grown = false;
			for (i = 0; i < count; i++) {
				if (i == edge || edges[i].a == node ||
				    edges[i].b == node ||
				    seen[edges[i].a] == seen[edges[i].b])
					continue;
				seen[edges[i].a] = seen[edges[i].b] = true;
				grown = true;
			}
		} while (grown);
	}
	return parts;
}

/* What is a bridge or a cut vertex is found by taking each away. */
static void
test_random_graphs_agree_with_taking_away(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("graphs");
	struct graph_edge edges[24];
	struct graph_facts facts;
	size_t step, nodes, count, i, parts, left;

	for (step = 0; step < 20000; step++) {
		nodes = 2 + unit_below(&random, 9);
		count = unit_below(&random, HERD_ARRAY_LEN(edges));
		for (i = 0; i < count; i++) {
			edges[i].a = unit_below(&random, nodes);
			edges[i].b = (edges[i].a + 1u +
					 unit_below(&random, nodes - 1u)) %
				     nodes;
		}
		assert_ok(graph_study(nodes, edges, count, &facts));
		parts = parts_without(nodes, edges, count, 99, 99);
		assert_int_equal(facts.parts, parts);
		for (i = 0; i < count; i++)
			assert_int_equal(facts.bridge[i],
			    parts_without(nodes, edges, count, 99, i) > parts);
		for (i = 0; i < nodes; i++) {
			left = parts_without(nodes, edges, count, i, 99);
			assert_int_equal(facts.cut[i], left > parts);
		}
		graph_facts_release(&facts);
	}
}

/* --- thinning: by brute force, in the written order ----------------------- */

#define SMALL_MAX 10u

struct small_graph {
	size_t nodes, count;
	struct graph_edge edges[24];
};

/* Bridges, then cut vertices, as bits; by taking each away. */
static uint64_t
weak_points(const struct small_graph *g, const bool *gone)
{
	struct graph_edge left[24] = { 0 };
	size_t place[24], count = 0, i, parts;
	uint64_t weak = 0;

	for (i = 0; i < g->count; i++)
		if (!gone[i]) {
			place[count] = i;
			left[count++] = g->edges[i];
		}
	parts = parts_without(g->nodes, left, count, 99, 99);
	for (i = 0; i < count; i++)
		if (parts_without(g->nodes, left, count, 99, i) > parts)
			weak |= UINT64_C(1) << place[i];
	for (i = 0; i < g->nodes; i++)
		if (parts_without(g->nodes, left, count, i, 99) > parts)
			weak |= UINT64_C(1) << (32u + i);
	return weak | (uint64_t)parts << 48;
}

/* Hops between all nodes, 99 for no way. */
static void
small_hops(const struct small_graph *g, size_t hops[SMALL_MAX][SMALL_MAX])
{
	size_t i, j, k;

	for (i = 0; i < g->nodes; i++)
		for (j = 0; j < g->nodes; j++)
			hops[i][j] = i == j ? 0 : 99;
	for (i = 0; i < g->count; i++) {
		hops[g->edges[i].a][g->edges[i].b] = 1;
		hops[g->edges[i].b][g->edges[i].a] = 1;
	}
	for (k = 0; k < g->nodes; k++)
		for (i = 0; i < g->nodes; i++)
			for (j = 0; j < g->nodes; j++)
				if (hops[i][k] + hops[k][j] < hops[i][j])
					hops[i][j] = hops[i][k] + hops[k][j];
}

static size_t
small_centre(
    const struct small_graph *g, size_t node, size_t hops[SMALL_MAX][SMALL_MAX])
{
	size_t best = 0, best_far = 99, i, j, far;

	for (i = 0; i < g->nodes; i++) {
		if (hops[node][i] >= 99)
			continue;
		for (far = 0, j = 0; j < g->nodes; j++)
			if (hops[i][j] < 99 && hops[i][j] > far)
				far = hops[i][j];
		if (far < best_far) {
			best_far = far;
			best = i;
		}
	}
	return best;
}

/* The next edge in the written order that was not looked at. */
static size_t
small_next(const struct small_graph *g, const bool *seen,
    size_t hops[SMALL_MAX][SMALL_MAX])
{
	size_t best = 99, best_key = 0, i;

	for (i = 0; i < g->count; i++) {
		size_t a = g->edges[i].a, b = g->edges[i].b;
		size_t centre = small_centre(g, a, hops);
		size_t low = a < b ? a : b, high = a < b ? b : a;
		size_t key = (hops[centre][a] + hops[centre][b]) * 1000 +
			     (9 - low) * 10 + (9 - high) + 1;

		if (!seen[i] && key > best_key) {
			best_key = key;
			best = i;
		}
	}
	return best;
}

static void
test_thinning_follows_the_written_order(void **state HERD_UNUSED)
{
	struct unit_random random = unit_random("thin graphs");
	size_t hops[SMALL_MAX][SMALL_MAX], i, at, tries;

	for (size_t step = 0; step < 3000; step++) {
		bool gone[24] = { false }, seen[24] = { false }, thin[24];
		struct small_graph g = { .nodes = 2 + unit_below(&random, 9) };
		uint64_t weak;

		for (tries = unit_below(&random, 24); tries > 0; tries--) {
			size_t a = unit_below(&random, g.nodes);
			size_t b =
			    (a + 1u + unit_below(&random, g.nodes - 1u)) %
			    g.nodes;

			for (i = 0; i < g.count; i++)
				if ((g.edges[i].a == a && g.edges[i].b == b) ||
				    (g.edges[i].a == b && g.edges[i].b == a))
					break;
			if (i == g.count)
				g.edges[g.count++] =
				    (struct graph_edge){ a, b };
		}
		small_hops(&g, hops);
		weak = weak_points(&g, gone);
		for (i = 0; i < g.count; i++) {
			at = small_next(&g, seen, hops);
			seen[at] = gone[at] = true;
			gone[at] = weak_points(&g, gone) == weak;
		}
		assert_ok(graph_thin(g.nodes, g.edges, g.count, thin));
		for (i = 0; i < g.count; i++)
			assert_int_equal(thin[i], gone[i]);
	}
}

static void
test_thinning_of_known_shapes(void **state HERD_UNUSED)
{
	static const struct {
		size_t nodes;
		const char *edges;
		const char *gone; /* one letter per edge */
	} cases[] = {
		{ 0, "", "" },
		{ 2, "01", "n" },
		{ 3, "01 12", "nn" },
		{ 3, "01 12 20", "nnn" },
		/* two triangles that share a node */
		{ 5, "01 12 20 23 34 42", "nnnnnn" },
		/* the herd of the course: the chord of its ring of five goes */
		{ 5, "01 02 13 23 24 34", "nnnynn" },
		/* all four with all: a ring is left */
		{ 4, "01 02 03 12 13 23", "nnyynn" },
		/* two parts */
		{ 8, "01 12 23 30 02 45 56 67 74 46", "nnnnynnnny" },
	};
	struct graph_edge edges[EDGES_MAX];
	bool gone[EDGES_MAX];

	for (size_t i = 0; i < HERD_ARRAY_LEN(cases); i++) {
		size_t count = edges_from(cases[i].edges, edges);

		assert_ok(graph_thin(cases[i].nodes, edges, count, gone));
		for (size_t j = 0; j < count; j++)
			assert_int_equal(gone[j], cases[i].gone[j] == 'y');
	}
}

/* About 4-regular, as large herds are: hardly more than a ring is left. */
static void
test_thinning_of_large_herds(void **state HERD_UNUSED)
{
	static const size_t sizes[] = { 100, 1000 };
	static struct graph_edge edges[2000], kept[2000];
	static bool gone[2000];
	struct unit_random random = unit_random("large herds");
	struct graph_facts before, after;

	for (size_t i = 0; i < HERD_ARRAY_LEN(sizes); i++) {
		size_t n = sizes[i], count = 0, left = 0;

		for (size_t j = 0; j < n; j++) {
			edges[count++] = (struct graph_edge){ j, (j + 1) % n };
			edges[count++] = (struct graph_edge){ j,
				(j + 2 + unit_below(&random, n - 3)) % n };
		}
		assert_ok(graph_thin(n, edges, count, gone));
		for (size_t j = 0; j < count; j++)
			if (!gone[j])
				kept[left++] = edges[j];
		assert_ok(graph_study(n, edges, count, &before));
		assert_ok(graph_study(n, kept, left, &after));
		assert_int_equal(after.parts, before.parts);
		assert_int_equal(after.bridge_count, before.bridge_count);
		assert_int_equal(after.cut_count, before.cut_count);
		assert_true(left < n + n / 5);
		graph_facts_release(&before);
		graph_facts_release(&after);
	}
}

static void
test_thinning_has_a_bound(void **state HERD_UNUSED)
{
	enum { N = 6000 };
	static struct graph_edge edges[N];
	static bool gone[N];

	for (size_t i = 0; i < N; i++)
		edges[i] = (struct graph_edge){ i, (i + 1) % N };
	gone[7] = true;
	assert_int_equal(graph_thin(N, edges, N, gone), HERD_ELIMIT);
	assert_false(gone[7]);
}

static void
test_long_chain_needs_no_deep_stack(void **state HERD_UNUSED)
{
	enum { N = 3000 };
	static struct graph_edge edges[N - 1];
	struct graph_facts facts;
	size_t i;

	for (i = 0; i < N - 1; i++)
		edges[i] = (struct graph_edge){ i, i + 1u };
	assert_ok(graph_study(N, edges, N - 1, &facts));
	assert_int_equal(facts.diameter, N - 1);
	assert_int_equal(facts.bridge_count, N - 1);
	assert_int_equal(facts.cut_count, N - 2);
	graph_facts_release(&facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes_have_their_facts),
		cmocka_unit_test(test_random_graphs_agree_with_taking_away),
		cmocka_unit_test(test_thinning_follows_the_written_order),
		cmocka_unit_test(test_thinning_of_known_shapes),
		cmocka_unit_test(test_thinning_of_large_herds),
		cmocka_unit_test(test_thinning_has_a_bound),
		cmocka_unit_test(test_long_chain_needs_no_deep_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
