/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wait client: until the nodes hold a report of a client.
 */
#include "cmd/list.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/xbuf.h"
#include "cmd/moment.h"
#include "cmd/typed.h"
#include "cmd/wait_goal.h"

struct wanted {
	bool newer;
	uint64_t than_ns;
};

static enum wait_step
look(const void *arg, const struct answer *answer, struct buf *lacks)
{
	const struct wanted *wanted = arg;
	const char *time = fields_text(answer->json, "time");
	uint64_t ns;

	if (answer->status == STATUS_NEGATIVE) {
		put_text(lacks, "no report");
		return WAIT_NOT_YET;
	}
	if (answer->status != STATUS_OK)
		return WAIT_NOT_YET;
	if (time == NULL || time_parse(span_from(time), &ns) != HERD_OK) {
		put_text(lacks, "the answer is not a client");
		return WAIT_NOT_YET;
	}
	if (!wanted->newer || ns > wanted->than_ns)
		return WAIT_REACHED;
	put_text(lacks, "its report is ");
	put_duration(lacks, (double)(wanted->than_ns - ns) / 1e9);
	put_text(lacks, " too old");
	return WAIT_NOT_YET;
}

static enum status
wait_client_run(struct run *run)
{
	const char *id = run_word(run, 0);
	const char *than = run_flag(run, "newer-than");
	struct wanted wanted = { .newer = than != NULL };
	struct wait_goal goal = { .look = look, .arg = &wanted };
	enum status status = typed_client(run, id);
	char *path;
	char *what;

	if (status == STATUS_OK && than != NULL)
		status = moment_typed(run, than, &wanted.than_ns);
	if (status != STATUS_OK)
		return status;
	path = ask_path("/v1/clients/", span_from(id), "");
	what = xasprintf(
	    "%s of %s", than == NULL ? "a report" : "a newer report", id);
	goal.path = path;
	goal.what = what;
	status = wait_goal_command(run, &goal);
	free(path);
	free(what);
	return status;
}

const struct command cmd_wait_client = {
	.path = "wait client",
	.summary = "wait until nodes hold a report of a client",
	.help = "On the node that is asked, or with -n on each of several. For "
		"at most --timeout (0: for ever); the exit status is then 4. "
		"With --newer-than the report's own time has to be after T: "
		"`now', 10m (ago), 2026-11-28T10:00:00Z or seconds since 1970.",
	.group = GROUP_HERD,
	.args = ARGS(ARG("CLIENT", .complete = COMPLETE_CLIENT)),
	.flags = FLAGS(FLAG("newer-than", .value = "T",
	    .help = "a report whose time is after T")),
	.view = &wait_goal_view,
	.traits = COMMAND_HARMLESS,
	.run = wait_client_run,
	.example = "wait client kiwi.cs.ucla.edu --newer-than 10m",
};
