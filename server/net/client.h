/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client's connection, between client.c (bytes, events, deadlines) and
 * client_answer.c (requests and replies). All in its worker's thread. What
 * other files may call is in worker.h.
 */
#ifndef HERD_NET_CLIENT_H
#define HERD_NET_CLIENT_H

#include <event2/event_struct.h>

#include "base/rate.h"
#include "herd/framer.h"
#include "herd/request.h"
#include "net/worker.h"

#define CLIENT_BATCH 16u /* IAMATs put together */
#define CLIENT_REPLY_MAX (PLACES_ANSWER_MAX + 2 * REPORT_CLIENT_MAX)
/* Memory of a WHATSAT that waits for its places, all included. */
#define CLIENT_WAITING_MAX (CLIENT_REPLY_MAX + 1024u)

enum client_state {
	CLIENT_OPEN,
	CLIENT_HANDSHAKE, /* of TLS, which may not have begun */
	CLIENT_WAITING,   /* for places; not parsed */
	CLIENT_THROTTLED, /* over its rate; not parsed */
	CLIENT_LINGERING, /* input is discarded, then closed: see client_cut()
			   */
};

/*
 * The commit wait of replies, with durability sync: the positions in the
 * store's FIFOs that must be durable before the replies may leave.
 */
struct gate {
	uint64_t shards; /* bit per shard */
	uint64_t appended[TABLE_SHARDS];
	struct mono since; /* the first of them was put */
};

struct client_tls; /* see client_tls.h */
struct whatsat_request;

struct client {
	struct worker *worker;
	TAILQ_ENTRY(client) all;
	TAILQ_ENTRY(client) queued;
	enum client_queue queue;
	struct mono queued_at;
	int fd;
	enum client_state state;
	bool spoke;    /* its first line has come */
	bool foreign;  /* it was another protocol's: nothing is taken */
	bool in_clear; /* without TLS where it has to be: nothing is taken */
	bool rests;    /* in its address's list: it may give way */
	bool served;   /* a request or reply made progress since it settled */
	bool held;     /* `out` waits for a commit; not parsed */
	bool eof;      /* the client will send no more */
	bool broken;   /* nothing can be sent: close */
	bool busy;     /* counted in worker->counts.busy */
	short events;  /* EV_READ and EV_WRITE that are armed */
	struct event readable;
	struct event writable;
	struct client_tls *tls; /* NULL: plain, or nothing has come yet */
	struct framer in;
	struct buf out; /* what the socket did not take */
	struct whatsat_request *waiting;
	struct gate *gate; /* NULL: never needed */
	size_t discarded;
	uint64_t requests;           /* lines that were answered */
	uint64_t invalid;            /* of them, with "?" */
	uint32_t uncounted_requests; /* of them, not yet in worker->busiest */
	uint32_t uncounted_invalid;
	uint32_t untimed[SORT_COUNT]; /* answered since `began` */
	struct mono began; /* their first was read; 0: none since it settled */
	struct mono opened_at;
	struct mono last_request; /* or when it was opened */
	uint64_t number;          /* later ones have greater numbers */
	TAILQ_ENTRY(client) opened;
	struct rate rate; /* of requests */
	struct sockaddr_storage peer;
	struct source *source;
	TAILQ_ENTRY(client) resting;
	struct mono rests_since; /* or when it was served last */
};

/*
 * IAMATs of one read that are put into the table together, so that the records
 * of all are fetched from memory at once.
 */
struct batch {
	unsigned count;
	struct span lines[CLIENT_BATCH];
	struct request requests[CLIENT_BATCH];
	uint64_t hashes[CLIENT_BATCH];
};

/*
 * Answers the complete lines at hand and sends the replies. Returns false
 * when nothing more can be done for now.
 */
bool client_process(struct client *client);

/*
 * After any work on a client: closes it if it is at its end, else arms the
 * events and the deadline that its state asks for.
 */
void client_settle(struct client *client);

/*
 * Replies go into the worker's tx; without the memory for one the client is
 * `broken`. An IAMAT joins the batch and is answered with it, another request
 * after it; `line` stays valid until then.
 */
void client_answer(struct client *client, struct batch *batch, struct span line,
    struct wall now);
void client_answer_batch(
    struct client *client, struct batch *batch, struct wall now);

/*
 * The reply to a line that is not whole: it is beyond the limit (`line` is its
 * beginning), or did not end in time (`line` is the bytes so far).
 */
void client_answer_long(struct client *client, struct span line);
void client_answer_unfinished(struct client *client, struct span line);

/*
 * No more requests of it: what it sends is discarded for a while, because a
 * reset would destroy the reply. The lines of its framer are gone.
 */
void client_cut(struct client *client);

/*
 * The reply to the first line of one who does not speak TLS where it has to; no
 * line of it is taken.
 */
void client_answer_plaintext(struct client *client, struct span line);

/* The client leaves: the places that it waits for are dropped. */
void client_forget_places(struct client *client);

/* How long the requests took whose replies have left. */
void client_time(struct client *client, struct mono now);

/* Are all reports of its replies on disk? Only with a commit wait. */
bool client_is_durable(struct client *client);

#endif
