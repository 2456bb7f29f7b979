/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wait link: until a node's link to a peer is in a state.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/wait_goal.h"

/* All states that a link can be in, as nodes say them. */
#define WAIT_LINK_STATES                                                 \
	"synced comparing handshake connecting waiting backoff refused " \
	"disabled"

static enum wait_step
look(const void *arg, const struct answer *answer, struct buf *lacks)
{
	const char *state = fields_text(answer->json, "state");
	const char *error = fields_text(answer->json, "last_error");

	if (answer->status == STATUS_NEGATIVE)
		return WAIT_NEVER;
	if (answer->status != STATUS_OK)
		return WAIT_NOT_YET;
	if (fields_says(answer->json, "state", arg))
		return WAIT_REACHED;
	put_text(lacks, state == NULL ? "the answer is not a link" : state);
	/* An old error of a link that works is history. */
	if (state != NULL && error != NULL &&
	    !fields_says(answer->json, "state", "synced"))
		putf(lacks, ": %s", error);
	return WAIT_NOT_YET;
}

static enum status
wait_link_run(struct run *run)
{
	const char *peer = run_word(run, 0);
	const char *state = run_word(run, 1);
	char *path = ask_path("/v1/peers/", span_from(peer), "");
	char *what = xasprintf("a %s link to %s", state, peer);
	struct wait_goal goal = {
		.path = path, .what = what, .look = look, .arg = state
	};
	enum status status = wait_goal_command(run, &goal);

	free(path);
	free(what);
	return status;
}

const struct command cmd_wait_link = {
	.path = "wait link",
	.summary = "wait until a node's link to a peer is in a state",
	.help =
	    "STATE is mostly `synced'. For at most --timeout (0: for "
	    "ever); the exit status is then 4. With -n the links of several "
	    "nodes to PEER are waited for; a node without one does not "
	    "count.",
	.group = GROUP_HERD,
	.args = ARGS(ARG("PEER", .complete = COMPLETE_PEER),
	    ARG("STATE", .complete = COMPLETE_WORDS, .fixed = true,
		.words = WAIT_LINK_STATES)),
	.view = &wait_goal_view,
	.traits = COMMAND_HARMLESS,
	.run = wait_link_run,
	.example = "wait link Juzang synced --timeout 30s",
};
