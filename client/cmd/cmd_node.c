/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes: status (one screen, in status_screen.c), node ls, show, drain,
 * undrain, stop; links: peer ... (in peer.c).
 */
#include "cmd/commands.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "herd/time.h"
#include "run/fields.h"
#include "cmd/node_family.h"
#include "base/xbuf.h"

enum {
	NODE_NAME,
	NODE_STATE,
	NODE_VERSION,
	NODE_UPTIME,
	NODE_CONNECTIONS,
	NODE_CLOCK,
	NODE_CLIENTS,
	NODE_PEERS,
	NODE_ADMIN,
	NODE_WORKERS,
	NODE_RSS,
	NODE_TABLE,
	NODE_PID,
	NODE_HERD,
	NODE_ERROR,
	NODE_COLUMNS
};

#define NODE_COLUMN_LIST                                                       \
	[NODE_NAME] = { "node", "NODE", LEAF_TEXT,                             \
		COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME, 0, NULL, 0 },       \
	[NODE_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0,        \
		"state", 0 },                                                  \
	[NODE_VERSION] = { "version", "VERSION", LEAF_TEXT, 0, 3, "version",   \
		0 },                                                           \
	[NODE_UPTIME] = { "uptime_s", "UP", LEAF_SECONDS, 0, 2, "uptime_s",    \
		0 },                                                           \
	[NODE_CONNECTIONS] = { "connections", "CONNECTIONS", LEAF_INTEGER, 0,  \
		2, "connections", 0 },                                         \
	[NODE_CLOCK] = { "clock_ms", "CLOCK", LEAF_MS, 0, 5, NULL, 0 },        \
	[NODE_CLIENTS] = { "clients_address", "CLIENTS", LEAF_TEXT, 0, 1,      \
		"addresses.clients", 0 },                                      \
	[NODE_PEERS] = { "peers_address", "PEERS", LEAF_TEXT, COLUMN_WIDE, 0,  \
		"addresses.peers", 0 },                                        \
	[NODE_ADMIN] = { "admin_address", "ADMIN", LEAF_TEXT, COLUMN_WIDE, 0,  \
		"addresses.admin", 0 },                                        \
	[NODE_WORKERS] = { "workers", "WORKERS", LEAF_INTEGER, COLUMN_WIDE, 0, \
		"workers", 0 },                                                \
	[NODE_RSS] = { "rss_bytes", "MEMORY", LEAF_BYTES, 0, 4, "rss_bytes",   \
		0 },                                                           \
	[NODE_TABLE] = { "table_bytes", "TABLE", LEAF_BYTES, COLUMN_WIDE, 0,   \
		"table_bytes", 0 },                                            \
	[NODE_PID] = { "pid", "PID", LEAF_INTEGER,                             \
		COLUMN_WIDE | COLUMN_NUMERAL, 0, "pid", 0 },                   \
	[NODE_HERD] = { "herd", "HERD", LEAF_TEXT, COLUMN_WIDE, 0, "herd",     \
		0 },                                                           \
	[NODE_ERROR] = { "error", "ERROR", LEAF_TEXT,                          \
		COLUMN_ERROR | COLUMN_IF_ANY | COLUMN_SHRINK, 0, NULL, 0 },

static const struct column node_columns[NODE_COLUMNS] = { NODE_COLUMN_LIST };

static const struct view node_view = { "herd.nodes/1", "nodes", VIEW_LIST,
	node_columns, NODE_COLUMNS };
static const struct view node_record = { "herd.nodes/1", "nodes", VIEW_RECORD,
	node_columns, NODE_COLUMNS };

enum status
node_use_named(struct run *run, const char *name)
{
	enum status status;

	if (run->target_count > 0)
		return STATUS_OK;
	run->targets = xcalloc(1, sizeof(*run->targets));
	status = run_find_target(run, name, &run->targets[0]);
	if (status == STATUS_OK)
		run->target_count = 1;
	return status;
}

/* How far its clock is from this one; half the round trip is the error. */
static void
set_clock(struct out *out, const struct answer *answer, const cJSON *object)
{
	const char *text = json_text(object, "time");
	uint64_t ns;

	if (text != NULL && time_parse(span_from(text), &ns) == HERD_OK)
		out_real(out, NODE_CLOCK,
		    ((double)ns - (double)now_wall().ns) / 1e6 +
			answer->ms / 2);
}

static void
add_state_footer(struct run *run)
{
	struct buf text;

	buf_init(&text, XBUF_MAX);
	node_count_states(&run->out, NODE_STATE, "node", &text);
	out_footer(&run->out, "%s", text_of(&text));
	buf_release(&text);
}

static enum status
run_node_ls(struct run *run)
{
	struct answers answers;
	enum status status = json_command(
	    run, &node_view, "/v1/node", NULL, set_clock, &answers);

	if (status == STATUS_OK) {
		add_state_footer(run);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

static enum status
run_node_show(struct run *run)
{
	struct answers answers = { 0 };
	enum status status = node_use_named(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = json_command(
		    run, &node_record, "/v1/node", NULL, set_clock, &answers);
	if (status == STATUS_OK)
		return json_finish(run, &answers);
	answers_release(&answers);
	return status;
}

/* --- what changes a node --------------------------------------------- */

enum { CHANGE_NODE, CHANGE_STATE, CHANGE_ERROR, CHANGE_COLUMNS };

static const struct column change_columns[CHANGE_COLUMNS] = {
	[CHANGE_NODE] = { "node", "NODE", LEAF_TEXT,
	    COLUMN_NODE | COLUMN_ALWAYS | COLUMN_NAME, 0, NULL, 0 },
	[CHANGE_STATE] = { "state", "STATE", LEAF_STATE, COLUMN_STATE, 0,
	    "state", 0 },
	[CHANGE_ERROR] = { "error", "ERROR", LEAF_TEXT,
	    COLUMN_ERROR | COLUMN_IF_ANY, 0, NULL, 0 },
};

static const struct view change_view = { "herd.node-state/1", "nodes",
	VIEW_LIST, change_columns, CHANGE_COLUMNS };

static enum status
change_node(struct run *run, const char *path)
{
	struct answers answers = { 0 };
	enum status status = node_use_named(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = run_begin(run, &change_view);
	if (status == STATUS_OK)
		status = ask_all(run, "POST", path, NULL, &answers);
	if (status == STATUS_OK) {
		json_rows(run, &answers, NULL, NULL);
		return json_finish(run, &answers);
	}
	answers_release(&answers);
	return status;
}

static enum status
run_node_drain(struct run *run)
{
	return change_node(run, "/v1/drain");
}

static enum status
run_node_undrain(struct run *run)
{
	return change_node(run, "/v1/undrain");
}

static enum status
run_node_stop(struct run *run)
{
	enum status status = node_use_named(run, run_word(run, 0));

	if (status == STATUS_OK)
		status = run_confirm(run, "Stop node %s (%s)?",
		    run->targets[0]->name, node_herd_name(run));
	return status == STATUS_OK ? change_node(run, "/v1/stop") : status;
}

const char *
node_herd_name(const struct run *run)
{
	if (run->context != NULL)
		return run->context;
	if (run->herd != NULL && run->herd->name != NULL)
		return run->herd->name;
	return "no context";
}

/* --- states in words ------------------------------------------------- */

#define STATES_MAX 32u

void
node_count_states(
    const struct out *out, size_t column, const char *what, struct buf *text)
{
	struct {
		struct span word;
		size_t count;
	} states[STATES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct span word = out->rows[i][column].text;
		size_t s = 0;

		if (!out->rows[i][column].known)
			word = span_from("unknown");
		while (s < count && !span_equal(states[s].word, word))
			s++;
		if (s == count && count < STATES_MAX) {
			states[s].word = word;
			states[s].count = 0;
			count++;
		}
		if (s < count)
			states[s].count++;
	}
	putf(text, "%zu %s%s", out->count, what, out->count == 1 ? "" : "s");
	for (size_t s = 0; s < count; s++) {
		putf(text, "%s %zu ", s == 0 ? ":" : ",", states[s].count);
		put_clean(text, states[s].word);
	}
}

/* --- the table ------------------------------------------------------- */

static const struct argument node_arguments[] = {
	{ "NODE", COMPLETE_NODE, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct argument peer_arguments[] = {
	{ "PEER", COMPLETE_PEER, false, false, NULL, false },
	{ NULL, COMPLETE_NONE, false, false, NULL, false },
};

static const struct flag graph_flags[] = {
	{ "output", 'o', "FORMAT", false, COMPLETE_WORDS,
	    "table wide plain json jsonl csv tsv name kv prometheus raw dot",
	    "a format, or dot for graphviz" },
	{ NULL, 0, NULL, false, COMPLETE_NONE, NULL, NULL },
};

const struct command client_node_commands[] = {
	{ "status", "show how a node is, on one screen", NULL, NULL, NULL,
	    &status_view, COMMAND_READ, status_run, "status -n Riley",
	    GROUP_LINKS },
	{ "node ls", "list the nodes of the herd", NULL, NULL, NULL, &node_view,
	    COMMAND_HERD | COMMAND_READ, run_node_ls,
	    "node ls --sort uptime:desc", GROUP_LINKS },
	{ "node show", "show a node", NULL, node_arguments, NULL, &node_record,
	    COMMAND_READ, run_node_show, "node show Riley", GROUP_LINKS },
	{ "node drain", "stop taking new clients on a node",
	    "It closes its client listener, finishes what it has, and keeps "
	    "its links. `node undrain' takes that back.",
	    node_arguments, NULL, &change_view, COMMAND_WRITE, run_node_drain,
	    "node drain Riley", GROUP_LINKS },
	{ "node undrain", "take clients on a node again", NULL, node_arguments,
	    NULL, &change_view, COMMAND_WRITE, run_node_undrain,
	    "node undrain Riley", GROUP_LINKS },
	{ "node stop", "stop a node's process", NULL, node_arguments, NULL,
	    &change_view, COMMAND_WRITE | COMMAND_CONFIRM, run_node_stop,
	    "node stop Riley --yes", GROUP_LINKS },
	{ "peer ls", "list a node's links", NULL, NULL, NULL, &peer_view,
	    COMMAND_READ, peer_run_ls, "peer ls --where 'state != synced'",
	    GROUP_LINKS },
	{ "peer show", "show a node's link to a peer",
	    "HISTORY has the last 16 changes of the link's state, the oldest "
	    "first. Attempts to dial are left out; what fails again for the "
	    "same reason is one change, with how often and until when.",
	    peer_arguments, NULL, &peer_record, COMMAND_READ, peer_run_show,
	    "peer show Jaquez -n Riley", GROUP_LINKS },
	{ "peer enable", "let a node use a link again", NULL, peer_arguments,
	    NULL, &peer_view, COMMAND_WRITE, peer_run_enable,
	    "peer enable Jaquez -n Riley", GROUP_LINKS },
	{ "peer disable", "close a node's link and keep it closed",
	    "Until `peer enable', or a restart of the node.", peer_arguments,
	    NULL, &peer_view, COMMAND_WRITE | COMMAND_CONFIRM, peer_run_disable,
	    "peer disable Jaquez -n Riley --yes", GROUP_LINKS },
	{ "peer reconnect", "close a node's link and make it anew", NULL,
	    peer_arguments, NULL, &peer_view, COMMAND_WRITE, peer_run_reconnect,
	    "peer reconnect Jaquez -n Riley", GROUP_LINKS },
	{ "peer graph", "draw the links of the herd with their states",
	    "Both ends of a link are asked; a link that only one of them "
	    "calls synced is not.",
	    NULL, graph_flags, &graph_view, COMMAND_HERD | COMMAND_READ,
	    graph_run, "peer graph -o dot", GROUP_LINKS },
	{ NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0 },
};
