/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client erase: `client forget', and then nothing of the client's positions in
 * the files of the nodes' stores. It names what stays: the removal, which has
 * the id, nodes that were not reached, and logs.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xbuf.h"
#include "cmd/store_patience.h"
#include "run/fields.h"

/* A report may come to a node after its turn: then all are asked again. */
#define ROUNDS_MAX 3u

/* clang-format off */
#define ERASE_COLUMNS(X) \
	X(ERASE_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_ALWAYS) \
	X(ERASE_CLIENT, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(ERASE_FORGOTTEN, "forgotten", "FORGOTTEN", VALUE_BOOL) \
	X(ERASE_STORE, "store", "STORE", VALUE_TEXT) \
	X(ERASE_CLEANED, "cleaned_bytes", "CLEANED", VALUE_BYTES, .traits = COLUMN_WIDE) \
	X(ERASE_TIME, "time", "REMOVAL TIME", VALUE_TIME, .traits = COLUMN_WIDE) \
	X(ERASE_UNTIL, "removal_until", "REMOVAL UNTIL", VALUE_CLOCK) \
	X(ERASE_TRAFFIC, "traffic_log", "TRAFFIC LOG", VALUE_TEXT, .traits = COLUMN_IF_ANY) \
	X(ERASE_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(erase_columns, ERASE_COLUMNS);

static const struct view erase_view =
    VIEW(erase_columns, .schema = "herd.erased/1", .list = "nodes");

/*
 * Each node makes a removal with the time of the report that it holds. Where
 * times differ, a node has taken a report, or a removal, after its own turn.
 */
static bool
have_settled(const struct answers *answers)
{
	const char *first = NULL;

	answers_each(a, answers) {
		const char *time = fields_text(a->json, "time");

		if (a->status != STATUS_OK)
			continue;
		if (first == NULL)
			first = time == NULL ? "" : time;
		else if (strcmp(first, time == NULL ? "" : time) != 0)
			return false;
	}
	return true;
}

static enum status
ask_until_settled(struct run *run, const char *path, struct answers *answers)
{
	enum status status = STATUS_OK;

	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		store_be_patient(run);
		status = ask(run,
		    &(struct question){ .method = "POST", .path = path },
		    run->targets, run->target_count, answers);
		if (status != STATUS_OK || have_settled(answers) ||
		    round + 1 == ROUNDS_MAX)
			break;
		answers_release(answers);
	}
	return status;
}

/* --- what stays: on stderr, because scripts have to know it as well ------- */

static void
say_nodes_missed(struct run *run, const struct answers *answers, const char *id)
{
	struct buf names = XBUF;
	size_t count = 0;

	answers_each(a, answers) {
		if (a->status == STATUS_OK)
			continue;
		put_text(&names, count++ > 0 ? ", " : "");
		put_text(&names, a->target->name);
	}
	if (count == answers->count)
		run_note(run,
		    "%s: nothing is sure to be erased, and what was forgotten "
		    "may not last: run `client erase %s' again",
		    text_of(&names), id);
	else if (count > 0)
		run_note(run,
		    "%s: the removal comes to %s with its links; %s files keep "
		    "positions until `client erase %s' is run again with %s up",
		    text_of(&names), count == 1 ? "it" : "them",
		    count == 1 ? "its" : "their", id,
		    count == 1 ? "it" : "them");
	buf_release(&names);
}

static double
last_until(const struct answers *answers, bool *any)
{
	double last = 0;

	*any = false;
	answers_each(a, answers) {
		const char *text = fields_text(a->json, "removal_until");
		double until = text == NULL ? 0 : strtod(text, NULL);

		*any |= fields_is(a->json, "removal");
		if (until > last)
			last = until;
	}
	return last;
}

static void
say_removal(struct run *run, const struct answers *answers)
{
	bool any;
	double until = last_until(answers, &any);
	time_t seconds = until < 1e11 ? (time_t)ceil(until) : 0;
	char date[32] = "";
	struct tm utc;

	if (!any)
		return;
	if (seconds > 0 && gmtime_r(&seconds, &utc) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%SZ", &utc);
	if (date[0] != '\0')
		run_note(run,
		    "the removal, which has the id, stays until %s; it expires "
		    "then",
		    date);
	else
		run_note(run,
		    "the removal, which has the id, stays for good, as "
		    "expire_after is 0, unless max_clients evicts it");
}

static void
say_logs(struct run *run, const struct answers *answers)
{
	struct buf paths = XBUF;

	answers_each(a, answers) {
		const char *path = fields_text(a->json, "traffic_log");

		if (a->status != STATUS_OK || path == NULL)
			continue;
		put_text(&paths, paths.len > 0 ? ", " : "");
		put_clean(&paths, span_from(a->target->name));
		put_byte(&paths, ':');
		put_clean(&paths, span_from(path));
	}
	if (paths.len > 0)
		run_note(run,
		    "traffic logs still have the id and positions: %s",
		    text_of(&paths));
	run_note(run,
	    "backups made before have what was erased: restore none of them");
	buf_release(&paths);
}

/* --- the command ---------------------------------------------------------- */

static enum status
erase(struct run *run, const char *id)
{
	struct answers answers;
	char *path = ask_path("/v1/clients/", span_from(id), "/erase");
	enum status status = run_begin(run, &erase_view);

	if (status == STATUS_OK) {
		status = ask_until_settled(run, path, &answers);
		if (status != STATUS_OK)
			answers_release(&answers);
	}
	free(path);
	if (status != STATUS_OK)
		return status;
	fields_rows(run, &answers, NULL, NULL);
	status = fields_report(run, &answers);
	say_removal(run, &answers);
	say_logs(run, &answers);
	say_nodes_missed(run, &answers, id);
	answers_release(&answers);
	return status;
}

static enum status
client_erase_run(struct run *run)
{
	const char *id = run_word(run, 0);
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_confirm(run,
		    "Erase client %s from the whole herd and its stores, by %s "
		    "(%s)?",
		    id, run_where(run), run_herd_name(run));
	return status == STATUS_OK ? erase(run, id) : status;
}

const struct command cmd_client_erase = {
	.path = "client erase",
	.summary = "forget a client and take its positions out of the stores",
	.help =
	    "As `client forget' of one client, and then each node overwrites "
	    "what of its positions is left in the files of its store: the log, "
	    "free pages, the rest of pages. It names what stays: the removal, "
	    "which has the id, until it expires; nodes that do not answer, "
	    "which get the removal later but keep positions in their files; "
	    "traffic logs; backups. All nodes are asked unless -n says "
	    "otherwise.",
	.group = GROUP_TABLE,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.view = &erase_view,
	.traits = COMMAND_WRITE | COMMAND_CONFIRM | COMMAND_HERD,
	.run = client_erase_run,
	.example = "client erase probe-1 --yes",
};
