/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/eager.h"

#include <stdlib.h>
#include <string.h>

#include "herd/buf.h"
#include "herd/siphash.h"

#define TEXT_MAX (64u << 20)

/* A node in the order of names. */
struct place {
	const char *name;
	size_t node;
};

/* The herd with its nodes in the order of their names. */
struct sorted {
	struct place *places;     /* per node, in that order */
	size_t *at;               /* per node: its place */
	struct graph_edge *links; /* of places, the lesser first */
	size_t nodes;
	size_t count;
};

static void
sorted_release(struct sorted *sorted)
{
	free(sorted->places);
	free(sorted->at);
	free(sorted->links);
}

static int
compare_places(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static enum herd_error
sorted_init(struct sorted *sorted, const char *const *names, size_t nodes,
    const struct graph_edge *links, size_t count)
{
	sorted->nodes = nodes;
	sorted->count = count;
	sorted->places = calloc(nodes + 1u, sizeof(*sorted->places));
	sorted->at = calloc(nodes + 1u, sizeof(*sorted->at));
	sorted->links = calloc(count + 1u, sizeof(*sorted->links));
	if (sorted->places == NULL || sorted->at == NULL ||
	    sorted->links == NULL) {
		sorted_release(sorted);
		return HERD_ENOMEM;
	}
	for (size_t i = 0; i < nodes; i++)
		sorted->places[i] = (struct place){ names[i], i };
	qsort(sorted->places, nodes, sizeof(*sorted->places), compare_places);
	for (size_t i = 0; i < nodes; i++)
		sorted->at[sorted->places[i].node] = i;
	for (size_t i = 0; i < count; i++) {
		size_t a = sorted->at[links[i].a], b = sorted->at[links[i].b];

		sorted->links[i] = a < b ? (struct graph_edge){ a, b }
					 : (struct graph_edge){ b, a };
	}
	return HERD_OK;
}

/* --- the hash ------------------------------------------------------------- */

struct listed {
	struct graph_edge ends;
	bool rests;
};

static int
compare_listed(const void *x, const void *y)
{
	const struct listed *a = x, *b = y;

	if (a->ends.a != b->ends.a)
		return a->ends.a < b->ends.a ? -1 : 1;
	return (a->ends.b > b->ends.b) - (a->ends.b < b->ends.b);
}

static enum herd_error
write_herd(
    const struct sorted *sorted, const struct listed *listed, struct buf *text)
{
	enum herd_error error = HERD_OK;

	for (size_t i = 0; i < sorted->nodes && error == HERD_OK; i++)
		error = buf_addf(text, "node %s\n", sorted->places[i].name);
	for (size_t i = 0; i < sorted->count && error == HERD_OK; i++)
		error = buf_addf(text, "%s %s %s\n",
		    listed[i].rests ? "rests" : "eager",
		    sorted->places[listed[i].ends.a].name,
		    sorted->places[listed[i].ends.b].name);
	return error;
}

static enum herd_error
hash_herd(const struct sorted *sorted, struct eager *eager)
{
	const struct siphash_key key = { 0, 0 };
	struct listed *listed = calloc(sorted->count + 1u, sizeof(*listed));
	enum herd_error error;
	struct buf text;

	if (listed == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < sorted->count; i++)
		listed[i] =
		    (struct listed){ sorted->links[i], eager->rests[i] };
	qsort(listed, sorted->count, sizeof(*listed), compare_listed);
	buf_init(&text, TEXT_MAX);
	error = write_herd(sorted, listed, &text);
	if (error == HERD_OK)
		eager->hash =
		    siphash(&key, buf_span(&text).data, buf_span(&text).len);
	if (eager->hash == 0)
		eager->hash = 1;
	buf_release(&text);
	free(listed);
	return error;
}

/* --- finding them --------------------------------------------------------- */

/* What an update costs when the others rest. */
static enum herd_error
study_eager(const struct sorted *sorted, struct eager *eager)
{
	struct graph_edge *kept = calloc(sorted->count + 1u, sizeof(*kept));
	struct graph_facts facts;
	enum herd_error error;

	if (kept == NULL)
		return HERD_ENOMEM;
	for (size_t i = 0; i < sorted->count; i++) {
		if (!eager->rests[i])
			kept[eager->count++] = sorted->links[i];
	}
	error = graph_study(sorted->nodes, kept, eager->count, &facts);
	if (error == HERD_OK) {
		eager->cost = facts.cost;
		eager->diameter = facts.diameter;
		graph_facts_release(&facts);
	}
	free(kept);
	return error;
}

enum herd_error
eager_find(const char *const *names, size_t nodes,
    const struct graph_edge *links, size_t count, struct eager *out)
{
	struct eager eager = { .links = count };
	struct sorted sorted;
	enum herd_error error =
	    sorted_init(&sorted, names, nodes, links, count);

	if (error != HERD_OK)
		return error;
	eager.rests = calloc(count + 1u, sizeof(*eager.rests));
	eager.part = calloc(nodes + 1u, sizeof(*eager.part));
	if (eager.rests == NULL || eager.part == NULL) {
		error = HERD_ENOMEM;
	} else {
		(void)graph_parts(nodes, links, count, eager.part);
		error = graph_thin(nodes, sorted.links, count, eager.rests);
		eager.is_too_large = error == HERD_ELIMIT;
		if (eager.is_too_large)
			error = HERD_OK;
	}
	if (error == HERD_OK)
		error = study_eager(&sorted, &eager);
	if (error == HERD_OK)
		error = hash_herd(&sorted, &eager);
	sorted_release(&sorted);
	if (error != HERD_OK)
		eager_release(&eager);
	else
		*out = eager;
	return error;
}

enum herd_error
eager_of_file(const struct herdfile *file, struct eager *out)
{
	const char **names = calloc(file->node_count + 1u, sizeof(*names));
	struct graph_edge *links =
	    calloc(file->link_count + 1u, sizeof(*links));
	enum herd_error error = HERD_ENOMEM;

	if (names != NULL && links != NULL) {
		for (size_t i = 0; i < file->node_count; i++)
			names[i] = file->nodes[i].name;
		for (size_t i = 0; i < file->link_count; i++)
			links[i] = (struct graph_edge){ file->links[i].a,
				file->links[i].b };
		error = eager_find(
		    names, file->node_count, links, file->link_count, out);
	}
	free(names);
	free(links);
	return error;
}

void
eager_release(struct eager *eager)
{
	free(eager->rests);
	free(eager->part);
	*eager = (struct eager){ 0 };
}
