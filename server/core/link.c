/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link: when to dial or knock, and what became of it. */
#include "core/link.h"

#include <stdio.h>

#include "core/link_conn.h"
#include "core/link_flood.h"
#include "core/mutant.h"
#include "core/session_hello.h"

static const char *const STATE_WORDS[] = {
#define HERD_LINK_WORD(id, word) [id] = word,
	LINK_STATES(HERD_LINK_WORD)
#undef HERD_LINK_WORD
};

const char *
link_state_word(enum link_state state)
{
	return STATE_WORDS[state];
}

struct link *
link_find(const struct link_driver *driver, struct span peer)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (driver->links[i] != NULL &&
		    span_is(peer, driver->links[i]->peer))
			return driver->links[i];
	}
	return NULL;
}

/* --- state and errors ----------------------------------------------------- */

void
link_set_state(struct link *link, enum link_state state, struct mono now,
    struct wall clock)
{
	const struct link_actions *actions = link->driver->actions;
	/* Only errors since the current state began explain its end. */
	bool is_why =
	    link->error_at.ns != 0 && link->error_at.ns > link->since.ns;

	if (link->state == state)
		return;
	link_history_note(
	    &link->history, state, is_why ? link->error : "", clock);
	link->state = state;
	link->since = now;
	actions->changed(link->driver->arg, link);
	link_flood_note(link->driver, now);
}

static void
link_note_error(struct link *link, const char *error, struct mono now)
{
	snprintf(link->error, sizeof(link->error), "%s", error);
	link->error_at = now;
}

static const char *
next_text(const struct link *link, enum session_reason reason)
{
	if (link->leaving)
		return "the herd file has no such link any more";
	if (!link->enabled)
		return "waiting for an operator to enable it";
	if (!link->dials)
		return "waiting for the peer to dial";
	if (session_reason_is_slow(reason))
		return "an operator must fix it; dialling again in 30 s";
	if (session_reason_is_refusal(reason))
		return "compare the key_file of both nodes, and see who "
		       "listens at that address; dialling again with backoff";
	return "dialling again with backoff";
}

/* Tells the same error only once. */
static void
link_tell_down(struct link *link, enum session_reason reason, const char *next,
    bool was_up)
{
	const struct link_driver *driver = link->driver;
	bool repeated = !was_up && strcmp(link->told, link->error) == 0;

	snprintf(link->told, sizeof(link->told), "%s", link->error);
	driver->actions->tell(driver->arg, link,
	    repeated ? LINK_NOTICE_STILL : LINK_NOTICE_DOWN, reason,
	    link->error, next != NULL ? next : next_text(link, reason));
}

static void
link_tell_awaited(struct link *link)
{
	const struct link_driver *driver = link->driver;
	char error[SESSION_ERROR_MAX + 40];
	char next[REPORT_ORIGIN_MAX + 100];

	snprintf(error, sizeof(error), "the peer has not dialled yet%s%s",
	    link->error[0] == '\0' ? "" : ": ", link->error);
	snprintf(next, sizeof(next),
	    "see whether %s is up, and whether its herd file has this link "
	    "and the same dial",
	    link->peer);
	driver->actions->tell(
	    driver->arg, link, LINK_NOTICE_AWAITED, BYE_NONE, error, next);
}

/* --- attempts ------------------------------------------------------------ */

void
link_rest(struct link *link)
{
	const struct link_driver *driver = link->driver;

	if (link->trying)
		driver->actions->cancel(driver->arg, link);
	link->trying = false;
	link->retry_at = (struct mono){ 0 };
	link->await_at = (struct mono){ 0 };
	driver->actions->arm_link(driver->arg, link);
}

static void
link_try(struct link *link, struct mono now, struct wall clock)
{
	const struct link_driver *driver = link->driver;

	link->retry_at = (struct mono){ 0 };
	link->began = now;
	link->trying = true;
	link->answers_knock = false;
	/* After a knock the link still waits for the peer to dial. */
	if (link->dials)
		link_set_state(link, LINK_CONNECTING, now, clock);
	driver->actions->arm_link(driver->arg, link);
	driver->actions->dial(driver->arg, link);
}

void
link_hurry(struct link *link, struct mono now, struct wall clock)
{
	if (link->retry_at.ns != 0)
		link_try(link, now, clock);
}

/* Backoff counts from the beginning of the attempt that failed. */
static struct mono
retry_time(struct link *link, enum session_reason reason, struct mono now)
{
	const struct link_driver *driver = link->driver;
	struct mono least = mono_add(now, BACKOFF_LEAST_NS);
	struct mono at;

	if (session_reason_is_slow(reason))
		return mono_add(now, BACKOFF_REFUSED_NS);
	at = mono_add(
	    link->began, backoff_next(&link->backoff, driver->redial_max_ns,
			     driver->actions->random(driver->arg)));
	return at.ns > least.ns ? at : least;
}

/* The link is down: dials, or knocks, again later. */
static void
link_retry(struct link *link, enum session_reason reason, struct mono now,
    struct wall clock)
{
	const struct link_driver *driver = link->driver;

	if (driver->stopping)
		return;
	if (link->dials || !MUTANT(NO_KNOCK))
		link->retry_at = retry_time(link, reason, now);
	driver->actions->arm_link(driver->arg, link);
	if (session_reason_is_refusal(reason))
		link_set_state(link, LINK_REFUSED, now, clock);
	else
		link_set_state(link, link->dials ? LINK_BACKOFF : LINK_WAITING,
		    now, clock);
}

/* From now on the peer is expected to dial. */
static void
link_await(struct link *link, struct mono now)
{
	uint64_t patience = 2 * link->driver->redial_max_ns;

	if (!link->dials)
		link->await_at = mono_add(
		    now, patience > LINK_AWAIT_NS ? patience : LINK_AWAIT_NS);
}

void
link_on_failed(struct link *link, const char *error, const char *next,
    struct mono now, struct wall clock)
{
	link->trying = false;
	link_note_error(link, error, now);
	link_retry(link, BYE_NONE, now, clock);
	if (link->dials)
		link_tell_down(link, BYE_NONE, next, false);
}

/* --- connections ---------------------------------------------------------- */

void
link_adopt(struct link *link, struct link_conn *conn, struct mono now,
    struct wall clock)
{
	struct link_conn *old = link->conn;
	struct link_conn *dialled = link->dialled;

	if (dialled == conn)
		dialled = NULL;
	if (link->waiting == conn)
		link->waiting = NULL;
	link->dialled = NULL;
	conn->link = link;
	conn->admitted = true;
	link->conn = conn;
	link->connects++;
	if (old != NULL && !MUTANT(ADOPT_KEEPS_OLD))
		link_conn_end(
		    old, BYE_REPLACED, "a newer connection came", now, clock);
	if (dialled != NULL)
		link_conn_end(dialled, BYE_REPLACED,
		    "another connection came first", now, clock);
	link_rest(link);
	link_set_state(link, LINK_COMPARING, now, clock);
}

/* The peer itself refused, so its other addresses would refuse too. */
static bool
is_from_the_peer(enum session_reason reason)
{
	return session_reason_is_refusal(reason) && reason != BYE_WRONG_NODE &&
	       reason != BYE_WRONG_HERD && reason != BYE_KEY;
}

/*
 * A node of the first edition does not know knocks: it answers that it has no
 * such link.
 */
static bool
was_knocked(const struct link_conn *conn, enum session_reason reason)
{
	return conn->knocks &&
	       (reason == BYE_KNOCK ||
		   (reason == BYE_NOT_CONFIGURED &&
		       !session_knows(&conn->session, SESSION_KNOCK)));
}

/*
 * Not a refusal on the side that waits: the peer may be about to get the herd
 * file that has the link.
 */
static enum session_reason
reason_for(const struct link_conn *conn, enum session_reason reason)
{
	return conn->knocks && reason == BYE_NOT_CONFIGURED ? BYE_NONE : reason;
}

/* An attempt has failed, or has knocked. */
static void
link_on_attempt_lost(struct link *link, const struct link_conn *conn,
    enum session_reason reason, struct mono now, struct wall clock)
{
	const struct link_driver *driver = link->driver;

	if (!is_from_the_peer(reason) && !was_knocked(conn, reason) &&
	    driver->actions->dial_next(driver->arg, link, conn, link->error))
		return;
	link->trying = false;
	reason = reason_for(conn, reason);
	link_retry(
	    link, was_knocked(conn, reason) ? BYE_NONE : reason, now, clock);
	if (link->dials || session_reason_is_refusal(reason))
		link_tell_down(link, reason, NULL, false);
}

/* The link's own connection is lost: dials or knocks again. */
static void
link_on_conn_lost(struct link *link, const struct link_conn *conn,
    enum session_reason reason, struct mono now, struct wall clock)
{
	struct mono steady =
	    MUTANT(RESET_AT_SYNCED) ? conn->session.synced_at : conn->up_at;

	if (conn->up && mono_since(now, steady) >= BACKOFF_RESET_NS)
		backoff_reset(&link->backoff);
	link->began = now;
	link_await(link, now);
	link_retry(link, reason, now, clock);
	link_tell_down(link, reason, NULL, conn->up);
	/* This answers a probe that is under way. */
	if (link->waiting != NULL)
		link_conn_end_probe(link, now, clock);
}

void
link_on_lost(struct link *link, struct link_conn *conn,
    enum session_reason reason, const char *error, struct mono now,
    struct wall clock)
{
	bool was_current = link->conn == conn;
	bool was_attempt = link->dialled == conn;

	if (conn->has_session)
		session_stats_add(&link->past, &conn->session.stats);
	if (link->waiting == conn)
		link->waiting = NULL;
	if (was_attempt)
		link->dialled = NULL;
	if (was_current)
		link->conn = NULL;
	/* A connection that was replaced or refused changes nothing. */
	if (!was_current && (!was_attempt || link->conn != NULL))
		return;
	if (conn->up)
		link->driver->actions->tell(link->driver->arg, link,
		    LINK_NOTICE_ENDED, reason, error, "");
	if (link->driver->stopping)
		return;
	if (!was_knocked(conn, reason))
		link_note_error(link, error, now);
	if (!link->enabled) {
		link->trying = false;
		link_set_state(link, LINK_DISABLED, now, clock);
		if (conn->up)
			link_tell_down(link, reason, NULL, true);
	} else if (was_attempt) {
		link_on_attempt_lost(link, conn, reason, now, clock);
	} else {
		link_on_conn_lost(link, conn, reason, now, clock);
	}
}

/* --- knocks -------------------------------------------------------------- */

/*
 * Gives up the connection under way for the peer's next address, so that a
 * node that knocks again and again does not keep us at a silent address.
 * Returns false if nothing is dialled instead.
 */
static bool
link_dial_on(struct link *link, struct mono now, struct wall clock)
{
	const struct link_driver *driver = link->driver;
	struct link_conn *given_up = link->dialled;
	bool goes_on;

	if (given_up == NULL)
		return false;
	link->dialled = NULL;
	goes_on = driver->actions->dial_next(driver->arg, link, given_up, NULL);
	link_conn_end(given_up, BYE_REPLACED, "the peer is back", now, clock);
	return goes_on;
}

void
link_on_knock(struct link *link, struct mono now, struct wall clock)
{
	/*
	 * An attempt under way may have begun before the peer could answer, so
	 * it begins again. Not if it answers an earlier knock: knocks may come
	 * faster than a far peer is reached.
	 */
	if (link->conn != NULL ||
	    (link->trying && link->answers_knock &&
		mono_since(now, link->began) < LINK_KNOCK_NS))
		return;
	backoff_reset(&link->backoff);
	if (link_dial_on(link, now, clock)) {
		link->began = now;
	} else {
		link_rest(link);
		link_try(link, now, clock);
	}
	link->answers_knock = link->trying;
}

/* --- life ---------------------------------------------------------------- */

static void
link_start(struct link *link, struct mono now, struct wall clock)
{
	backoff_reset(&link->backoff);
	link_set_state(link, LINK_WAITING, now, clock);
	link_await(link, now);
	if (link->dials || !MUTANT(NO_KNOCK))
		link_try(link, now, clock);
}

enum herd_error
link_add(struct link_driver *driver, struct link *link, struct mono now,
    struct wall clock)
{
	unsigned at = 0;

	while (at < LINKS_MAX && driver->links[at] != NULL)
		at++;
	if (at == LINKS_MAX)
		return HERD_ELIMIT;
	driver->links[at] = link;
	link->driver = driver;
	link->enabled = true;
	link->since = now;
	link_start(link, now, clock);
	return HERD_OK;
}

static void
link_hang_up(struct link *link, enum session_reason reason, const char *text,
    struct mono now, struct wall clock)
{
	link_rest(link);
	if (link->waiting != NULL)
		link_conn_end(link->waiting, reason, text, now, clock);
	if (link->dialled != NULL)
		link_conn_end(link->dialled, reason, text, now, clock);
	if (link->conn != NULL)
		link_conn_end(link->conn, reason, text, now, clock);
	/* Do not dial again what is lost now. */
	link_rest(link);
}

void
link_remove(struct link *link, struct mono now, struct wall clock)
{
	struct link_driver *driver = link->driver;

	link->leaving = true;
	link->dials = false;
	link_hang_up(link, BYE_NOT_CONFIGURED,
	    "the link has left the herd file", now, clock);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (driver->links[i] == link)
			driver->links[i] = NULL;
	}
}

void
link_command(
    struct link *link, enum link_verb verb, struct mono now, struct wall clock)
{
	switch (verb) {
	case LINK_ENABLE:
		if (!link->enabled) {
			link->enabled = true;
			link_start(link, now, clock);
		}
		break;
	case LINK_DISABLE:
		link->enabled = false;
		link_hang_up(
		    link, BYE_DISABLED, "disabled by an operator", now, clock);
		link_set_state(link, LINK_DISABLED, now, clock);
		break;
	case LINK_RECONNECT:
	case LINK_RENEW:
		link_hang_up(link, BYE_STOP,
		    verb == LINK_RENEW ? "its key was removed from key_file"
				       : "an operator asks to reconnect",
		    now, clock);
		if (link->enabled)
			link_start(link, now, clock);
		break;
	}
}

void
link_note_claim(struct link *link, const char *error, struct mono now)
{
	if (link->enabled && link->conn == NULL)
		link_note_error(link, error, now);
}

/* --- time ---------------------------------------------------------------- */

static void
sooner(struct mono *at, struct mono other)
{
	if (other.ns != 0 && other.ns < at->ns)
		*at = other;
}

struct mono
link_deadline(const struct link *link)
{
	struct mono at = { UINT64_MAX };

	sooner(&at, link->retry_at);
	sooner(&at, link->await_at);
	sooner(&at, link->settle_at);
	sooner(&at, link->awake_until);
	if (link->waiting != NULL && link->conn != NULL)
		sooner(&at, mono_add(link->probed, LINK_PROBE_NS));
	return at;
}

static bool
is_due(struct mono at, struct mono now)
{
	return at.ns != 0 && now.ns >= at.ns;
}

void
link_on_time(struct link *link, struct mono now, struct wall clock)
{
	if (is_due(link->await_at, now)) {
		link->await_at = (struct mono){ 0 };
		link_tell_awaited(link);
	}
	link_flood_on_time(link, now);
	if (link->waiting != NULL)
		link_conn_end_probe(link, now, clock);
	if (is_due(link->retry_at, now))
		link_try(link, now, clock);
	link->driver->actions->arm_link(link->driver->arg, link);
}

/* --- the clock ----------------------------------------------------------- */

struct timekeeper_news
link_judge_clock(struct link_driver *driver, struct timekeeper *timekeeper,
    struct mono now, struct wall clock)
{
	struct timekeeper_clock clocks[LINKS_MAX];
	struct timekeeper_news news;
	unsigned count = 0;

	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link *link = driver->links[i];

		if (link != NULL && link->conn != NULL &&
		    link->conn->session.synced &&
		    link->conn->session.clock_known)
			clocks[count++] = link->conn->session.clock;
	}
	news = timekeeper_judge(timekeeper, now, clock, clocks, count);
	for (unsigned i = 0; news.verify && i < LINKS_MAX; i++) {
		struct link *link = driver->links[i];

		if (link == NULL || link->conn == NULL)
			continue;
		session_verify_clock(&link->conn->session, now);
		driver->actions->arm(driver->arg, link->conn, true);
	}
	return news;
}
