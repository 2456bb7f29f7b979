/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What other threads see of the workers' clients. A message goes to a worker,
 * which copies what it has between two batches, so that no worker takes a lock
 * for it or waits. After a worker has stopped, its message runs when the pool
 * is freed.
 */
#ifndef HERD_SURVEY_H
#define HERD_SURVEY_H

#include <sys/socket.h>

#include "base/mailbox.h"
#include "net/busiest.h"
#include "net/worker_pool.h"

/* --- who keeps the workers busy ------------------------------------------- */

struct survey_list {
	struct heavy_row *rows; /* of clients: the most first */
	unsigned count;
	char *labels;
	struct heavy_sums sums; /* of all workers; the longest window */
};

struct survey_address {
	const struct heavy_row *row; /* its label is a struct sockaddr */
	double requests_per_s;
	double invalid_per_s;
};

struct busiest_survey {
	struct message message; /* must be first */
	struct worker_pool *pool;
	unsigned number; /* of the worker that is asked */
	struct survey_list lists[BUSIEST_LIST_COUNT];
	struct survey_address *addresses; /* the most requests first */
	unsigned address_count;
	/* In the last worker's thread; may free the survey. */
	void (*on_done)(void *arg);
	void *arg;
};

/*
 * Gives a survey of all workers, to be sent, with room for `others` besides.
 * NULL: no memory.
 */
struct busiest_survey *busiest_survey_new(struct worker_pool *pool,
    unsigned others, void (*on_done)(void *arg), void *arg);
void busiest_survey_free(struct busiest_survey *survey);

/* Asks the workers, one after the other. */
void busiest_survey_send(struct busiest_survey *survey);

/* After on_done, in the thread of `busiest`: one of the others. */
void busiest_survey_take(
    struct busiest_survey *survey, const struct busiest *busiest);

/*
 * After on_done: brings the rows of all workers together, and those of
 * addresses. HERD_ENOMEM.
 */
HERD_MUST_CHECK enum herd_error busiest_survey_merge(
    struct busiest_survey *survey);

/* --- connections -----------------------------------------------------------
 */

/* Connections that are copied at a time. */
#define SURVEY_SLICE 2048u

#define SURVEY_STATES(X)                 \
	X(SURVEY_IDLE, "idle")           \
	X(SURVEY_HANDSHAKE, "handshake") \
	X(SURVEY_READING, "reading")     \
	X(SURVEY_WAITING, "waiting")     \
	X(SURVEY_HELD, "held")           \
	X(SURVEY_THROTTLED, "throttled") \
	X(SURVEY_STALLED, "stalled")     \
	X(SURVEY_LINGERING, "lingering")

/*
 * Its TLS handshake is under way; a request has begun; its places are looked
 * up; replies wait for a commit; it is over its rate; replies are unsent; its
 * input is discarded.
 */
enum survey_state {
#define HERD_SURVEY_STATE(id, word) id,
	SURVEY_STATES(HERD_SURVEY_STATE)
#undef HERD_SURVEY_STATE
};

const char *survey_state_word(enum survey_state state);

struct connection_facts {
	struct sockaddr_in6 peer; /* the beginning of a sockaddr_storage */
	enum survey_state state;
	struct mono opened;
	struct mono last; /* request; when it was opened, before the first */
	uint64_t requests;
	uint64_t invalid; /* of them */
	uint64_t unsent;  /* bytes of replies that the socket did not take */
};

struct connection_survey {
	struct message message; /* must be first */
	struct worker_pool *pool;
	unsigned number; /* of the worker that is asked */
	uint64_t after;  /* connections up to that one were copied */
	bool more;       /* the worker has more */
	unsigned count;
	struct connection_facts rows[SURVEY_SLICE];
	/* In the worker's thread; may free the survey. */
	void (*on_slice)(void *arg);
	void *arg;
};

/* Asks the first worker for its oldest connections. */
void connection_survey_begin(struct connection_survey *survey,
    struct worker_pool *pool, void (*on_slice)(void *arg), void *arg);

/* After on_slice: asks for the next ones. False: these were the last. */
bool connection_survey_go_on(struct connection_survey *survey);

#endif
