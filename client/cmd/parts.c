/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/parts.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/graph.h"
#include "run/fields.h"

#define OTHERS_NS (300 * HERD_NS_PER_MS)

/* What the two ends of a link say of it. */
enum link_life { LIFE_UNKNOWN, LIFE_NONE, LIFE_LIVES };

/* A session lives in these states: reports cross the link. */
static bool
is_live(const char *state)
{
	return state != NULL && (strcmp(state, "synced") == 0 ||
				    strcmp(state, "comparing") == 0);
}

static const struct answer *
answer_of(const struct answers *status, const char *node)
{
	answers_each(a, status) {
		if (a->status == STATUS_OK &&
		    strcmp(a->target->name, node) == 0)
			return a;
	}
	return NULL;
}

/* `down' has each link that is not synced. */
static enum link_life
life_by(const struct answer *a, const char *peer)
{
	const cJSON *down = fields_at(a == NULL ? NULL : a->json, "peers.down");
	const cJSON *item;

	if (!cJSON_IsArray(down))
		return LIFE_UNKNOWN;
	cJSON_ArrayForEach(item, down) {
		if (fields_says(item, "peer", peer))
			return is_live(fields_text(item, "state")) ? LIFE_LIVES
								   : LIFE_NONE;
	}
	return LIFE_LIVES;
}

/* A link lives if both ends say so, or the only one that says anything. */
static enum link_life
life_of(const struct answers *status, const struct herdfile *file,
    const struct herdfile_link *link)
{
	const char *a = file->nodes[link->a].name;
	const char *b = file->nodes[link->b].name;
	enum link_life by_a = life_by(answer_of(status, a), b);
	enum link_life by_b = life_by(answer_of(status, b), a);

	if (by_a == LIFE_UNKNOWN || by_b == LIFE_UNKNOWN)
		return by_a == LIFE_UNKNOWN ? by_b : by_a;
	return by_a < by_b ? by_a : by_b;
}

/* Numbers the parts that links of at least that life make. */
static void
number_parts(const struct answers *status, const struct herdfile *file,
    bool with_unknown, size_t *part)
{
	struct graph_edge *edges =
	    xcalloc(file->link_count + 1, sizeof(*edges));
	size_t count = 0;

	for (size_t i = 0; i < file->link_count; i++) {
		const struct herdfile_link *link = &file->links[i];
		enum link_life life = life_of(status, file, link);

		if (life == LIFE_LIVES ||
		    (life == LIFE_UNKNOWN && with_unknown))
			edges[count++] =
			    (struct graph_edge){ link->a, link->b };
	}
	(void)graph_parts(file->node_count, edges, count, part);
	free(edges);
}

/*
 * Counts parts that have a node that answers: one that is down is no part of
 * its own. With `names` lists them all with their nodes.
 */
static size_t
count_parts(const struct answers *status, const struct herdfile *file,
    const size_t *part, struct buf *names)
{
	bool *has = xcalloc(file->node_count + 1, sizeof(*has));
	size_t count = 0;

	for (size_t i = 0; i < file->node_count; i++) {
		if (answer_of(status, file->nodes[i].name) != NULL)
			has[part[i]] = true;
	}
	for (size_t p = 0; p < file->node_count; p++) {
		const char *comma = count == 0 ? "" : " | ";

		if (!has[p])
			continue;
		count++;
		for (size_t i = 0; i < file->node_count && names != NULL; i++) {
			if (part[i] != p)
				continue;
			putf(names, "%s%s", comma, file->nodes[i].name);
			comma = ", ";
		}
	}
	free(has);
	return count;
}

void
parts_find(
    const struct run *run, const struct answers *status, struct parts *out)
{
	const struct herdfile *file = &run->herd->file;
	size_t *part;
	size_t least;

	*out = (struct parts){ .names = XBUF };
	if (!run->herd->has_file)
		return;
	part = xcalloc(file->node_count + 1, sizeof(*part));
	number_parts(status, file, true, part);
	out->count = count_parts(status, file, part, &out->names);
	number_parts(status, file, false, part);
	least = count_parts(status, file, part, NULL);
	out->certain = out->count == least;
	out->known = least > 0;
	free(part);
}

void
parts_release(struct parts *parts)
{
	buf_release(&parts->names);
}

static bool
is_among(const struct answers *status, const struct target *target)
{
	answers_each(a, status) {
		if (a->target == target)
			return true;
	}
	return false;
}

static bool
any_answered(const struct answers *status)
{
	answers_each(a, status) {
		if (a->status == STATUS_OK)
			return true;
	}
	return false;
}

enum status
parts_ask(struct run *run, const struct answers *status, struct parts *out)
{
	const struct question question = { .path = "/v1/status" };
	const struct target **others =
	    xcalloc(run->herd->count + 1, sizeof(*others));
	struct mono deadline = run->deadline;
	struct mono soon = mono_add(now_mono(), OTHERS_NS);
	struct answers more;
	struct answers all;
	size_t count = 0;
	enum status result;

	for (size_t i = 0; i < run->herd->count && any_answered(status); i++) {
		if (!is_among(status, &run->herd->targets[i]))
			others[count++] = &run->herd->targets[i];
	}
	if (deadline.ns == NO_DEADLINE.ns || soon.ns < deadline.ns)
		run->deadline = soon;
	result = ask(run, &question, others, count, &more);
	run->deadline = deadline;
	all.count = status->count + more.count;
	all.items = xcalloc(all.count + 1, sizeof(*all.items));
	memcpy(all.items, status->items, status->count * sizeof(*all.items));
	memcpy(all.items + status->count, more.items,
	    more.count * sizeof(*all.items));
	parts_find(run, &all, out);
	free(all.items); /* which borrowed the answers */
	answers_release(&more);
	free(others);
	return result;
}

void
parts_rows(struct run *run, const struct answers *status, struct parts *parts)
{
	struct out *out = &run->out;

	answers_each(a, status) {
		if (a->status != STATUS_OK) {
			/* One node that fails is an error, not a table. */
			if (run->all_nodes)
				answer_put_failure(out, a);
			continue;
		}
		out_raw(out, buf_span(&a->body));
		fields_set_node(out, a->target->name);
		fields_fill_row(out, a->json);
		if (parts->count > 1)
			out_text(out, fields_column(out, "split"),
			    buf_span(&parts->names));
		out_row(out);
	}
}
