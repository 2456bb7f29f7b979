/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One connection of a link, without I/O: the session on it, what it has to
 * write, and the answer to a HELLO. Its owner embeds it, feeds it through
 * `session` and calls link_conn_settle() after each event. Any call here may
 * end the connection: then the action `close` is called.
 */
#ifndef HERD_LINK_CONN_H
#define HERD_LINK_CONN_H

#include "core/link.h"

#define LINK_CONN_TURNS 4u /* fills and writes of one call */
/* What is queued plus the longest line. */
#define LINK_CONN_OUT_MAX (SESSION_OUT_MAX * 2u + SESSION_LINE_EXTRA)

struct link_conn {
	struct link_driver *driver;
	struct link *link; /* inbound: NULL until a HELLO was accepted */
	bool inbound;
	bool knocks; /* dialled only to knock */
	bool has_session;
	bool admitted; /* its HELLO was accepted */
	bool up;       /* SYNCED was told */
	struct mono opened;
	struct mono up_at; /* SYNCED for the first time */
	struct session session;
	struct buf out;
};

/*
 * A connection is being made: `link` dials it, or the peer does (NULL). All
 * zero before.
 */
void link_conn_init(struct link_conn *conn, struct link_driver *driver,
    struct link *link, struct mono now);

/* Frees what it holds, after it is closed. */
void link_conn_release(struct link_conn *conn);

/* The transport is up: HELLO goes out with the next link_conn_settle(). */
void link_conn_begin(struct link_conn *conn, struct mono now);

/* May bytes be read from it? Not while its HELLO is held. */
bool link_conn_reads(const struct link_conn *conn);

/*
 * Writes while the socket takes bytes, notes the state, arms the timers. False
 * when the connection has ended.
 */
bool link_conn_settle(
    struct link_conn *conn, struct mono now, struct wall clock);

/*
 * For a node that is awake, because reports came in: batches leave that may,
 * so that it need not wake again for each.
 */
void link_conn_flush_early(
    const struct link_driver *driver, struct mono now, struct wall clock);

/* Does what is due, then settles. Without a session by now it fails. */
void link_conn_on_time(
    struct link_conn *conn, struct mono now, struct wall clock);

/* Does a slice of a pass over the table, then settles. */
void link_conn_work(struct link_conn *conn, struct mono now, struct wall clock);

/* When link_conn_on_time() wants to be called. */
struct mono link_conn_deadline(const struct link_conn *conn);

/* The transport failed, or there never was one: closes. */
void link_conn_fail(struct link_conn *conn, enum session_reason reason,
    const char *error, struct mono now, struct wall clock);

/* Says BYE and closes. */
void link_conn_end(struct link_conn *conn, enum session_reason reason,
    const char *text, struct mono now, struct wall clock);

/*
 * If the probe of link->conn was answered or is too late, answers the HELLO
 * that waits for it. For link.c.
 */
void link_conn_end_probe(struct link *link, struct mono now, struct wall clock);

#endif
