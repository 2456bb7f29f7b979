/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of an exchange on a session: CHECK, scan, DIGESTs, owe, drain,
 * NEXT, SYNCED. The same code runs on both sides; no line is a reply to
 * another.
 */
#ifndef HERD_SESSION_EXCHANGE_H
#define HERD_SESSION_EXCHANGE_H

#include "core/session.h"

/*
 * One slice of a pass over the table, if one is under way. Returns true
 * while there is more to do: call again soon, and session_fill().
 */
bool session_work(struct session *session);

/* Is a pass under way? It may begin in session_input() or session_fill(). */
bool session_has_work(const struct session *session);

/* --- for session*.c only ------------------------------------------------- */

/* The handlers of CHECK, DIGEST and NEXT: `rest` is what follows the word. */
void session_on_check(struct session *session, struct span rest,
    struct mono now, struct wall clock);
void session_on_digest(struct session *session, struct span rest,
    struct mono now, struct wall clock);
void session_on_next(struct session *session, struct span rest, struct mono now,
    struct wall clock);

/* HELLO was accepted, or a poll is due: begin the first exchange if we may. */
void session_consider_exchange(struct session *session, struct mono now);

/* CHECK N+1: compare everything again. */
void session_start_exchange(struct session *session, struct mono now);

/* A link that woke: the same, if not too many do so just now; else later. */
void session_try_wake(struct session *session, struct mono now);

/* Appends DIGEST lines that are due, up to about SESSION_OUT_MAX bytes. */
HERD_MUST_CHECK enum herd_error session_fill_digests(
    struct session *session, struct buf *out);

/* Data was taken: NEXT is appended if the debt of the exchange is drained. */
HERD_MUST_CHECK enum herd_error session_drain(
    struct session *session, struct buf *out, struct mono now);

#endif
