/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ping: a request that changes nothing and that every node answers at once:
 * an invalid line, which comes back after `? '.
 */
#include "cmd/list.h"

#include <stdio.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "run/ask.h"
#include "run/conversation.h"

/* clang-format off */
#define PING_COLUMNS(X) \
	X(PING_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(PING_SEQ, "seq", "SEQ", VALUE_INTEGER, .traits = COLUMN_LABEL, .drop = 1) \
	X(PING_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_STATE) \
	X(PING_MS, "rtt_ms", "RTT", VALUE_MS) \
	X(PING_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_ERROR | COLUMN_SHRINK)
/* clang-format on */

COLUMN_TABLE(ping_columns, PING_COLUMNS);

static const struct view ping_view =
    VIEW(ping_columns, .schema = "herd.ping/1", .list = "pings");

/* `ping Riley Bernard` is `ping -n Riley,Bernard`. */
static enum status
choose_targets(struct run *run)
{
	enum status status = STATUS_OK;

	if (run->args->count == 0)
		return run_targets(run);
	if (run->target_count > 0)
		return STATUS_OK;
	run->targets = xcalloc(run->args->count, sizeof(*run->targets));
	for (size_t i = 0; i < run->args->count && status == STATUS_OK; i++)
		status =
		    run_find_target(run, run_word(run, i), &run->targets[i]);
	if (status == STATUS_OK)
		run->target_count = run->args->count;
	run->all_nodes = run->args->count > 1;
	return status;
}

static void
add_row(struct run *run, const struct conversation *x, uint64_t seq,
    struct span request)
{
	struct span bytes = buf_span(&x->bytes);
	bool echoed = bytes.len == request.len + 3 &&
		      memcmp(bytes.data + 2, request.data, request.len) == 0;

	out_word(&run->out, PING_NODE, x->target->name);
	out_integer(&run->out, PING_SEQ, (int64_t)seq);
	if (x->status == STATUS_OK && echoed) {
		out_word(&run->out, PING_STATE, "ok");
		out_real(&run->out, PING_MS, x->ms);
	} else {
		out_word(&run->out, PING_STATE, "unreachable");
		out_word(&run->out, PING_ERROR,
		    x->status == STATUS_OK
			? "what it sent is no answer of a herd's node"
			: x->message);
	}
	out_row(&run->out);
}

static enum status
ping_once(struct run *run, uint64_t seq, enum status *result)
{
	struct conversations answers;
	char request[64];
	enum status status;
	int len = snprintf(request, sizeof(request), "PING herdctl %ld %llu",
	    (long)getpid(), (unsigned long long)seq);

	status = conversation_all(run, span_of(request, (size_t)len), &answers);
	for (size_t i = 0; i < answers.count && status == STATUS_OK; i++)
		add_row(
		    run, &answers.items[i], seq, span_of(request, (size_t)len));
	*result = conversations_status(&answers);
	conversations_release(&answers);
	return status;
}

static enum status
ping_run(struct run *run)
{
	uint64_t count;
	uint64_t every = 0;
	enum status worst = STATUS_OK;
	enum status status =
	    run_number_flag(run, "count", 1, 1, UINT32_MAX, &count);

	if (status == STATUS_OK)
		status =
		    run_duration_flag(run, "interval", HERD_NS_PER_S, &every);
	if (status == STATUS_OK)
		status = choose_targets(run);
	if (status == STATUS_OK)
		status = count > 1 ? run_begin_stream(run, &ping_view)
				   : run_begin(run, &ping_view);
	for (uint64_t i = 1; i <= count && status == STATUS_OK; i++) {
		enum status result;

		if (i > 1 &&
		    loop_rest(app_loop(run->app), every) == WAIT_INTERRUPTED) {
			status = STATUS_SIGINT;
			break;
		}
		run_renew_deadline(run);
		status = ping_once(run, i, &result);
		worst = exit_status_worst(worst, result);
	}
	if (run->out_begun && run->out.row != NULL && run->out.shown != NULL &&
	    (status == STATUS_OK || status == STATUS_SIGINT))
		out_end(&run->out);
	return status != STATUS_OK ? status : worst;
}

const struct command cmd_ping = {
	.path = "ping",
	.summary = "ask nodes whether they answer clients, and how fast",
	.help = "An invalid request is sent to the client listener, whose "
		"answer is timed; nothing changes.",
	.group = GROUP_CLIENTS,
	.args = ARGS(ARG("NODE", .complete = COMPLETE_NODE, .optional = true,
	    .repeats = true)),
	/* clang-format off */
	.flags = FLAGS(
	    FLAG("count", .letter = 'c', .value = "N", .help = "ask each node N times (1)"),
	    FLAG("interval", .letter = 'i', .value = "DURATION",
		.help = "time between two questions (1s)")),
	/* clang-format on */
	.view = &ping_view,
	.traits = COMMAND_HERD | COMMAND_READ,
	.run = ping_run,
	.example = "ping Riley -c 3",
};
