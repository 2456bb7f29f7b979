/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client ls and near: pages of the admin API until there are enough.
 */
#include "cmd/client_columns.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/data.h"
#include "herd/text.h"
#include "run/fields.h"
#include "cmd/table_family.h"
#include "base/xbuf.h"

/* Most rows that `client ls` collects from a node unless --limit says. */
#define LS_MOST 100000u

static const struct column list_columns[CLIENT_COLUMNS] = {
	[CLIENT_NODE] = { "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_LABEL,
	    0, NULL, 0 },
	[CLIENT_ID] = { "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK, 0, "client", 0 },
	[CLIENT_TIME] = { "time", "CLIENT TIME", LEAF_TIME, 0, 2, "time", 0 },
	[CLIENT_LOCATION] = { "location", "LOCATION", LEAF_PLACE, 0, 1,
	    "location", 0 },
	[CLIENT_DISTANCE] = { "distance_m", "DISTANCE", LEAF_DISTANCE,
	    COLUMN_IF_ANY, 0, "distance_m", 0 },
	[CLIENT_RECEIVED] = { "received_at", "RECEIVED", LEAF_CLOCK, 0, 4,
	    "received_at", 0 },
	[CLIENT_AHEAD] = { "ahead_s", "AHEAD", LEAF_SECONDS, COLUMN_IF_ANY, 6,
	    "ahead_s", 0 },
	[CLIENT_LAG] = { "lag_ms", "LAG", LEAF_MS, COLUMN_MACHINE, 5, NULL, 0 },
	[CLIENT_STATUS] = { "status", "STATUS", LEAF_STATE,
	    COLUMN_STATE | COLUMN_IF_ANY, 0, NULL, 0 },
	[CLIENT_ORIGIN] = { "origin", "ORIGIN", LEAF_TEXT, 0, 3, "node", 0 },
	[CLIENT_SKEW] = { "skew", "SKEW", LEAF_TEXT, COLUMN_WIDE, 0, "skew",
	    0 },
	[CLIENT_FROM] = { "from", "FROM", LEAF_TEXT, COLUMN_WIDE, 0, "from",
	    0 },
	[CLIENT_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },
};

const struct view client_list_view = { "herd.clients/1", "clients", VIEW_LIST,
	list_columns, CLIENT_COLUMNS };

struct listing {
	struct run *run;
	const char *query; /* "&near=...", begins with & or is empty */
	size_t most;       /* rows of each node */
	size_t taken;
	bool cut;
};

static char *
page_path(const struct listing *l, const char *cursor)
{
	struct buf path;
	size_t left = l->most - l->taken;

	buf_init(&path, XBUF_MAX);
	putf(&path, "/v1/clients?limit=%zu%s",
	    left < TABLE_PAGE ? left : TABLE_PAGE, l->query);
	if (cursor != NULL) {
		put_text(&path, "&after=");
		must(text_to_percent(&path, span_from(cursor)));
	}
	return text_take(&path);
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
		struct question q = { .target = target, .method = "GET" };
		struct answers answers;
		char *path = page_path(l, cursor);
		const char *next;

		q.path = path;
		status = ask(run, &q, 1, &answers);
		if (status == STATUS_OK)
			status = answers_report(run, &answers);
		next = json_text(answers.items[0].json, "next");
		free(cursor);
		cursor = next == NULL ? NULL : xstrdup(next);
		l->taken += (size_t)cJSON_GetArraySize(
		    json_at(answers.items[0].json, "clients"));
		if (status == STATUS_OK ||
		    (run->all_nodes && status != STATUS_SIGINT &&
			answers.items[0].done))
			json_rows(run, &answers, "clients", NULL);
		answers_release(&answers);
		free(path);
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
	size_t failed = 0;
	enum status first = STATUS_OK;
	enum status status = run_targets(run);

	/* What is sorted or chosen here needs all rows. */
	if (limit > 0 && can_cut && run->prefs.values[PREF_SORT].text == NULL &&
	    run->prefs.values[PREF_WHERE].text == NULL)
		l.most = limit;
	if (status == STATUS_OK)
		status = run_begin(run, &client_list_view);
	for (size_t i = 0; i < run->target_count && status == STATUS_OK; i++) {
		enum status one = list_node(&l, run->targets[i]);

		if (one == STATUS_SIGINT)
			return one;
		if (one != STATUS_OK && failed++ == 0)
			first = one;
	}
	if (status != STATUS_OK)
		return status;
	if (failed > 0 && failed < run->target_count)
		first = STATUS_PARTIAL;
	if (failed == 0 || run->all_nodes) {
		out_member_bool(&run->out, "complete", !l.cut);
		if (l.cut)
			out_footer(
			    &run->out, "more clients than shown (--limit)");
		if (write != NULL)
			write(run);
		else
			out_end(&run->out);
	}
	return first;
}

enum status
client_run_ls(struct run *run)
{
	const char *prefix = run_word(run, 0);
	struct buf query;
	enum status status;

	buf_init(&query, XBUF_MAX);
	if (prefix != NULL) {
		put_text(&query, "&prefix=");
		must(text_to_percent(&query, span_from(prefix)));
	}
	status = client_list(run, text_of(&query), true, NULL);
	buf_release(&query);
	return status;
}

enum status
client_near_query(
    struct run *run, const char *place, const char *km, struct buf *query)
{
	struct buf text;
	struct location at;
	double metres;
	struct span number = span_from(km);
	enum status status;

	buf_init(&text, XBUF_MAX);
	if (number.len > 2 &&
	    memcmp(number.data + number.len - 2, "km", 2) == 0)
		number.len -= 2;
	status = data_read_location(run, place, &text, &at);
	if (status == STATUS_OK &&
	    (where_value(LEAF_REAL, number, &metres) != HERD_OK ||
		metres <= 0)) {
		put_byte(&run->message, '`');
		put_clean(&run->message, span_from(km));
		put_text(&run->message, "' is no distance in km");
		status = run_fail_message(run, STATUS_USAGE);
	}
	if (status == STATUS_OK) {
		put_text(query, "&near=");
		must(text_to_percent(query, buf_span(&text)));
		put_text(query, "&km=");
		must(text_to_percent(query, number));
	}
	buf_release(&text);
	return status;
}

enum status
client_run_near(struct run *run)
{
	struct buf query;
	enum status status;

	buf_init(&query, XBUF_MAX);
	status =
	    client_near_query(run, run_word(run, 0), run_word(run, 1), &query);
	if (status == STATUS_OK)
		status = client_list(run, text_of(&query), false, NULL);
	buf_release(&query);
	return status;
}
