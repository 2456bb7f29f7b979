/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/link_conn.h"

#include <stdio.h>

#include "core/link_flood.h"
#include "core/mutant.h"
#include "core/session_exchange.h"
#include "core/session_hello.h"

/* --- life ---------------------------------------------------------------- */

void
link_conn_init(struct link_conn *conn, struct link_driver *driver,
    struct link *link, struct mono now)
{
	conn->driver = driver;
	conn->link = link;
	conn->inbound = link == NULL;
	conn->knocks = link != NULL && !link->dials;
	conn->opened = now;
	if (link != NULL)
		link->dialled = conn;
	buf_init(&conn->out, LINK_CONN_OUT_MAX);
}

void
link_conn_release(struct link_conn *conn)
{
	if (conn->has_session)
		session_release(&conn->session);
	buf_release(&conn->out);
}

/* The one place where a connection ends. */
static void
link_conn_close(struct link_conn *conn, enum session_reason reason,
    const char *error, struct mono now, struct wall clock)
{
	const struct link_driver *driver = conn->driver;

	if (conn->link != NULL)
		link_on_lost(conn->link, conn, reason, error, now, clock);
	driver->actions->close(driver->arg, conn, reason, error);
}

void
link_conn_fail(struct link_conn *conn, enum session_reason reason,
    const char *error, struct mono now, struct wall clock)
{
	if (conn->has_session)
		session_lost(&conn->session, error);
	link_conn_close(conn, reason, error, now, clock);
}

void
link_conn_end(struct link_conn *conn, enum session_reason reason,
    const char *text, struct mono now, struct wall clock)
{
	if (!conn->has_session) {
		link_conn_close(conn, reason, text, now, clock);
		return;
	}
	session_bye(&conn->session, reason, "%s", text);
	(void)link_conn_settle(conn, now, clock);
}

/* --- whose HELLO is accepted --------------------------------------------- */

/*
 * Is `conn` of another process with the peer's name than `first`? If the first
 * one told a boot id, so would any connection of the same process.
 */
static bool
is_twin(const struct link_conn *conn, const struct link_conn *first)
{
	uint64_t boot = first->session.peer_boot;

	return boot != 0 && conn->session.peer_boot != boot;
}

/* Its HELLO is answered when it is known whether link->conn lives. */
static void
link_conn_hold(struct link_conn *conn, struct link *link, struct mono now)
{
	const struct link_driver *driver = conn->driver;

	conn->session.held = true;
	conn->link = link;
	link->waiting = conn;
	link->probed = now;
	link->probe = session_ping(&link->conn->session, now);
	/* The PING leaves when its socket takes bytes. */
	driver->actions->arm(driver->arg, link->conn, true);
	driver->actions->arm_link(driver->arg, link);
}

static enum session_reason
on_admit(void *arg, struct session *session, unsigned *number, struct mono now,
    struct wall clock)
{
	struct link_conn *conn = arg;
	bool knocks = session->peer_knocks;
	struct link *link = link_find(conn->driver, span_from(session->peer));

	if (link == NULL || (conn->inbound && link->dials != knocks))
		return BYE_NOT_CONFIGURED;
	if (!link->enabled)
		return BYE_DISABLED;
	*number = link->number;
	if (link->conn != NULL && conn->inbound &&
	    (knocks || is_twin(conn, link->conn))) {
		/* Only the newest connection waits for an answer. */
		if (link->waiting != NULL)
			link_conn_end(link->waiting, BYE_REPLACED,
			    "a newer connection came", now, clock);
		/* Writing BYE may have found that link->conn is lost. */
		if (link->conn != NULL) {
			link_conn_hold(conn, link, now);
			return BYE_NONE;
		}
	}
	if (knocks) {
		link_on_knock(link, now, clock);
		return BYE_KNOCK;
	}
	link_adopt(link, conn, now, clock);
	return BYE_NONE;
}

/* `conn`, whose HELLO was held, may speak or knock now, or is refused. */
static void
link_conn_decide(struct link_conn *conn, enum session_reason reason,
    struct mono now, struct wall clock)
{
	struct link *link = conn->link;
	bool knocks = conn->session.peer_knocks;

	link->waiting = NULL;
	if (reason == BYE_NONE && knocks)
		reason = BYE_KNOCK;
	if (reason == BYE_NONE)
		link_adopt(link, conn, now, clock);
	else
		conn->link = NULL;
	session_decide(&conn->session, reason, link->number, now, clock);
	if (reason == BYE_KNOCK)
		link_on_knock(link, now, clock);
	(void)link_conn_settle(conn, now, clock);
}

/* The first process still answers: the second has to go. */
static void
link_refuse_twin(struct link *link, struct mono now, struct wall clock)
{
	const struct link_driver *driver = link->driver;

	link->twins++;
	link->twin_at = now;
	snprintf(link->error, sizeof(link->error),
	    "two processes run as node %s", link->peer);
	link->error_at = now;
	driver->actions->tell(driver->arg, link, LINK_NOTICE_TWIN, BYE_TWIN,
	    link->error,
	    "stop one of them: a machine was cloned, or a node was "
	    "started twice; the one that was there first is kept");
	link_conn_decide(link->waiting, BYE_TWIN, now, clock);
}

void
link_conn_end_probe(struct link *link, struct mono now, struct wall clock)
{
	struct link_conn *conn = link->conn;
	struct link_conn *waiting = link->waiting;

	if (conn != NULL && session_has_pong(&conn->session, link->probe)) {
		if (is_twin(waiting, conn))
			link_refuse_twin(link, now, clock);
		else
			link_conn_decide(waiting, BYE_KNOCK, now, clock);
		return;
	}
	if (conn != NULL && mono_since(now, link->probed) < LINK_PROBE_NS)
		return;
	/* It is dead. A knock leads to a dial once it is closed. */
	if (conn != NULL && waiting->session.peer_knocks) {
		link->waiting = NULL;
		link_conn_end(conn, BYE_REPLACED,
		    "the peer has lost it and "
		    "does not answer on it",
		    now, clock);
		link->waiting = waiting;
	}
	link_conn_decide(waiting, BYE_NONE, now, clock);
}

void
link_conn_begin(struct link_conn *conn, struct mono now)
{
	const struct link_driver *driver = conn->driver;
	struct session_config config = {
		.node = driver->sessions,
		.peer = span_from(conn->inbound ? "" : conn->link->peer),
		.knocks = conn->knocks,
		.admit = on_admit,
		.wake = driver->wake,
		.arg = conn,
		.random = driver->actions->random(driver->arg),
	};

	for (unsigned i = 0; i < SESSION_NONCE_LEN; i += 8) {
		uint64_t random = driver->actions->random(driver->arg);

		memcpy(config.nonce + i, &random, sizeof(random));
	}
	conn->has_session = true;
	session_init(&conn->session, &config, now);
}

bool
link_conn_reads(const struct link_conn *conn)
{
	return !conn->has_session || !conn->session.held;
}

/* --- bytes --------------------------------------------------------------- */

/* Returns false when the socket takes no more for now. */
static bool
link_conn_write(struct link_conn *conn, struct mono now)
{
	const struct link_driver *driver = conn->driver;

	while (conn->out.len > 0) {
		const char *error = "the peer hung up";
		size_t len = 0;

		switch (driver->actions->write(
		    driver->arg, conn, buf_span(&conn->out), &len, &error)) {
		case LINK_WRITTEN:
			session_sent(&conn->session, len, now);
			buf_drain(&conn->out, len);
			break;
		case LINK_FULL: return false;
		case LINK_BROKEN:
			session_lost(&conn->session, error);
			buf_clear(&conn->out);
			return false;
		}
	}
	return true;
}

/*
 * Gives the session's bytes to the socket while it takes them. Returns true
 * if it must wait for the socket. After the bytes of the last call the session
 * is asked again, because its outbox wakes it only once, and that may have been
 * while the socket was full.
 */
static bool
link_conn_pump(struct link_conn *conn, struct mono now)
{
	bool more = true;

	for (unsigned i = 0; i < LINK_CONN_TURNS && more; i++) {
		bool was_full = conn->out.len > 0;

		if (!was_full)
			more = session_fill(&conn->session, &conn->out, now);
		if (!link_conn_write(conn, now))
			break;
		if (was_full && MUTANT(FULL_SOCKET_FORGETS))
			more = false;
	}
	return conn->out.len > 0 || more;
}

static void
link_conn_note_state(struct link_conn *conn, struct mono now, struct wall clock)
{
	struct link *link = conn->link;

	if (link == NULL || conn->session.state == SESSION_CLOSED)
		return;
	if (conn->session.synced)
		link_set_state(link, LINK_SYNCED, now, clock);
	else if (conn->admitted)
		link_set_state(link, LINK_COMPARING, now, clock);
	else if (link->dials && link->dialled == conn)
		link_set_state(link, LINK_HANDSHAKE, now, clock);
	if (!conn->session.synced || conn->up)
		return;
	conn->up = true;
	conn->up_at = now;
	link_flood_up(link, now);
	link->told[0] = '\0';
	conn->driver->actions->tell(
	    conn->driver->arg, link, LINK_NOTICE_UP, BYE_NONE, "", "");
}

bool
link_conn_settle(struct link_conn *conn, struct mono now, struct wall clock)
{
	const struct link_driver *driver = conn->driver;
	struct session *session = &conn->session;
	bool wants_room = false;

	if (conn->has_session) {
		wants_room = link_conn_pump(conn, now);
		/* An older connection of the link is closing. */
		if (conn->link != NULL &&
		    (conn->link->conn == NULL || conn->link->conn == conn))
			link_conn_note_state(conn, now, clock);
		if (session->state == SESSION_CLOSED) {
			link_conn_close(
			    conn, session->reason, session->error, now, clock);
			return false;
		}
		link_flood_follow(conn->driver, now);
		/* What has changed meanwhile may be said on this one too. */
		wants_room |= session->control.len > 0 ||
			      session_words_are_due(session, now);
	}
	driver->actions->arm(driver->arg, conn, wants_room);
	if (conn->link != NULL && conn->link->conn == conn &&
	    conn->link->waiting != NULL &&
	    session_has_pong(session, conn->link->probe))
		link_conn_end_probe(conn->link, now, clock);
	return true;
}

void
link_conn_flush_early(
    const struct link_driver *driver, struct mono now, struct wall clock)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link *link = driver->links[i];

		if (link != NULL && link->conn != NULL &&
		    session_may_flush(&link->conn->session, now))
			(void)link_conn_settle(link->conn, now, clock);
	}
}

/* --- time ---------------------------------------------------------------- */

struct mono
link_conn_deadline(const struct link_conn *conn)
{
	if (conn->has_session)
		return session_deadline(&conn->session);
	return mono_add(conn->opened, LINK_OPEN_NS);
}

void
link_conn_on_time(struct link_conn *conn, struct mono now, struct wall clock)
{
	if (conn->has_session)
		session_tick(&conn->session, now);
	(void)link_conn_settle(conn, now, clock);
}

void
link_conn_work(struct link_conn *conn, struct mono now, struct wall clock)
{
	(void)session_work(&conn->session);
	(void)link_conn_settle(conn, now, clock);
}
