/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "run/fields.h"
#include "run/run.h"

/* clang-format off */
static const struct column forget_columns[] = {
	COLUMN("node", "NODE", LEAF_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS),
	COLUMN("client", "CLIENT", LEAF_TEXT, .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK,
	    .path = "client"),
	COLUMN("time", "REMOVAL TIME", LEAF_TIME, .path = "time"),
	COLUMN("forgotten", "FORGOTTEN", LEAF_BOOL, .path = "forgotten"),
	COLUMN("error", "ERROR", LEAF_TEXT, .traits = COLUMN_ERROR | COLUMN_IF_ANY),
};
/* clang-format on */

static const struct view forget_view =
    VIEW(forget_columns, .schema = "herd.forgotten/1", .list = "clients");

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
client_forget_run(struct run *run)
{
	struct answers answers;
	const char *id = run_word(run, 0);
	char *path = ask_path("/v1/clients/", span_from(id), "");
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_confirm(run,
		    "Forget client %s in the whole herd, by %s (%s)?", id,
		    run_where(run), run_herd_name(run));
	if (status == STATUS_OK)
		status = json_ask(run,
		    &(struct json_request){ .method = "DELETE", .path = path },
		    &answers);
	free(path);
	if (status != STATUS_OK)
		return status;
	forgive_none_held(run, &answers);
	json_rows(run, &answers, NULL, NULL);
	return json_finish(run, &answers);
}

const struct command cmd_client_forget = {
	.path = "client forget",
	.summary = "make the herd forget a client",
	.help =
	    "All nodes are asked unless -n says otherwise: each makes a removal "
	    "with the time of the report that it holds, which spreads like a "
	    "report. A client that reports a later time is known again.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.view = &forget_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM | COMMAND_HERD,
	.run = client_forget_run,
	.example = "client forget probe-1 --yes",
};
