/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * herd wait: asks again and again until all nodes are ready and synced.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "run/fields.h"

/* clang-format off */
static const struct column columns[] = {
	COLUMN("node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT),
	COLUMN("state", "STATE", VALUE_STATE, .traits = COLUMN_STATE),
	COLUMN("peers_synced", "SYNCED", VALUE_INTEGER, .path = "peers.synced"),
	COLUMN("peers_total", "OF", VALUE_INTEGER, .path = "peers.total"),
	COLUMN("error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE),
};
/* clang-format on */

static const struct view herd_wait_view =
    VIEW(columns, .schema = "herd.wait/1", .list = "nodes");

/* Ready, and every link that is not switched off is synced. */
static bool
is_ready(const struct answer *a)
{
	const cJSON *down;
	double missing;

	if (a->status != STATUS_OK || !fields_says(a->json, "state", "ready"))
		return false;
	/* What a node does not say is not "none is missing". */
	missing = fields_number(a->json, "peers.total", FIELDS_UNKNOWN) -
		  fields_number(a->json, "peers.synced", FIELDS_UNKNOWN);
	cJSON_ArrayForEach(down, fields_at(a->json, "peers.down"))
		missing -= fields_says(down, "state", "disabled");
	return missing <= 0;
}

static size_t
count_ready(const struct answers *answers)
{
	size_t ready = 0;

	for (size_t i = 0; i < answers->count; i++)
		ready += is_ready(&answers->items[i]);
	return ready;
}

/* Each question has a short deadline of its own: a node that hangs now may
 * be restarted and answer the next one. */
static enum status
ask_round(struct run *run, struct mono end, struct answers *answers)
{
	struct mono soon = mono_add(now_mono(), HERD_NS_PER_S);

	run->deadline = soon.ns < end.ns ? soon : end;
	return ask_all(run, "/v1/status", answers);
}

/* Did the end of the whole wait cut this round's questions short? */
static bool
is_cut_short(const struct answers *answers, struct mono end)
{
	if (mono_since(end, now_mono()) > 0)
		return false;
	for (size_t i = 0; i < answers->count; i++) {
		if (answers->items[i].status == STATUS_TIMEOUT)
			return true;
	}
	return false;
}

/* *answers are those of the last round that had its time. */
static enum status
wait_until_ready(struct run *run, struct answers *answers)
{
	struct mono end = run->deadline;

	for (;;) {
		struct answers round;
		uint64_t rest = 100 * HERD_NS_PER_MS;
		uint64_t left;
		enum status status = ask_round(run, end, &round);

		if (answers->count == 0 || status != STATUS_OK ||
		    !is_cut_short(&round, end)) {
			answers_release(answers);
			*answers = round;
		} else {
			answers_release(&round);
		}
		if (status != STATUS_OK ||
		    count_ready(answers) == answers->count)
			return status;
		left = mono_since(end, now_mono());
		if (left == 0)
			return STATUS_TIMEOUT;
		if (loop_rest(app_loop(run->app), left < rest ? left : rest) ==
		    WAIT_INTERRUPTED)
			return STATUS_SIGINT;
	}
}

static enum status
herd_wait_run(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &herd_wait_view);
	if (status == STATUS_OK)
		status = wait_until_ready(run, &answers);
	if (status == STATUS_OK || status == STATUS_TIMEOUT) {
		run->all_nodes = true; /* silent ones are rows in any case */
		fields_rows(run, &answers, NULL, NULL);
		out_member_bool(&run->out, "ready", status == STATUS_OK);
		out_end(&run->out);
	}
	if (status == STATUS_TIMEOUT)
		run_fail(run, status, "%zu of %zu nodes are ready and synced",
		    count_ready(&answers), answers.count);
	answers_release(&answers);
	return status;
}

const struct command cmd_herd_wait = {
	.path = "herd wait",
	.summary = "wait until all nodes are ready and synced",
	.help = "For at most --timeout; the exit status is then 4.",
	.group = GROUP_HERD,
	.view = &herd_wait_view,
	.traits = COMMAND_HERD | COMMAND_HARMLESS,
	.run = herd_wait_run,
	.example = "herd wait --timeout 30s",
};
