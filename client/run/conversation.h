/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests of the client protocol to nodes, all at once under the run's
 * deadline. A node that does not answer is an answer too: its status and
 * reason.
 */
#ifndef HERD_CLIENT_CONVERSATION_H
#define HERD_CLIENT_CONVERSATION_H

#include "net/reply.h"
#include "run/run.h"

struct conversation;

/* It is done, good or not; called while the others are still waited for. */
typedef void conversation_done(void *arg, const struct conversation *x);

struct conversation {
	struct run *run;
	conversation_done *on_done; /* or NULL */
	void *arg;
	const struct target *target;
	enum status status;
	char *message;
	struct buf bytes;              /* of all replies, as received */
	struct buf first;              /* of the first one */
	struct connection *connection; /* its own, or lent by `standing' */
	struct standing *standing;     /* or NULL */
	enum reply_kind kind;          /* of the first one */
	size_t replies;
	size_t wanted;
	struct mono began;
	double ms;
	bool done;
};

struct conversations {
	struct conversation *items;
	size_t count;
};

/*
 * Sends the request (one line or several, without the last LF) to all of the
 * run's targets and waits. As ask().
 */
enum status conversation_all(
    struct run *run, struct span request, struct conversations *out);

/* As conversation_all(), and tells of each one when it is done. */
enum status conversation_each(struct run *run, struct span request,
    conversation_done *on_done, void *arg, struct conversations *out);
void conversations_release(struct conversations *conversations);
enum status conversations_status(const struct conversations *conversations);
enum status conversations_report(
    struct run *run, const struct conversations *conversations);

#endif
