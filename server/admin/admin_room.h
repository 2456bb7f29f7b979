/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state that the files of the admin API share. Main thread only.
 */
#ifndef HERD_ADMIN_ROOM_H
#define HERD_ADMIN_ROOM_H

#include "admin/admin.h"
#include "admin/bearer_tokens.h"
#include "admin/http_call.h"
#include "base/mailbox.h"
#include "net/http_acceptor.h"

#define TOKEN_SETTING "admin.token_file"
#define READ_TOKEN_SETTING "admin.read_token_file"

/* Requests at one time; more get 503, or the place of a reader that stalls. */
#define ADMIN_CALLS_MAX 128u
#define ADMIN_STALL_MS 1000u
#define ADMIN_IDLE_S 60 /* without a byte: the connection is closed */
#define ADMIN_BODY_MAX (256 << 10)
#define ADMIN_LISTENERS (ADDRESS_LIST_MAX + 1)
#define ADMIN_CLOSE_MS 1000 /* for answers on their way when we stop */

struct table_stats;
struct digest_cache;
struct places_job;
struct watch_list;

TAILQ_HEAD(http_call_list, http_call);

/* One listening socket. */
struct http_listener {
	struct admin *admin;
	struct http_acceptor acceptor;
	struct address address;
	bool trusted; /* a Unix socket: file permissions decide */
};

struct admin {
	struct node *node;
	struct event_base *base;
	/* Of the node's addresses; the last one is that of admin.listen. */
	struct http_listener listeners[ADMIN_LISTENERS];
	struct bearer_tokens tokens;
	struct bearer_tokens new_tokens; /* read, not used yet */
	struct http_limits *limits;      /* connections over TCP */
	struct table_stats *stats;
	struct digest_cache *digests;
	struct watch_list *watchers;
	LIST_HEAD(places_job_list, places_job) places_jobs; /* under way */
	unsigned places_job_count;
	struct mailbox mailbox; /* from other threads */
	bool has_mailbox;
	struct http_call_list calls;
	struct http_call_list turns; /* of http_call_walk(), the next first */
	struct event *turn;
	unsigned call_count;
	uint64_t answers; /* requests answered */
	uint64_t errors;  /* of them, with an error */
	unsigned backups; /* being read: a file on the disk each */
	struct event *level_timer;
	enum log_level level_before; /* what a timed level returns to */
	enum log_level level_timed;
	bool stopping;
};

/* Waits for the test that is under way. */
void places_jobs_join(struct admin *admin);

/* Cancels the timer of a timed log level. */
void log_level_cancel(struct admin *admin);

#endif
