/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests that were refused, by reason: the reasons as one table, and the
 * reports refused last, so that an operator can see their clients. Each worker
 * has a list of its own; any thread reads.
 */
#ifndef HERD_REFUSALS_H
#define HERD_REFUSALS_H

#include <pthread.h>
#include <sys/socket.h>

#include "herd/report.h"
#include "herd/time.h"

#define REFUSED_MAX 100u        /* reports in a list */
#define REFUSED_CLIENT_MAX 256u /* bytes of a client's id that are kept */
#define REFUSED_LOG_NS (10u * HERD_NS_PER_S) /* between lines of a reason */

/* id, word in the API and metrics, one sentence for people */
#define REFUSALS(X)                                                         \
	X(REFUSAL_INVALID, "invalid", "The line is no request.")            \
	X(REFUSAL_UNKNOWN, "unknown",                                       \
	    "WHATSAT of a client that is not known.")                       \
	X(REFUSAL_AHEAD, "ahead", "The time is beyond max_ahead.")          \
	X(REFUSAL_MEMORY, "memory", "The table is at max_memory.")          \
	X(REFUSAL_CLIENTS, "clients", "The table is at max_clients.")       \
	X(REFUSAL_LONG, "long", "The line is longer than max_line.")        \
	X(REFUSAL_UNFINISHED, "unfinished",                                 \
	    "The request did not end within request_timeout.")              \
	X(REFUSAL_FOREIGN, "foreign",                                       \
	    "The connection began with another protocol, such as HTTP.")    \
	X(REFUSAL_PLAINTEXT, "plaintext",                                   \
	    "The client spoke without TLS at a listener with it.")          \
	X(REFUSAL_TLS, "tls", "The TLS handshake failed or took too long.") \
	X(REFUSAL_NAME, "name",                                             \
	    "The id does not begin with the certificate's name.")

enum refusal {
#define HERD_REFUSAL_ID(id, word, help) id,
	REFUSALS(HERD_REFUSAL_ID)
#undef HERD_REFUSAL_ID
};

#define HERD_REFUSAL_ONE(id, word, help) +1
enum { REFUSAL_COUNT = REFUSALS(HERD_REFUSAL_ONE) };
#undef HERD_REFUSAL_ONE

/* "memory"; a word for the API, the log and metrics. */
const char *refusal_word(enum refusal why);

/* Reports of one client that were refused for one reason. */
struct refused {
	uint64_t hash;  /* of the whole id */
	struct wall at; /* the last of them */
	uint64_t times; /* how many; 0: this place is free */
	enum refusal why;
	struct sockaddr_storage peer; /* of the last */
	uint32_t client_len;          /* of the whole id */
	char client[REFUSED_CLIENT_MAX];
};

struct refusals {
	pthread_mutex_t lock;
	struct refused list[REFUSED_MAX];
};

void refusals_init(struct refusals *refusals);
void refusals_release(struct refusals *refusals);

/*
 * Notes a report with that client id and the id's hash. If the list has one of
 * the same client and reason, that one counts it; else it replaces the oldest.
 */
void refusals_note(struct refusals *refusals, enum refusal why,
    struct span client, uint64_t hash, const struct sockaddr_storage *peer,
    struct wall now);

/* The part of the id that is kept. */
struct span refused_client(const struct refused *refused);

/*
 * Puts those of `refusals` into `list`, which has *count of at most
 * REFUSED_MAX, latest first; those beyond it are dropped.
 */
void refusals_merge(
    struct refusals *refusals, struct refused *list, unsigned *count);

#endif
