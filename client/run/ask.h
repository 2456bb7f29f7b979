/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to the admin API of nodes, all at once under the run's deadline. A
 * node that does not answer is an answer too: its status and reason.
 */
#ifndef HERD_CLIENT_ASK_H
#define HERD_CLIENT_ASK_H

#include "run/run.h"

struct cJSON;

struct answer {
	struct run *run;
	const struct target *target;
	enum status status;
	char *message; /* reason when not OK */
	char *hint;    /* or NULL */
	struct buf body;
	struct cJSON *json; /* when status is OK and the body is an object */
	struct admin_call *call;
	struct mono began;
	double ms;
	struct wall came; /* when it did, by this machine's clock */
	long http;        /* 0 without an answer */
	bool connected;   /* the node accepted the connection */
	bool done;
	bool waiting;  /* it may still come: a round went on without it */
	bool fresh;    /* no earlier round has had it */
	bool any_body; /* the body need not be JSON */
};

struct answers {
	struct answer *items; /* one per question, in order */
	size_t count;
};

/* Each answer in turn: answers_each(a, &answers) { ... } */
#define answers_each(a, answers)                  \
	for (struct answer *a = (answers)->items; \
	     a < (answers)->items + (answers)->count; a++)

struct question {
	const char *method; /* NULL: GET */
	const char *path;
	const char *body; /* or NULL */
	bool any_body;    /* the answer need not be JSON (/metrics) */
};

/*
 * Gives "/v1/clients/ID?QUERY": `before', the percent-encoded name, `after'.
 */
char *ask_path(const char *before, struct span name, const char *after);

/*
 * Asks these nodes, all at once, and waits. STATUS_OK: each has answered, good
 * or not; in a round of a picture that is drawn again (run->rounds) those that
 * are late are `waiting', which is not good either. STATUS_SIGINT,
 * STATUS_LOCAL (no libcurl): said already. *out is to be released in any case.
 */
enum status ask(struct run *run, const struct question *question,
    const struct target *const *targets, size_t count, struct answers *out);

/* GETs `path' from all of the run's targets; works them out first. */
enum status ask_all(struct run *run, const char *path, struct answers *out);

/*
 * Sets the address and token of a request to a node's admin listener. Not
 * STATUS_OK: the node cannot be asked; `why' says why. Says with --verbose
 * what is asked.
 */
enum status ask_prepare(struct run *run, const struct target *target,
    struct admin_request *request, struct buf *why);

/* The state of a node that gave no answer: "unreachable", or "waiting". */
const char *answer_failure_state(const struct answer *answer);

/* Adds the row of a node that gave no answer. */
void answer_put_failure(struct out *out, const struct answer *answer);

void answers_release(struct answers *answers);

/* --- one answer, for those that wait by themselves ------------------------ */

/* Asks its target; it is done at once if that is not possible. */
void answer_start(struct answer *answer, struct run *run,
    const struct target *target, const struct question *question,
    struct admin_client *admin);

/* It has failed, for that reason; a question under way is given up. */
void answer_fail(
    struct answer *answer, enum status status, const char *message);

/* Fills the empty *to with the same. */
void answer_copy(struct answer *to, const struct answer *from);

void answer_release(struct answer *answer);

/*
 * STATUS_OK: the run may ask that, and *admin is there. Else the user knows
 * why.
 */
enum status ask_may(struct run *run, const struct question *question,
    struct admin_client **admin);

/* --- their statuses ------------------------------------------------------- */

/* OK, PARTIAL, or what all failed with. */
enum status answers_status(const struct answers *answers);

/*
 * Says on stderr which nodes failed and why, with the server's hint; returns
 * answers_status().
 */
enum status answers_report(struct run *run, const struct answers *answers);

#endif
