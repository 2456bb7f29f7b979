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
		cmocka_unit_test(test_long_chain_needs_no_deep_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
