/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The threads that own client connections. The first one accepts connections
 * and gives them to all workers in turn; each serves its own, with its own
 * event loop, buffers and places reader.
 */
#ifndef HERD_WORKER_POOL_H
#define HERD_WORKER_POOL_H

#include "herd/address.h"
#include "herd/time_histogram.h"
#include "net/refusals.h"
#include "node/node.h"

struct worker_pool;

/* Kinds of requests: id, word of metrics. */
#define REQUEST_SORTS(X)           \
	X(SORT_IAMAT, "iamat")     \
	X(SORT_WHATSAT, "whatsat") \
	X(SORT_INVALID, "invalid")

enum request_sort {
#define HERD_REQUEST_SORT_ID(id, word) id,
	REQUEST_SORTS(HERD_REQUEST_SORT_ID)
#undef HERD_REQUEST_SORT_ID
	    SORT_COUNT
};

/* Sums over all workers. */
struct worker_pool_counts {
	uint64_t iamat;
	uint64_t whatsat;
	uint64_t invalid; /* all of `requests_refused` */
	uint64_t requests_refused[REFUSAL_COUNT];
	uint64_t connections; /* now */
	uint64_t busy; /* of them: with a request begun or replies unsent */
	uint64_t memory_max; /* bytes that they and the workers may hold */
	uint64_t accepted;
	uint64_t refused;     /* at a limit */
	uint64_t timed_out;   /* a request took too long, or replies stalled */
	uint64_t gave_way;    /* closed for a new one at max_connections */
	uint64_t idle_closed; /* by idle_timeout */
	uint64_t received_bytes;
	uint64_t sent_bytes;
	/* A second, in the last whole 10 s, on the worker that has the most. */
	double busiest_client_reports;
	double busiest_address_requests;
	/* From a request's last byte to its reply, commit and places included.
	 */
	struct time_histogram times[SORT_COUNT];
};

/*
 * Starts node.file's number of workers and listens on `address`.
 * HERD_ESYSTEM: `message` says why and what to do.
 */
HERD_MUST_CHECK enum herd_error worker_pool_open(struct node *node,
    const struct address *address, unsigned count, struct buf *message,
    struct worker_pool **out);

/*
 * Stops accepting, finishes the replies in flight (at most
 * PLACES_DEADLINE_MS), closes all connections, joins the threads. NULL is
 * fine.
 */
void worker_pool_stop(struct worker_pool *pool);

/* Stops if need be, and frees. No worker_pool_wake() may follow. */
void worker_pool_free(struct worker_pool *pool);

/* The clients' address, with the port that the system picked. */
const struct address *worker_pool_address(const struct worker_pool *pool);

unsigned worker_pool_number(const struct worker_pool *pool);

/* The store has committed, or failed: looks at held replies. Any thread.
 */
void worker_pool_wake(struct worker_pool *pool);

void worker_pool_count(
    struct worker_pool *pool, struct worker_pool_counts *out);

/* The reports refused last, latest first; how many. Any thread. */
unsigned worker_pool_refused(
    struct worker_pool *pool, struct refused out[REFUSED_MAX]);

#endif
