/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The herd as a whole: herd status, wait; diff and check are in diff.c and
 * herdcheck.c, the monitoring plugin `check` in nagios.c.
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/herdwide.h"
#include "run/fields.h"
#include "cmd/node_family.h"
#include "base/xbuf.h"

/* --- herd status ----------------------------------------------------- */

enum {
	HERD_NODE,
	HERD_STATE,
	HERD_PEERS,
	HERD_TOTAL,
	HERD_CLIENTS,
	HERD_RATE,
	HERD_NEWEST,
	HERD_UPTIME,
	HERD_STORE,
	HERD_CLOCK,
	HERD_VERSION,
	HERD_ERROR,
	HERD_COLUMNS
};

static const struct column status_columns[HERD_COLUMNS] = {
	[HERD_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME | COLUMN_SHRINK, 0, NULL,
	    0 },
	[HERD_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state",
	    0 },
	[HERD_PEERS] = { "peers_synced", "SYNCED", LEAF_INTEGER, 0, 1,
	    "peers.synced", 0 },
	[HERD_TOTAL] = { "peers_total", "OF", LEAF_INTEGER, 0, 1, "peers.total",
	    0 },
	[HERD_CLIENTS] = { "clients_count", "CLIENTS", LEAF_INTEGER, 0, 1,
	    "clients.count", 0 },
	[HERD_RATE] = { "reported_per_s", "PER SECOND", LEAF_REAL, 0, 2,
	    "clients.reported_per_s", 1 },
	[HERD_NEWEST] = { "newest_s", "NEWEST", LEAF_SECONDS, 0, 3,
	    "clients.newest_s", 0 },
	[HERD_UPTIME] = { "uptime_s", "UP", LEAF_SECONDS, 0, 4, "uptime_s", 0 },
	[HERD_STORE] = { "store_state", "STORE", LEAF_TEXT, 0, 5, "store.state",
	    0 },
	[HERD_CLOCK] = { "clock_state", "CLOCK", LEAF_TEXT, COLUMN_IF_ANY, 5,
	    "clock.state", 0 },
	[HERD_VERSION] = { "version", "VERSION", LEAF_TEXT, 0, 6, "version",
	    0 },
	[HERD_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },
};

static const struct view status_list = { "herd.herd-status/1", "nodes",
	VIEW_LIST, status_columns, HERD_COLUMNS };

static enum status
run_status(struct run *run)
{
	struct answers answers;
	struct buf text;
	enum status status =
	    json_command(run, &status_list, "/v1/status", NULL, NULL, &answers);

	if (status != STATUS_OK) {
		answers_release(&answers);
		return status;
	}
	buf_init(&text, XBUF_MAX);
	node_count_states(&run->out, HERD_STATE, "node", &text);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
	return json_finish(run, &answers);
}

/* --- herd wait ------------------------------------------------------- */

enum {
	WAIT_NODE,
	WAIT_STATE,
	WAIT_SYNCED,
	WAIT_TOTAL,
	WAIT_ERROR,
	WAIT_COLUMNS
};

static const struct column wait_columns[WAIT_COLUMNS] = {
	[WAIT_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME, 0, NULL, 0 },
	[WAIT_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0, "state",
	    0 },
	[WAIT_SYNCED] = { "peers_synced", "SYNCED", LEAF_INTEGER, 0, 0,
	    "peers.synced", 0 },
	[WAIT_TOTAL] = { "peers_total", "OF", LEAF_INTEGER, 0, 0, "peers.total",
	    0 },
	[WAIT_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view wait_view = { "herd.wait/1", "nodes", VIEW_LIST,
	wait_columns, WAIT_COLUMNS };

/* Ready, and every link that is not switched off is synced. */
static bool
is_ready(const struct answer *a)
{
	const char *state = json_text(a->json, "state");
	const cJSON *down;
	double missing;

	if (a->status != STATUS_OK || state == NULL ||
	    strcmp(state, "ready") != 0)
		return false;
	missing = json_number(a->json, "peers.total", 0) -
		  json_number(a->json, "peers.synced", 0);
	cJSON_ArrayForEach(down, json_at(a->json, "peers.down"))
	{
		const char *word = json_text(down, "state");

		if (word != NULL && strcmp(word, "disabled") == 0)
			missing--;
	}
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
	return ask_all(run, "GET", "/v1/status", NULL, answers);
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
		if (loop_rest(ctl_loop(run->ctl), left < rest ? left : rest) ==
		    WAIT_INTERRUPTED)
			return STATUS_SIGINT;
	}
}

static enum status
run_wait(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &wait_view);
	if (status == STATUS_OK)
		status = wait_until_ready(run, &answers);
	if (status == STATUS_OK || status == STATUS_TIMEOUT) {
		run->all_nodes = true; /* silent ones are rows in any case */
		json_rows(run, &answers, NULL, NULL);
		out_member_bool(&run->out, "ready", status == STATUS_OK);
		out_end(&run->out);
	}
	if (status == STATUS_TIMEOUT)
		run_fail(run, status, "%zu of %zu nodes are ready and synced",
		    count_ready(&answers), answers.count);
	answers_release(&answers);
	return status;
}

const struct command client_herd_commands[] = {
	{ "herd status", "show all nodes, one to a line", NULL, NULL, NULL,
	    &status_list, COMMAND_HERD | COMMAND_READ, run_status,
	    "herd status --watch", GROUP_HERD },
	{ "herd wait", "wait until all nodes are ready and synced",
	    "For at most --timeout; the exit status is then 4.", NULL, NULL,
	    &wait_view, COMMAND_HERD | COMMAND_HARMLESS, run_wait,
	    "herd wait --timeout 30s", GROUP_HERD },
	{ "herd diff", "list the clients that nodes disagree on",
	    "Tables are compared by a tree of hashes; reports on their way "
	    "are not counted. The exit status is 1 when something differs.",
	    NULL, NULL, &diff_view, COMMAND_HERD | COMMAND_READ, diff_run,
	    "herd diff", GROUP_HERD },
	{ "herd check", "check the herd's shape and state",
	    "The shape is the herd file's: parts, diameter, messages for each "
	    "report, links and nodes whose loss would split it. The exit "
	    "status is 1 when something is critical.",
	    NULL, NULL, &herdcheck_view, COMMAND_HERD | COMMAND_READ,
	    herdcheck_run, "herd check", GROUP_HERD },
	{ "check", "be a monitoring plugin",
	    "One line, performance data, and the plugins' exit statuses: 0 "
	    "OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
	    nagios_arguments, NULL, NULL,
	    COMMAND_HERD | COMMAND_PLUGIN | COMMAND_HARMLESS, nagios_run,
	    "check all --timeout 3s", GROUP_HERD },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
