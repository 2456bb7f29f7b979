/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What session.c, session_input.c and session_exchange.c share: the one setter
 * of the state, control lines, and the exchange's part in each event.
 */
#ifndef HERD_SESSION_LINES_H
#define HERD_SESSION_LINES_H

#include "core/session.h"

#define SESSION_PROTOCOL "herd/1"

/* The one place where the state changes; checks the transition. */
void session_set_state(struct session *session, enum session_state state);

/* Closes it without a word to the peer; once closed, nothing changes. */
void session_close(
    struct session *session, enum session_reason reason, bool by_peer);

/* Tells the peer that we live; its answer has RTT and clock difference. */
void session_ping(struct session *session, struct mono now);

/* Tells the peer our bounds if it does not know them. */
void session_tell_limits(struct session *session);

/* From the session's own sequence: `least` to `most`, `most` included. */
uint64_t session_random_between(
    struct session *session, uint64_t least, uint64_t most);

/* Queues a control line; too many or no memory ends the session. */
void session_say(struct session *session, const char *fmt, ...)
    HERD_PRINTF(2, 3);

/* A line against the rules: BYE bad-line with what was wrong. */
void session_bad_line(
    struct session *session, const char *what, struct span line);

/* The known words of a list with commas, as bits. */
unsigned session_features_parse(struct span list);

/* The handlers of CHECK, DIGEST and NEXT: `rest` is what follows the word. */
void exchange_on_check(struct session *session, struct span rest,
    struct mono now, struct wall clock);
void exchange_on_digest(struct session *session, struct span rest,
    struct mono now, struct wall clock);
void exchange_on_next(struct session *session, struct span rest,
    struct mono now, struct wall clock);

/* HELLO was accepted, or a poll is due: begin the first exchange if we may. */
void exchange_consider(struct session *session, struct mono now);

/* CHECK N+1: compare everything again. */
void exchange_start(struct session *session, struct mono now);

/* A slice of the pass under way; true while there is more. */
bool exchange_work(struct session *session);

/* Are DIGESTs due? */
bool exchange_has_pending(const struct session *session);

/* Appends DIGEST lines that are due, up to about SESSION_OUT_MAX bytes. */
HERD_MUST_CHECK enum herd_error exchange_fill(
    struct session *session, struct buf *out);

/* Data was taken: NEXT is appended if the debt of the exchange is drained. */
HERD_MUST_CHECK enum herd_error exchange_drain(
    struct session *session, struct buf *out, struct mono now);

/* May records flow to the peer? */
bool exchange_is_open(const struct session *session);

void exchange_release(struct session *session);

#endif
