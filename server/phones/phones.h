/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports over HTTP from apps that people have on their phones: OwnTracks,
 * Traccar Client, OsmAnd, GPSLogger, Overland. A thread of its own, with
 * bounds of its own, so that the client protocol never waits for it. What it
 * takes is a report like any other. Source: herd-phones(7).
 */
#ifndef HERD_PHONES_H
#define HERD_PHONES_H

#include "base/mailbox.h"
#include "net/refusals.h"
#include "node/node.h"
#include "phones/intake.h"

/* The formats: id, word of metrics. */
#define PHONES_APPS(X)                \
	X(APP_OWNTRACKS, "owntracks") \
	X(APP_QUERY, "query")         \
	X(APP_TRACCAR, "traccar")     \
	X(APP_OVERLAND, "overland")

enum phones_app {
#define HERD_PHONES_APP_ID(id, word) id,
	PHONES_APPS(HERD_PHONES_APP_ID)
#undef HERD_PHONES_APP_ID
	    APP_COUNT
};

/*
 * Why a request, or a fix in it, is not taken, beside INTAKE_FAULTS: id, HTTP
 * status for a person's own script, word, text, and whether an app gets that
 * status too. It gets 200 otherwise, because it would send the same message
 * for ever, and nothing else.
 */
#define PHONES_REFUSALS(X)                                                    \
	X(PHONES_CREDENTIALS, 401, "credentials", true,                       \
	    "no user has these credentials, or there are none")               \
	X(PHONES_ATTEMPTS, 429, "attempts", true,                             \
	    "too many wrong credentials from this address; wait a minute")    \
	X(PHONES_RATE, 429, "rate", true, "more requests than http.rate")     \
	X(PHONES_BUSY, 503, "busy", true,                                     \
	    "too many passwords are being checked; try again")                \
	X(PHONES_DRAIN, 503, "drain", true,                                   \
	    "this node does not serve now; ask another one")                  \
	X(PHONES_STORE, 503, "store", true,                                   \
	    "the store does not commit, so nothing is sure to last")          \
	X(PHONES_MEMORY, 503, "memory", true, "the node's memory is used up") \
	X(PHONES_CLIENTS, 503, "clients", true,                               \
	    "the herd has as many clients as it may have")                    \
	X(PHONES_CLEAR, 403, "clear", true,                                   \
	    "without TLS only the proxy of http.trust_proxy may ask")         \
	X(PHONES_PAGE, 403, "page", true, "a web page may not report")        \
	X(PHONES_PATH, 404, "path", true, "there is nothing at this path")    \
	X(PHONES_CLIENT, 404, "client", true,                                 \
	    "no such client, or it is not yours to see")                      \
	X(PHONES_METHOD, 405, "method", true,                                 \
	    "this path does not take that method")                            \
	X(PHONES_BODY, 400, "body", true,                                     \
	    "a body has one length, and a GET has no body")                   \
	X(PHONES_PARAMETER, 400, "parameter", true,                           \
	    "a parameter has a wrong value")                                  \
	X(PHONES_SIZE, 413, "size", false, "the body is too large")           \
	X(PHONES_DEVICE, 403, "device", false,                                \
	    "the users file does not allow this device")                      \
	X(PHONES_DEVICES, 403, "devices", false,                              \
	    "the user has as many devices as a user may have")                \
	X(PHONES_AHEAD, 400, "ahead", false, "the time is beyond max_ahead")

enum phones_refusal {
#define HERD_PHONES_REFUSAL_ID(id, status, word, always, text) id,
	PHONES_REFUSALS(HERD_PHONES_REFUSAL_ID)
#undef HERD_PHONES_REFUSAL_ID
	    PHONES_REFUSAL_COUNT
};

struct busiest;
struct event_base;
struct phones;

/* Sums since the start, and what is now. */
struct phones_counts {
	uint64_t reports[APP_COUNT];
	uint64_t refused[PHONES_REFUSAL_COUNT];
	uint64_t faults[INTAKE_FAULT_COUNT];
	uint64_t memory_max; /* bytes that all this may hold now */
	uint64_t requests;
	uint64_t connections; /* now */
	uint64_t connections_refused;
	uint64_t timed_out;
	uint64_t users;   /* in the users file */
	uint64_t hashing; /* passwords that wait or are being checked */
	uint64_t pending; /* requests that are not answered yet */
	double busiest_client_reports; /* a second, as of a worker */
	double busiest_address_requests;
};

const char *phones_app_word(enum phones_app app);
const char *phones_refusal_word(enum phones_refusal why);

/*
 * Opens the listener at this node's `http` address, reads the users file and
 * starts the thread. *out is NULL if the node has no such address.
 * HERD_ESYSTEM ...: `message` says why and what to do.
 */
HERD_MUST_CHECK enum herd_error phones_open(
    struct node *node, struct buf *message, struct phones **out);

/*
 * Takes no more requests, answers those under way, ends the thread. After it,
 * phones_wake() may still be called. NULL is fine.
 */
void phones_stop(struct phones *phones);

/* Frees it. NULL is fine. */
void phones_free(struct phones *phones);

/* The store has committed, or failed. Any thread. NULL is fine. */
void phones_wake(struct phones *phones);

/* Where it listens, with the port that the system picked. */
const struct address *phones_address(const struct phones *phones);

/* Any thread. All zero for NULL. */
void phones_count(const struct phones *phones, struct phones_counts *out);

/* Runs the message in the phones thread, or when that has ended. Any thread. */
void phones_post(struct phones *phones, struct message *message);

/* In the phones thread: who keeps it busy. */
const struct busiest *phones_busiest(const struct phones *phones);

/* Adds the reports refused last, as refusals_merge(). Any thread. */
void phones_refused(
    struct phones *phones, struct refused *list, unsigned *count);

#endif
