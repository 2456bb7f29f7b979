/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

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

const struct command cmd_client_forget = {
	.path = "client forget",
	.summary = "make the herd forget a client",
	.help =
	    "All nodes are asked unless -n says otherwise: each makes a removal "
	    "with the time of the report that it holds. Removals spread like "
	    "reports. A client that reports a later time is known again.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.view = &forget_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM | COMMAND_HERD,
	.run = client_forget_run,
	.example = "client forget probe-1 --yes",
};
