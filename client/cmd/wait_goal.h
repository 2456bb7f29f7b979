/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waits until nodes say what is waited for. Each node is asked again and again,
 * with rests between, until it has said it once. A question has a short
 * deadline of its own, so that a node that hangs now may answer the next one,
 * and does not keep the others from being asked. On a terminal it says what
 * is still waited for, and why, whenever that changes.
 */
#ifndef HERD_WAIT_GOAL_H
#define HERD_WAIT_GOAL_H

#include "run/fields.h"

enum wait_step {
	WAIT_NOT_YET,
	WAIT_REACHED,
	WAIT_NEVER, /* it cannot come: there is no such thing on this node */
};

struct wait_node {
	const struct target *target;
	enum wait_step step;
	struct answer answer; /* the last one */
	struct buf lacks;     /* why it is not reached: "no report" */
};

struct wait_goal {
	const char *path; /* is asked */
	const char *what; /* "a report of kiwi" */
	/*
	 * What an answer says, good or not; if that is WAIT_NOT_YET, appends
	 * what the node lacks. An answer that is not good says it by itself.
	 */
	enum wait_step (*look)(
	    const void *arg, const struct answer *answer, struct buf *lacks);
	const void *arg;
	struct wait_node *nodes; /* of the run's targets */
	size_t count;
};

/*
 * Waits until every node has reached it, but those where it never can.
 * STATUS_OK; STATUS_TIMEOUT: not by the deadline of --timeout; STATUS_NEGATIVE:
 * no node can; STATUS_SIGINT or what ask() says. Call wait_goal_release() in
 * any case.
 */
enum status wait_goal_run(struct run *run, struct wait_goal *goal);
void wait_goal_release(struct wait_goal *goal);

/*
 * After STATUS_TIMEOUT says "gave up waiting for a report of kiwi: Riley (no
 * report), Juzang (no answer in time)".
 */
void wait_goal_fail(struct run *run, const struct wait_goal *goal);

extern const struct view wait_goal_view;

/*
 * A whole command: the run's targets, wait_goal_run(), a row for each node with
 * columns of wait_goal_view, and what is missing on stderr.
 */
enum status wait_goal_command(struct run *run, struct wait_goal *goal);

#endif
