/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/peer_rows.h"

/* A link among the rows; it has two ends, each with a row of its own node. */
struct end {
	struct span a; /* the names in order */
	struct span b;
	struct span state;
};

struct tally_word {
	struct span word;
	size_t count;
};

static int
by_link(const void *x, const void *y)
{
	const struct end *left = x;
	const struct end *right = y;
	int order = span_compare(left->a, right->a);

	return order != 0 ? order : span_compare(left->b, right->b);
}

static bool
is_same_link(const struct end *x, const struct end *y)
{
	return span_equal(x->a, y->a) && span_equal(x->b, y->b);
}

/* Collects the ends that the rows have, sorted; returns how many. */
static size_t
collect(const struct out *out, struct end *ends)
{
	size_t node = fields_column(out, "node");
	size_t peer = fields_column(out, "peer");
	size_t state = fields_column(out, "state");
	size_t count = 0;

	for (size_t i = 0; i < out->count; i++) {
		const struct value *row = out->rows[i];
		bool ordered;

		if (!row[peer].known || !row[state].known)
			continue;
		ordered = span_compare(row[node].text, row[peer].text) < 0;
		ends[count++] = (struct end){
			.a = ordered ? row[node].text : row[peer].text,
			.b = ordered ? row[peer].text : row[node].text,
			.state = row[state].text,
		};
	}
	if (count > 1)
		qsort(ends, count, sizeof(*ends), by_link);
	return count;
}

/*
 * Leaves one end of each link, with the state of the link: synced only if
 * every end says so. Returns how many links there are.
 */
static size_t
join(struct end *ends, size_t count)
{
	size_t links = 0;

	for (size_t i = 0; i < count; i++) {
		struct end *last = &ends[links > 0 ? links - 1 : 0];

		if (links == 0 || !is_same_link(last, &ends[i]))
			ends[links++] = ends[i];
		else if (span_is(last->state, "synced") ||
			 span_is(ends[i].state, "disabled"))
			last->state = ends[i].state;
	}
	return links;
}

static void
count_words(const struct end *ends, size_t count, struct buf *text)
{
	struct tally_word *words = xcalloc(count + 1, sizeof(*words));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		size_t w = 0;

		while (w < used && !span_equal(words[w].word, ends[i].state))
			w++;
		words[w].word = ends[i].state;
		words[w].count++;
		used += w == used;
	}
	putf(text, "%zu link%s", count, count == 1 ? "" : "s");
	for (size_t w = 0; w < used; w++) {
		putf(text, "%s %zu ", w == 0 ? ":" : ",", words[w].count);
		put_clean(text, words[w].word);
	}
	free(words);
}

static void
add_footer(struct run *run, const struct answers *answers)
{
	struct end *ends = xcalloc(run->out.count + 1, sizeof(*ends));
	size_t count = join(ends, collect(&run->out, ends));
	struct buf text = XBUF;
	size_t silent = 0;

	answers_each(a, answers)
		silent += a->status != STATUS_OK;
	count_words(ends, count, &text);
	if (silent > 0)
		putf(&text, "; %zu node%s unreachable", silent,
		    silent == 1 ? "" : "s");
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
	free(ends);
}

/* A link that somebody disabled stays so until somebody enables it. */
static void
say_hint(struct run *run, const struct answers *answers)
{
	answers_each(a, answers) {
		const cJSON *peer;

		cJSON_ArrayForEach(peer, fields_at(a->json, "peers")) {
			if (!peer_rows_is_disabled(peer))
				continue;
			peer_rows_hint_enable(run, a->target, peer);
			return;
		}
	}
}

static enum status
peer_ls_run(struct run *run)
{
	struct answers answers;
	enum status status = fields_ask(
	    run, &(struct fields_request){ .path = "/v1/peers" }, &answers);

	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, "peers", peer_rows_derive);
	add_footer(run, &answers);
	status = fields_report(run, &answers);
	say_hint(run, &answers);
	answers_release(&answers);
	return status;
}

const struct command cmd_peer_ls = {
	.path = "peer ls",
	.summary = "list a node's links",
	.help =
	    "With -n all each end of a link has a row, and the last line counts "
	    "a link once: it is synced only if both ends say so.",
	.group = GROUP_LINKS,
	.view = &peer_rows_view,
	.traits = COMMAND_READ,
	.run = peer_ls_run,
	.example = "peer ls --where 'state != synced'",
};
