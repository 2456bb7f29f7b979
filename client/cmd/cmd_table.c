/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of clients: client count, forget; ls and near are in
 * client_list.c, show in client_show.c, export and import in transfer.c.
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/data.h"
#include "herd/text.h"
#include "run/fields.h"
#include "cmd/node_family.h"
#include "cmd/table_family.h"
#include "base/xbuf.h"

char *
table_client_path(const char *id, const char *query)
{
	struct buf path;

	buf_init(&path, XBUF_MAX);
	put_text(&path, "/v1/clients/");
	must(text_to_percent(&path, span_from(id)));
	put_text(&path, query);
	return text_take(&path);
}

/* --- count, forget --------------------------------------------------- */

static const struct column count_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME,
	    0, NULL, 0 },
	{ "count", "CLIENTS", LEAF_INTEGER, 0, 0, "count", 0 },
	{ "removals", "REMOVALS", LEAF_INTEGER, 0, 0, "removals", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view count_view = { "herd.client-count/1", "nodes",
	VIEW_LIST, count_columns, HERD_ARRAY_LEN(count_columns) };

static enum status
run_count(struct run *run)
{
	struct answers answers;
	enum status status = json_command(
	    run, &count_view, "/v1/clients?count", NULL, NULL, &answers);

	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}

static const struct column forget_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_ALWAYS, 0, NULL, 0 },
	{ "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK, 0, "client", 0 },
	{ "time", "REMOVAL TIME", LEAF_TIME, 0, 0, "time", 0 },
	{ "forgotten", "FORGOTTEN", LEAF_BOOL, 0, 0, "forgotten", 0 },
	{ "error", "ERROR", LEAF_TEXT, COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL,
	    0 },
};

static const struct view forget_view = { "herd.forgotten/1", "clients",
	VIEW_LIST, forget_columns, HERD_ARRAY_LEN(forget_columns) };

/*
 * A removal travels through the herd, so a node may have none to forget by the
 * time that it is asked: that is done as well, if any node has forgotten.
 */
static void
forgive_none_held(struct run *run, struct answers *answers)
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
		answer->json = cJSON_CreateObject();
		cJSON_AddStringToObject(
		    answer->json, "client", run_word(run, 0));
		cJSON_AddBoolToObject(answer->json, "forgotten", false);
	}
}

/*
 * All nodes are asked: what a node forgets has the time of the report that it
 * holds, so a newer one elsewhere would live on.
 */
static enum status
run_forget(struct run *run)
{
	struct answers answers = { 0 };
	char *path = table_client_path(run_word(run, 0), "");
	enum status status = run_targets(run);

	if (status == STATUS_OK) {
		struct buf id;

		buf_init(&id, XBUF_MAX);
		put_clean(&id, span_from(run_word(run, 0)));
		status = run_confirm(run,
		    "Forget client %s in the whole herd, by %s (%s)?",
		    text_of(&id), run_where(run), node_herd_name(run));
		buf_release(&id);
	}
	if (status == STATUS_OK)
		status = run_begin(run, &forget_view);
	if (status == STATUS_OK)
		status = ask_all(run, "DELETE", path, NULL, &answers);
	free(path);
	if (status == STATUS_OK)
		forgive_none_held(run, &answers);
	if (status == STATUS_OK) {
		json_rows(run, &answers, NULL, NULL);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

/* --- refused --------------------------------------------------------- */

static const struct column refused_columns[] = {
	{ "node", "NODE", LEAF_TEXT, COLUMN_NODE | COLUMN_LABEL, 0, NULL, 0 },
	{ "client", "CLIENT", LEAF_TEXT,
	    COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK, 0, "client", 0 },
	{ "reason", "REASON", LEAF_STATE, 0, 0, "reason", 0 },
	{ "times", "TIMES", LEAF_INTEGER, 0, 2, "times", 0 },
	{ "address", "ADDRESS", LEAF_TEXT, 0, 1, "address", 0 },
	{ "at", "LAST", LEAF_CLOCK, 0, 3, "at", 0 },
	{ "cut", "CUT", LEAF_BOOL, COLUMN_WIDE, 0, "cut", 0 },
	{ "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },
};

static const struct view refused_view = { "herd.refused/1", "refused",
	VIEW_LIST, refused_columns, HERD_ARRAY_LEN(refused_columns) };

static enum status
run_refused(struct run *run)
{
	struct answers answers;
	enum status status = json_command(
	    run, &refused_view, "/v1/refused", "refused", NULL, &answers);

	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}

/* --- the table ------------------------------------------------------- */

static const struct argument ls_arguments[] = {
	{ "PREFIX", COMPLETE_CLIENT, true, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument id_arguments[] = {
	{ "CLIENT", COMPLETE_CLIENT, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument near_arguments[] = {
	{ "LOCATION", COMPLETE_NONE, false, false, NULL, false },
	{ "KM", COMPLETE_NONE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument import_arguments[] = {
	{ "FILE", COMPLETE_FILE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

const struct command client_table_commands[] = {
	{ "client ls", "list the clients that a node knows",
	    "With PREFIX only those whose id begins so.", ls_arguments, NULL,
	    &client_list_view, COMMAND_READ, client_run_ls,
	    "client ls --sort received_at:desc --limit 20", GROUP_TABLE },
	{ "client show", "show what nodes know of a client",
	    "With -n all every node is asked and compared with the newest "
	    "report; the exit status is 1 unless all have it. RECEIVED is when "
	    "the origin had the report from the client, on every node; when a "
	    "relayed one reached a node is not kept: `trace' measures that.",
	    id_arguments, NULL, &client_show_view, COMMAND_READ,
	    client_run_show, "client show kiwi.cs.ucla.edu -n all",
	    GROUP_TABLE },
	{ "client near", "list the clients near a location", NULL,
	    near_arguments, NULL, &client_list_view, COMMAND_READ,
	    client_run_near, "client near 34.068930,-118.445127 5",
	    GROUP_TABLE },
	{ "client count", "count the clients that nodes know", NULL, NULL, NULL,
	    &count_view, COMMAND_READ, run_count, "client count -n all",
	    GROUP_TABLE },
	{ "client refused", "list the clients whose reports were refused",
	    "The last 100 of each node, by client and REASON: `ahead' of the "
	    "node's clock beyond max_ahead, `memory' or `clients' when the "
	    "table is at max_memory or max_clients. CUT ids are shown in part.",
	    NULL, NULL, &refused_view, COMMAND_READ, run_refused,
	    "client refused -n all", GROUP_TABLE },
	{ "client forget", "make the herd forget a client",
	    "All nodes are asked unless -n says otherwise: each makes a removal "
	    "with the time of the report that it holds, which spreads like a "
	    "report. A client that reports a later time is known again.",
	    id_arguments, NULL, &forget_view,
	    COMMAND_WRITE | COMMAND_CONFIRM | COMMAND_HERD, run_forget,
	    "client forget probe-1 --yes", GROUP_TABLE },
	{ "client export", "write all clients of a node as JSON lines", NULL,
	    NULL, NULL, NULL, COMMAND_HARMLESS, transfer_export,
	    "client export > clients.jsonl", GROUP_TABLE },
	{ "client import", "report the clients of an export to a node",
	    "FILE has JSON lines as `client export' writes them, - is stdin. "
	    "Each client is reported with its own time, so nothing newer is "
	    "overwritten.",
	    import_arguments, NULL, &transfer_view, COMMAND_WRITE,
	    transfer_import, "client import clients.jsonl", GROUP_TABLE },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
