/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the admin room share: its state. All in the main thread.
 */
#ifndef HERD_ADMIN_ROOM_H
#define HERD_ADMIN_ROOM_H

#include <event2/util.h>

#include "admin/admin.h"
#include "admin/call.h"
#include "base/mailbox.h"

#define ADMIN_CALLS_MAX 128u /* requests at one time; more get 503 */
#define ADMIN_IDLE_S 60      /* without a byte: the connection is closed */
#define ADMIN_BODY_MAX 65536
#define ADMIN_CLOSE_MS 1000 /* for answers on their way when we stop */

struct census;
struct digests;
struct evconnlistener;
struct evhttp;
struct guests;
struct places_test;
struct tokens;
struct watchers;

TAILQ_HEAD(call_list, call);

/* One listening socket. */
struct admin_door {
	struct admin *admin;
	struct evhttp *http; /* NULL: not open */
	struct evconnlistener *listener;
	struct event *tick; /* opens the door again after EMFILE */
	bool paused;
	struct address address;
	bool trusted; /* a Unix socket: file permissions decide */
};

struct admin {
	struct node *node;
	struct event_base *base;
	struct admin_door doors[2]; /* of the node, of admin.listen */
	struct tokens *tokens;      /* NULL: no door wants one */
	struct guests *guests;      /* connections over TCP */
	struct census *census;
	struct digests *digests;
	struct watchers *watchers;
	struct places_test *places_test; /* under way, or NULL */
	struct mailbox mailbox;          /* from other threads */
	bool has_mailbox;
	struct call_list calls;
	unsigned call_count;
	uint64_t answers; /* requests answered */
	uint64_t errors;  /* of them, with an error */
	struct event *level_timer;
	enum log_level level_before; /* what a timed level returns to */
	enum log_level level_timed;
	bool stopping;
};

#define GIVER_MAX (REPORT_ORIGIN_MAX + 1u)
/* Who gave a record: "client", "store", a peer's name, "" if unknown. */
void name_giver(struct node *node, uint32_t from, char out[GIVER_MAX]);

/* Waits for the test that is under way. */
void places_test_join(struct admin *admin);

/* Ends what a timed log level began. */
void log_level_cancel(struct admin *admin);

#endif
