/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/client_list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/typed.h"
#include "herd/text.h"
#include "run/fields.h"

/* Most rows that `client ls` collects from a node unless --limit says. */
#define LS_MOST 100000u

struct listing {
	struct run *run;
	const char *query; /* "&near=...", begins with & or is empty */
	size_t most;       /* rows of each node */
	size_t taken;
	bool cut;
};

enum status
client_list_page(struct run *run, const struct target *target,
    const char *query, char **cursor, struct answers *answers)
{
	struct question question = { 0 };
	struct buf path = XBUF;
	const char *next;
	enum status status;

	putf(&path, "/v1/clients?%s", query);
	put_query(&path, "&after=", *cursor);
	question.path = text_of(&path);
	status = ask(run, &question, &target, 1, answers);
	if (status == STATUS_OK)
		status = answers_report(run, answers);
	buf_release(&path);
	next = fields_text(answers->items[0].json, "next");
	free(*cursor);
	*cursor = next == NULL ? NULL : xstrdup(next);
	return status;
}

/* All pages of one node, into rows. Says what fails. */
static enum status
list_node(struct listing *l, const struct target *target)
{
	struct run *run = l->run;
	enum status status = STATUS_OK;
	char *cursor = NULL;

	l->taken = 0;
	do {
		struct answers answers;
		size_t left = l->most - l->taken;
		char *query = xasprintf("limit=%zu%s",
		    left < CLIENT_PAGE ? left : CLIENT_PAGE, l->query);

		status =
		    client_list_page(run, target, query, &cursor, &answers);
		free(query);
		l->taken += (size_t)cJSON_GetArraySize(
		    fields_at(answers.items[0].json, "clients"));
		if (status == STATUS_OK ||
		    (run->all_nodes && status != STATUS_SIGINT &&
			answers.items[0].done))
			fields_rows(run, &answers, "clients", NULL);
		answers_release(&answers);
	} while (status == STATUS_OK && cursor != NULL && l->taken < l->most);
	l->cut = l->cut || (status == STATUS_OK && cursor != NULL);
	free(cursor);
	return status;
}

enum status
client_list(struct run *run, const char *query, bool can_cut,
    void (*write)(struct run *run))
{
	struct listing l = { .run = run, .query = query, .most = LS_MOST };
	uint64_t limit = prefs_number(&run->prefs, PREF_LIMIT);
	struct tally tally = { 0 };
	enum status status = run_targets(run);

	/* Sorting and choosing rows here needs all of them. */
	if (limit > 0 && can_cut && run->prefs.values[PREF_SORT].text == NULL &&
	    run->prefs.values[PREF_WHERE].text == NULL)
		l.most = limit;
	if (status == STATUS_OK)
		status = run_begin(run, &client_view);
	for (size_t i = 0; i < run->target_count && status == STATUS_OK; i++) {
		enum status one = list_node(&l, run->targets[i]);

		if (one == STATUS_SIGINT)
			return one;
		tally_add(&tally, one);
	}
	if (status != STATUS_OK)
		return status;
	if (tally.failed == 0 || run->all_nodes) {
		out_member_bool(&run->out, "complete", !l.cut);
		if (l.cut)
			out_footer(
			    &run->out, "more clients than shown (--limit)");
		if (write != NULL)
			write(run);
		else
			out_end(&run->out);
	}
	return tally_status(&tally);
}

enum status
client_list_near(
    struct run *run, const char *place, const char *km, struct buf *query)
{
	struct buf text = XBUF;
	struct location at;
	double metres;
	struct span number = span_from(km);
	enum status status;

	if (number.len > 2 &&
	    memcmp(number.data + number.len - 2, "km", 2) == 0)
		number.len -= 2;
	status = typed_location(run, place, &text, &at);
	if (status == STATUS_OK &&
	    (value_parse(VALUE_REAL, number, &metres) != HERD_OK ||
		metres <= 0))
		status = run_fail(
		    run, STATUS_USAGE, "`%s' is no distance in km", km);
	if (status == STATUS_OK) {
		put_query(query, "&near=", text_of(&text));
		put_text(query, "&km=");
		must(text_to_percent(query, number));
	}
	buf_release(&text);
	return status;
}
