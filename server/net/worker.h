/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One worker, for worker_pool.c, client.c, client_answer.c and survey.c only.
 */
#ifndef HERD_WORKER_H
#define HERD_WORKER_H

#include <event2/event.h>
#include <sys/queue.h>

#include "base/count.h"
#include "base/mailbox.h"
#include "base/tick.h"
#include "net/addresses.h"
#include "net/busiest.h"
#include "net/half_open.h"
#include "net/refusals.h"
#include "net/socket.h"
#include "net/worker_pool.h"
#include "places/places.h"

#define WORKER_READ_SIZE 65536u
#define WORKER_TICK_MS 250u
/* While no client does anything; with idle_timeout, and without. */
#define WORKER_REST_MS 1000u
#define WORKER_SLEEP_MS 10000u
/* How long a stop waits for replies: places may take 10 s. */
#define WORKER_STOP_NS (11u * HERD_NS_PER_S)
#define WORKER_TX_MAX (4 * PLACES_ANSWER_MAX)

/* Written by its worker, read by anyone. */
struct worker_counts {
	_Atomic uint64_t iamat;
	_Atomic uint64_t whatsat;
	_Atomic uint64_t refused[REFUSAL_COUNT];
	_Atomic uint64_t connections;
	_Atomic uint64_t busy;
	_Atomic uint64_t timed_out;
	_Atomic uint64_t gave_way;
	_Atomic uint64_t idle_closed;
	_Atomic uint64_t received_bytes;
	_Atomic uint64_t sent_bytes;
};

/* Where a client waits for its deadline or its turn. */
enum client_queue {
	QUEUE_NONE,
	QUEUE_HANDSHAKE, /* of TLS */
	QUEUE_PARTIAL,   /* a request has begun */
	QUEUE_LINGERING, /* its input is discarded */
	QUEUE_STALLED,   /* with unsent replies */
	QUEUE_THROTTLED, /* over its request rate */
	QUEUE_HELD,      /* replies wait for a commit */
	QUEUE_COUNT,
};

struct worker {
	struct node *node;
	struct worker_pool *pool;
	unsigned number;
	pthread_t thread;
	struct event_base *base;
	struct tick tick;      /* deadlines and turns of `busiest` */
	bool resting;          /* nothing is due: it ticks rarely */
	uint64_t ticked_bytes; /* counts.received_bytes at the last tick */
	struct mailbox mailbox;
	struct places_reader *places; /* NULL: no provider */
	struct buf spare;             /* what connections read into */
	struct buf tx;                /* replies of the batch at hand */
	struct client_list clients; /* all; idle_timeout: longest idle first */
	struct client_list queues[QUEUE_COUNT]; /* each oldest first */
	struct client_list opened; /* all, in the order of their numbers */
	uint64_t last_number;
	struct client
	    *resume; /* where a survey goes on, or NULL: see survey.c */
	uint64_t resume_after;
	struct wall expiry; /* of the batch at hand: what is too old */
	bool stopping;
	struct mono stop_at; /* clients that are not done by then are cut */
	struct worker_counts counts;
	struct time_histogram times[SORT_COUNT];
	struct refusals refusals;
	struct half_open half_open; /* handshakes under way */
	struct busiest busiest;
};

/* A client begins to do something: deadlines may be due soon. */
static inline void
worker_rouse(struct worker *worker)
{
	if (!worker->resting)
		return;
	worker->resting = false;
	tick_in(&worker->tick, WORKER_TICK_MS * HERD_NS_PER_MS);
}

/* --- client.c ----------------------------------------------------------- */

/*
 * Takes the connection, which is counted at `address`. It lives until its
 * peer leaves, breaks a limit or gives way, or the worker stops.
 */
void client_open(struct worker *worker, int fd,
    const struct sockaddr_storage *peer, struct source *source);

/*
 * Closes the connection of that address that has rested longest in this
 * worker; false if none rests.
 */
bool clients_give_way(struct worker *worker, struct source *source);

/*
 * Most memory that a connection may hold when idle; with `busy`, what it may
 * hold beyond that: a request begun, an answer to come, replies unsent.
 */
uint64_t client_memory_max(struct node *node, bool busy);

/* Timeouts and request rates; called every WORKER_TICK_MS while busy. */
void clients_tick(struct worker *worker, struct mono now);

/* Does any client wait for a deadline or a turn? */
bool clients_wait(const struct worker *worker);

/* A commit was published, or the store has failed: replies may go. */
void clients_release(struct worker *worker);

/* Closes all that have nothing in flight; the rest close when they are done. */
void clients_stop(struct worker *worker);

/* Closes all at once; returns how many. */
unsigned clients_kill(struct worker *worker);

/* --- worker_pool.c ------------------------------------------------------- */

struct worker *worker_pool_worker(struct worker_pool *pool, unsigned number);

/* A connection of that address has ended. */
void worker_pool_on_closed(struct worker *worker, struct source *source);

/*
 * Logs a refused request unless one of that reason was logged less than
 * REFUSED_LOG_NS ago. `key` names `text`: "client" for its id, "line" for the
 * beginning of its line.
 */
void worker_pool_log_refusal(struct worker *worker, enum refusal why,
    const struct sockaddr_storage *peer, const char *key, struct span text);

#endif
