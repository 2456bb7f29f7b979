/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "cmd/client_list.h"
#include "run/fields.h"

/* clang-format off */
#define FORGET_COLUMNS(X) \
	X(FORGET_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS) \
	X(FORGET_CLIENT, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(FORGET_TIME, "time", "REMOVAL TIME", VALUE_TIME) \
	X(FORGET_FORGOTTEN, "forgotten", "FORGOTTEN", VALUE_BOOL) \
	X(FORGET_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(forget_columns, FORGET_COLUMNS);

static const struct view forget_view =
    VIEW(forget_columns, .schema = "herd.forgotten/1", .list = "clients");

/* clang-format off */
static const struct column many_columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("forgotten", "FORGOTTEN", VALUE_INTEGER),
	COLUMN("newer", "NEWER", VALUE_INTEGER),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view forget_many_view =
    VIEW(many_columns, .schema = "herd.forgotten-many/1", .list = "nodes");

/*
 * A removal travels through the herd, so a node may have nothing to forget
 * when it is asked. That is a success if any node has forgotten the client.
 */
static void
forgive_none_held(struct answers *answers)
{
	bool any = false;

	for (size_t i = 0; i < answers->count; i++)
		any |= answers->items[i].status == STATUS_OK;
	for (size_t i = 0; i < answers->count && any; i++) {
		struct answer *answer = &answers->items[i];

		if (answer->status != STATUS_NEGATIVE)
			continue;
		answer->status = STATUS_OK;
		cJSON_Delete(answer->json);
		answer->json = NULL;
	}
}

/* The row of a node that held none. */
static void
fill_none_held(
    struct out *out, const struct answer *answer, const cJSON *object)
{
	if (object != NULL)
		return;
	out_word(out, FORGET_CLIENT, run_word(answer->run, 0));
	out_bool(out, FORGET_FORGOTTEN, false);
}

/*
 * All nodes are asked, because a removal has the time of the report that the
 * node holds: a newer report on another node would survive it.
 */
static enum status
forget_one(struct run *run, const char *id)
{
	struct answers answers;
	char *path = ask_path("/v1/clients/", span_from(id), "");
	enum status status =
	    run_confirm(run, "Forget client %s in the whole herd, by %s (%s)?",
		id, run_where(run), run_herd_name(run));

	if (status == STATUS_OK)
		status = fields_ask(run,
		    &(struct fields_request){
			.method = "DELETE", .path = path },
		    &answers);
	free(path);
	if (status != STATUS_OK)
		return status;
	forgive_none_held(&answers);
	fields_rows(run, &answers, NULL, fill_none_held);
	return fields_finish(run, &answers);
}

/* The most that a node would forget. Without all nodes' counts: what failed. */
static enum status
count_clients(struct run *run, const struct client_query *query, double *count)
{
	struct answers answers;
	char *path = xasprintf(
	    "/v1/clients?count" SPAN_FMT, SPAN_ARG(buf_span(&query->text)));
	enum status status = ask_all(run, path, &answers);

	*count = 0;
	if (status == STATUS_OK)
		status = answers_report(run, &answers);
	answers_each(a, &answers) {
		double here = fields_number(a->json, "count", 0);

		*count = here > *count ? here : *count;
	}
	answers_release(&answers);
	free(path);
	/* Those that answer forget; one that is down learns of it later. */
	return status == STATUS_PARTIAL ? STATUS_OK : status;
}

static enum status
forget_many(struct run *run, const struct client_query *query)
{
	double count;
	struct buf shown = XBUF;
	char *path = xasprintf(
	    "/v1/clients?" SPAN_FMT, SPAN_ARG(buf_span(&query->text)));
	enum status status = count_clients(run, query, &count);

	put_grouped(&shown, (int64_t)count);
	if (status == STATUS_OK)
		status = run_confirm(run,
		    "Forget %s client%s in the whole herd, by %s (%s)?",
		    text_of(&shown), count == 1 ? "" : "s", run_where(run),
		    run_herd_name(run));
	if (status == STATUS_OK)
		run_renew_deadline(run);
	if (status == STATUS_OK)
		status = fields_run(
		    run, &(struct fields_request){ .method = "DELETE",
			     .path = path,
			     .view = &forget_many_view });
	buf_release(&shown);
	free(path);
	return status;
}

static enum status
client_forget_run(struct run *run)
{
	const char *word = run_word(run, 0);
	bool one = word != NULL && strpbrk(word, "*?[\\") == NULL &&
		   prefs_text(&run->prefs, PREF_WHERE) == NULL;
	bool is_dry = run_flag(run, "dry-run") != NULL;
	struct client_query query = CLIENT_QUERY;
	enum status status = run_targets(run);

	client_query_glob(&query, word, true);
	if (status == STATUS_OK)
		status = client_query_where(run, &query);
	if (status == STATUS_OK && client_query_is_all(&query))
		status = run_fail(run, STATUS_USAGE,
		    "name a client, or some by a GLOB or --where");
	if (status == STATUS_OK && !is_dry)
		status = run_may_change(run);
	if (status == STATUS_OK && is_dry)
		status = client_list(run, &query, NULL);
	else if (status == STATUS_OK)
		status = one ? forget_one(run, word) : forget_many(run, &query);
	client_query_release(&query);
	return status;
}

const struct command cmd_client_forget = {
	.path = "client forget",
	.summary = "make the herd forget clients",
	.help =
	    "One client by its id, or many: by a GLOB with * ? [a-z], by "
	    "--where with the columns of `client ls', or both. --dry-run lists "
	    "those that each node would forget. "
	    "All nodes are asked unless -n says otherwise: each makes a removal "
	    "with the time of the report that it holds. Removals spread like "
	    "reports. A client that reports a later time is known again.",
	.group = GROUP_TABLE,
	.args = ARGS(
	    ARG("CLIENT|GLOB", .complete = COMPLETE_CLIENT, .optional = true)),
	.flags = FLAGS(FLAG("dry-run", .help = "list what would be forgotten")),
	.view = &forget_view,
	.traits = COMMAND_BY_LINE | COMMAND_CONFIRM | COMMAND_HERD,
	.run = client_forget_run,
	.example = "client forget probe-1 --yes",
};
