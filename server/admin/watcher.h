/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One event stream, and what all of them share, for watch_*.c only. Main
 * thread only, except where a comment says otherwise.
 */
#ifndef HERD_ADMIN_WATCHER_H
#define HERD_ADMIN_WATCHER_H

#include <sys/queue.h>

#include "admin/watch_list.h"
#include "base/tick.h"
#include "herd/json.h"
#include "net/peering.h"

#define WATCH_LINE_MAX (1u << 20)
/* Bytes of the clients' ids of one turn; one more always fits. */
#define WATCHER_IDS_MAX 65536u

struct watcher {
	struct watch_list *watchers;
	TAILQ_ENTRY(watcher) all;
	struct http_call *call;
	unsigned types;   /* bit per enum watch_type */
	struct span glob; /* borrows the call's query */
	struct event *turn;
	struct outbox outbox;
	/* of a filtered stream of reports, or NULL */
	struct arrival_ring *arrivals;
	struct buf ids;    /* of a turn: length, bytes, length, bytes */
	size_t looked;     /* in a turn: steps of the glob */
	struct buf queue;  /* lines of the other events */
	bool lagged;       /* the reader was slower than the herd */
	uint64_t dropped;  /* lines that the queue had no room for */
	uint64_t accepted; /* the table's count when the stream began */
	uint64_t said;     /* of the reports that were replaced unsent */
};

TAILQ_HEAD(watcher_list, watcher);

struct watch_list {
	struct admin *admin;
	struct watcher_list all;
	unsigned count;
	struct tick places_tick; /* while anybody watches */
	struct buf places;       /* its last event, without the time */
};

/* --- watch_line.c -------------------------------------------------------- */

#define WATCH_TYPE_COUNT (WATCH_ADMIN + 1u)
extern const char *const WATCH_TYPE_WORDS[];

static inline bool
watcher_wants(const struct watcher *watcher, enum watch_type type)
{
	return (watcher->types >> type & 1) != 0;
}

struct watch_line {
	struct json json;
	struct buf *out;
	size_t before; /* its length then */
};

/*
 * Begins a line at the end of `out`: the event's name and its time, or now.
 * Returns where its other members are written, until watch_end().
 */
struct json *watch_begin_at(struct watch_line *line, struct buf *out,
    const char *event, struct wall at);
struct json *watch_begin(
    struct watch_line *line, struct buf *out, const char *event);

/* False if there is no room: nothing was appended. */
bool watch_end(struct watch_line *line);

/* --- watch_list.c ----------------------------------------------------------
 */

/* It is served after `wait_ms`, or sooner if that was asked for before. */
void watcher_arm(struct watcher *watcher, unsigned wait_ms);

/* --- watch_reports.c ----------------------------------------------------- */

/* Sends up to WATCHER_TURN_RECORDS reports; false when none is owed. */
bool watcher_send_reports(struct watcher *watcher);

/* Tells a reader that has caught up how much it did not get. */
void watcher_send_missed(struct watcher *watcher);

/* --- watch_news.c -------------------------------------------------------- */

/* A peering_on_change; `arg` is the watch list. In the links thread. */
void watch_list_on_link(
    void *arg, const char *peer, enum link_state state, const char *error);

/* Tells of places if what a stream shows of them has changed. */
void watch_list_look_at_places(struct watch_list *watchers);

#endif
