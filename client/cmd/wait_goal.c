/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/wait_goal.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"

/* Of one question. */
#define ANSWER_NS HERD_NS_PER_S
/* Between rounds: short at first, because most of what comes comes soon. */
#define REST_LEAST_NS (50 * HERD_NS_PER_MS)
#define REST_MOST_NS (500 * HERD_NS_PER_MS)
/* Nodes in a message. */
#define NAMED_MOST 8u

/* clang-format off */
#define GOAL_COLUMNS(X) \
	X(GOAL_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_SUBJECT) \
	X(GOAL_STATE, "state", "STATE", VALUE_STATE, .traits = COLUMN_COMPUTED | COLUMN_STATE) \
	X(GOAL_LACKS, "lacks", "LACKS", VALUE_TEXT, .traits = COLUMN_COMPUTED | COLUMN_IF_ANY) \
	X(GOAL_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE)
/* clang-format on */

COLUMN_TABLE(goal_columns, GOAL_COLUMNS);

const struct view wait_goal_view =
    VIEW(goal_columns, .schema = "herd.reached/1", .list = "nodes");

/* --- one round ---------------------------------------------------------- */

/* The answer is the node's now. */
static void
take_answer(
    struct wait_goal *goal, struct wait_node *node, struct answer *answer)
{
	struct answers old = { xcalloc(1, sizeof(*old.items)), 1 };

	old.items[0] = node->answer;
	answers_release(&old);
	node->answer = *answer;
	*answer = (struct answer){ .done = true };
	buf_clear(&node->lacks);
	node->step = goal->look(goal->arg, &node->answer, &node->lacks);
	if (node->step == WAIT_NOT_YET && node->lacks.len == 0)
		put_text(&node->lacks, node->answer.message == NULL
					   ? "not yet"
					   : node->answer.message);
}

/* Did the end of the whole wait cut this question short? */
static bool
is_cut_short(const struct answer *answer, struct mono end)
{
	return answer->status == STATUS_TIMEOUT &&
	       mono_since(now_mono(), answer->began) < ANSWER_NS &&
	       mono_since(end, now_mono()) == 0;
}

static enum status
ask_round(struct run *run, struct wait_goal *goal, struct mono end)
{
	const struct question question = { .path = goal->path };
	const struct target **targets = xcalloc(goal->count, sizeof(*targets));
	struct mono soon = mono_add(now_mono(), ANSWER_NS);
	struct answers answers;
	enum status status;
	size_t count = 0;

	for (size_t i = 0; i < goal->count; i++) {
		if (goal->nodes[i].step == WAIT_NOT_YET)
			targets[count++] = goal->nodes[i].target;
	}
	run->deadline = soon.ns < end.ns ? soon : end;
	status = ask(run, &question, targets, count, &answers);
	run->deadline = end;
	count = 0;
	for (size_t i = 0; status == STATUS_OK && i < goal->count; i++) {
		struct wait_node *node = &goal->nodes[i];
		struct answer *answer;

		if (node->step != WAIT_NOT_YET)
			continue;
		answer = &answers.items[count++];
		/* What it said before says more. */
		if (!node->answer.done || !is_cut_short(answer, end))
			take_answer(goal, node, answer);
	}
	answers_release(&answers);
	free(targets);
	return status;
}

/* --- the wait ------------------------------------------------------------ */

static size_t
count_steps(const struct wait_goal *goal, enum wait_step step)
{
	size_t count = 0;

	for (size_t i = 0; i < goal->count; i++)
		count += goal->nodes[i].step == step;
	return count;
}

/* Appends "Riley (no report), Juzang (no answer in time)". */
static void
put_missing(struct buf *out, const struct wait_goal *goal)
{
	size_t missing = count_steps(goal, WAIT_NOT_YET);
	size_t named = 0;

	for (size_t i = 0; i < goal->count && named < NAMED_MOST; i++) {
		struct wait_node *node = &goal->nodes[i];

		if (node->step != WAIT_NOT_YET)
			continue;
		putf(out, "%s%s (%s)", named > 0 ? ", " : "",
		    node->target->name, text_of(&node->lacks));
		named++;
	}
	if (named < missing)
		putf(out, " and %zu more", missing - named);
}

/* Says what is waited for, unless it is the same as last time. */
static void
say_missing(struct run *run, const struct wait_goal *goal, struct buf *said)
{
	struct buf text = XBUF;

	putf(&text, "waiting for %s: ", goal->what);
	put_missing(&text, goal);
	if (!span_equal(buf_span(&text), buf_span(said)))
		run_notice(run, "%s", text_of(&text));
	buf_clear(said);
	put_span(said, buf_span(&text));
	buf_release(&text);
}

/* Rests. STATUS_TIMEOUT: the deadline has come. */
static enum status
rest(struct run *run, uint64_t *rest_ns, struct mono end)
{
	uint64_t left = mono_since(end, now_mono());
	uint64_t ns = *rest_ns < left ? *rest_ns : left;

	if (left == 0)
		return STATUS_TIMEOUT;
	if (*rest_ns < REST_MOST_NS)
		*rest_ns += *rest_ns / 2;
	return loop_rest(app_loop(run->app), ns) == WAIT_INTERRUPTED
		   ? STATUS_SIGINT
		   : STATUS_OK;
}

enum status
wait_goal_run(struct run *run, struct wait_goal *goal)
{
	struct mono end = run->deadline;
	uint64_t rest_ns = REST_LEAST_NS;
	struct buf said = XBUF;
	enum status status;

	goal->count = run->target_count;
	goal->nodes = xcalloc(goal->count, sizeof(*goal->nodes));
	for (size_t i = 0; i < goal->count; i++) {
		goal->nodes[i].target = run->targets[i];
		buf_init(&goal->nodes[i].lacks, XBUF_MAX);
	}
	for (;;) {
		status = ask_round(run, goal, end);
		if (status != STATUS_OK || count_steps(goal, WAIT_NOT_YET) == 0)
			break;
		say_missing(run, goal, &said);
		status = rest(run, &rest_ns, end);
		if (status != STATUS_OK)
			break;
	}
	buf_release(&said);
	if (status == STATUS_OK && count_steps(goal, WAIT_NEVER) == goal->count)
		return STATUS_NEGATIVE;
	return status;
}

void
wait_goal_release(struct wait_goal *goal)
{
	for (size_t i = 0; i < goal->count; i++) {
		struct answers one = { xcalloc(1, sizeof(*one.items)), 1 };

		one.items[0] = goal->nodes[i].answer;
		answers_release(&one);
		buf_release(&goal->nodes[i].lacks);
	}
	free(goal->nodes);
	goal->nodes = NULL;
	goal->count = 0;
}

/* --- a whole command -------------------------------------------------------
 */

static const char *
state_word(const struct wait_node *node)
{
	switch (node->step) {
	case WAIT_REACHED: return "reached";
	case WAIT_NEVER: return "none";
	case WAIT_NOT_YET: break;
	}
	return node->answer.status == STATUS_OK ||
		       node->answer.status == STATUS_NEGATIVE
		   ? "waiting"
		   : "unreachable";
}

static void
add_rows(struct run *run, struct wait_goal *goal)
{
	struct out *out = &run->out;

	for (size_t i = 0; i < goal->count; i++) {
		struct wait_node *node = &goal->nodes[i];
		const char *state = state_word(node);

		fields_set_node(out, node->target->name);
		out_raw(out, buf_span(&node->answer.body));
		out_word(out, GOAL_STATE, state);
		if (strcmp(state, "waiting") == 0)
			out_text(out, GOAL_LACKS, buf_span(&node->lacks));
		else if (node->step != WAIT_REACHED)
			out_word(out, GOAL_ERROR, node->answer.message);
		out_row(out);
	}
}

void
wait_goal_fail(struct run *run, const struct wait_goal *goal)
{
	struct buf missing = XBUF;

	put_missing(&missing, goal);
	run_fail(run, STATUS_TIMEOUT, "gave up waiting for %s: %s", goal->what,
	    text_of(&missing));
	buf_release(&missing);
}

enum status
wait_goal_command(struct run *run, struct wait_goal *goal)
{
	enum status status = run_targets(run);

	if (status == STATUS_OK)
		status = run_begin(run, &wait_goal_view);
	if (status != STATUS_OK)
		return status;
	status = wait_goal_run(run, goal);
	if (status == STATUS_OK || status == STATUS_TIMEOUT) {
		add_rows(run, goal);
		out_member_bool(&run->out, "reached", status == STATUS_OK);
		out_end(&run->out);
	}
	if (status == STATUS_TIMEOUT)
		wait_goal_fail(run, goal);
	if (status == STATUS_NEGATIVE)
		status = run_fail_node(run, status, goal->nodes[0].target->name,
		    goal->nodes[0].answer.message, NULL);
	wait_goal_release(goal);
	return status;
}
