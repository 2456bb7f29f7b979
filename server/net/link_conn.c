/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection of a link: transport below, session above. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "net/link.h"
#include "pulse.h"
#include "traffic.h"

#define CONN_READ_SIZE 16384u
#define CONN_TURNS 4u /* reads, or fills, per turn of the loop */
/*
 * In the next turn of the loop. event_active() would run again in this one,
 * before timers and all other connections, until there is nothing to do.
 */
static const struct timeval AT_ONCE = { 0, 0 };
/* What is queued plus the longest line. */
#define CONN_OUT_MAX (SESSION_OUT_MAX * 2u + SESSION_LINE_EXTRA)

uint64_t
links_random(void)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = clock_mono().ns * UINT64_C(0x9e3779b97f4a7c15);
	return random;
}

/* --- life ---------------------------------------------------------------- */

static void
conn_note_refusal(
    struct conn *conn, enum session_reason reason, const char *error)
{
	struct links *links = conn->links;
	uint64_t times;

	/* What becomes of a dialled one is told by its edge. */
	if (strangers_note(&links->strangers, reason, error, conn->address,
		clock_mono(), &times) &&
	    conn->inbound)
		LOG(links->node->log, LOG_WARN, "link-refused",
		    log_text("from", conn->peer),
		    log_text("reason", session_reason_word(reason)),
		    log_text("error", error),
		    log_number("times", (int64_t)times));
}

/* The one place where a connection dies. */
static void
conn_close(struct conn *conn, enum session_reason reason, const char *error)
{
	struct links *links = conn->links;

	TAILQ_REMOVE(&links->conns, conn, all);
	half_open_leave(&links->half_open, &conn->place);
	if (conn->edge != NULL)
		edge_on_lost(conn->edge, conn, reason, error);
	if (!conn->admitted &&
	    (conn->inbound || session_reason_is_refusal(reason)))
		conn_note_refusal(conn, reason, error);
	if (conn->has_session)
		session_release(&conn->session);
	event_del(&conn->readable);
	event_del(&conn->writable);
	event_del(&conn->timer);
	event_del(&conn->work);
	event_del(&conn->again);
	transport_release(&conn->transport);
	buf_release(&conn->out);
	free(conn);
}

static void
conn_fail(struct conn *conn, enum session_reason reason, const char *error)
{
	if (conn->has_session)
		session_lost(&conn->session, error);
	conn_close(conn, reason, error);
}

/* --- session ------------------------------------------------------------ */

/* HELLO is in order: which edge is it? */
static enum session_reason
on_admit(void *arg, struct span peer, unsigned *number)
{
	struct conn *conn = arg;
	struct edge *edge = edge_find(conn->links, peer);

	if (edge == NULL || (conn->inbound && edge->dials))
		return BYE_NOT_CONFIGURED;
	if (!edge->enabled)
		return BYE_DISABLED;
	*number = edge->number;
	conn->edge = edge;
	half_open_leave(&conn->links->half_open, &conn->place);
	half_open_add_neighbour(&conn->links->half_open, conn->address);
	conn->admitted = true;
	edge_adopt(edge, conn);
	return BYE_NONE;
}

/* Any thread, under a shard's lock. */
static void
on_outbox_wake(void *arg)
{
	struct conn *conn = arg;
	struct links *links = conn->links;
	uint64_t bit = UINT64_C(1) << conn->edge->index;

	if (atomic_fetch_or(&links->due, bit) == 0 &&
	    !pthread_equal(pthread_self(), links->thread))
		mailbox_wake(&links->mailbox);
}

void
links_serve_due(struct links *links)
{
	uint64_t due;

	while ((due = atomic_exchange(&links->due, 0)) != 0) {
		while (due != 0) {
			struct edge *edge = &links->edges[__builtin_ctzll(due)];

			due &= due - 1;
			if (edge->conn != NULL)
				conn_settle(edge->conn);
		}
	}
}

static void
conn_begin_session(struct conn *conn)
{
	struct session_config config = {
		.node = &conn->links->node->sessions,
		.peer = span_from(conn->inbound ? "" : conn->edge->peer),
		.admit = on_admit,
		.wake = on_outbox_wake,
		.arg = conn,
		.random = links_random(),
	};

	for (unsigned i = 0; i < SESSION_NONCE_LEN; i += 8) {
		uint64_t random = links_random();

		memcpy(config.nonce + i, &random, sizeof(random));
	}
	conn->state = CONN_SESSION;
	conn->has_session = true;
	session_init(&conn->session, &config, clock_mono());
}

/* --- steps -------------------------------------------------------------- */

/* Returns false when the connection has died. */
static bool
conn_shake_hands(struct conn *conn)
{
	enum transport_result result = transport_handshake(&conn->transport);

	conn->place.keyed = transport_is_keyed(&conn->transport);
	switch (result) {
	case TRANSPORT_DONE: conn_begin_session(conn); return true;
	case TRANSPORT_WANTS_READ: event_del(&conn->writable); return true;
	case TRANSPORT_WANTS_WRITE:
		event_add(&conn->writable, NULL);
		return true;
	case TRANSPORT_CLOSED:
		conn_fail(conn, BYE_NONE,
		    "the peer hung up during the TLS handshake");
		return false;
	case TRANSPORT_FAILED:
		conn_fail(conn, conn->transport.wrong_key ? BYE_KEY : BYE_NONE,
		    conn->transport.error);
		return false;
	}
	return true;
}

static bool
conn_finish_connect(struct conn *conn)
{
	int error = socket_error(conn->transport.fd);

	if (error != 0) {
		conn_fail(conn, BYE_NONE, strerror(error));
		return false;
	}
	event_del(&conn->writable);
	conn->state = CONN_HANDSHAKE;
	edge_set_state(conn->edge, LINK_HANDSHAKE);
	return conn_shake_hands(conn);
}

/*
 * Reads until the socket is empty or the turn is used up. A peer that hung
 * up may have said BYE before.
 */
static void
conn_read(struct conn *conn)
{
	struct session *session = &conn->session;

	for (unsigned i = 0; i < CONN_TURNS && session->state != SESSION_CLOSED;
	     i++) {
		enum transport_result result;
		size_t room;
		size_t len;
		char *data;

		if (session_space(session, CONN_READ_SIZE, &data, &room) !=
		    HERD_OK) {
			session_lost(session, "out of memory");
			return;
		}
		if (room > 4 * CONN_READ_SIZE)
			room = 4 * CONN_READ_SIZE;
		result = transport_read(&conn->transport, data, room, &len);
		if (result == TRANSPORT_DONE) {
			session_input(session, len, clock_mono(), clock_wall());
			/* All that there was: another call would say so. */
			if (conn->transport.ssl == NULL && len < room)
				return;
			continue;
		}
		if (result == TRANSPORT_CLOSED)
			session_lost(session, "the peer hung up");
		else if (result == TRANSPORT_FAILED)
			session_lost(session, conn->transport.error);
		return;
	}
	/* TLS may hold what the socket no longer shows. */
	if (conn->transport.ssl != NULL && session->state != SESSION_CLOSED)
		event_add(&conn->again, &AT_ONCE);
}

/* Returns false when the socket takes no more for now. */
static bool
conn_write(struct conn *conn)
{
	while (conn->out.len > 0) {
		size_t len;
		enum transport_result result = transport_write(
		    &conn->transport, buf_span(&conn->out), &len);

		if (result == TRANSPORT_DONE) {
			session_sent(&conn->session, len, clock_mono());
			buf_drain(&conn->out, len);
			continue;
		}
		if (result == TRANSPORT_FAILED || result == TRANSPORT_CLOSED) {
			session_lost(&conn->session, result == TRANSPORT_FAILED
							 ? conn->transport.error
							 : "the peer hung up");
			buf_clear(&conn->out);
		}
		return false;
	}
	return true;
}

/*
 * Gives the session's bytes to the socket while it takes them. It is asked
 * once more after what was left of the time before: who owes something is
 * woken once, and that may have been while the socket was full.
 */
static void
conn_pump(struct conn *conn)
{
	struct mono now = clock_mono();
	struct wall clock = clock_wall();
	bool more = true;

	for (unsigned i = 0; i < CONN_TURNS && more; i++) {
		if (conn->out.len == 0)
			more = session_fill(
			    &conn->session, &conn->out, now, clock);
		if (!conn_write(conn))
			break;
	}
	/* With more to give, the socket's room calls us again. */
	if (conn->out.len > 0 || more)
		event_add(&conn->writable, NULL);
	else
		event_del(&conn->writable);
}

static enum link_state
conn_link_state(const struct conn *conn)
{
	if (conn->session.synced)
		return LINK_SYNCED;
	return conn->admitted ? LINK_COMPARING : LINK_HANDSHAKE;
}

static void
conn_note_state(struct conn *conn)
{
	struct node *node = conn->links->node;

	if (conn->edge == NULL || conn->session.state == SESSION_CLOSED ||
	    (conn->edge->conn != NULL && conn->edge->conn != conn))
		return;
	edge_set_state(conn->edge, conn_link_state(conn));
	if (!conn->session.synced || conn->up)
		return;
	conn->up = true;
	conn->up_at = clock_mono();
	conn->edge->logged[0] = '\0';
	LOG(node->log, LOG_INFO, "link-up", log_text("peer", conn->edge->peer),
	    log_text("address", conn->peer),
	    log_number("sent", (int64_t)conn->session.stats.sent),
	    log_number("received", (int64_t)conn->session.stats.received));
	if (node->traffic != NULL)
		traffic_note(node->traffic, "link-up", conn->edge->peer,
		    span_from(conn->peer));
}

static void
conn_arm_timer(struct conn *conn)
{
	struct mono at = mono_add(conn->opened, LINK_OPEN_NS);
	struct mono now = clock_mono();
	uint64_t wait;

	if (conn->has_session)
		at = session_deadline(&conn->session);
	wait = at.ns > now.ns ? at.ns - now.ns : 0;
	event_add(
	    &conn->timer, &(struct timeval){ (time_t)(wait / HERD_NS_PER_S),
			      (suseconds_t)(wait % HERD_NS_PER_S / 1000) });
}

void
conn_settle(struct conn *conn)
{
	struct session *session = &conn->session;

	if (conn->has_session) {
		conn_pump(conn);
		conn_note_state(conn);
		if (session->state == SESSION_CLOSED) {
			conn_close(conn, session->reason, session->error);
			return;
		}
		if (session_has_work(session))
			event_add(&conn->work, &AT_ONCE);
	}
	conn_arm_timer(conn);
}

void
conn_make_room(struct links *links, uint64_t address)
{
	struct half_open_place *place;

	while ((place = half_open_victim(&links->half_open, address)) != NULL) {
		struct conn *conn =
		    (struct conn *)((char *)place -
				    offsetof(struct conn, place));

		conn_fail(
		    conn, BYE_CROWDED, "too many connections without HELLO");
	}
}

void
conn_end(struct conn *conn, enum session_reason reason, const char *text)
{
	if (!conn->has_session) {
		conn_close(conn, reason, text);
		return;
	}
	session_bye(&conn->session, reason, "%s", text);
	conn_settle(conn);
}

/* --- events ------------------------------------------------------------- */

static void
conn_on_input(struct conn *conn)
{
	struct links *links = conn->links;

	if (conn->state == CONN_CONNECTING)
		return;
	if (conn->state == CONN_HANDSHAKE && !conn_shake_hands(conn))
		return;
	if (conn->state == CONN_SESSION)
		conn_read(conn);
	conn_settle(conn);
	links_serve_due(links);
}

static void
conn_on_output(struct conn *conn)
{

	if (conn->state == CONN_CONNECTING) {
		if (!conn_finish_connect(conn))
			return;
	} else if (conn->state == CONN_HANDSHAKE && !conn_shake_hands(conn)) {
		return;
	}
	conn_settle(conn);
}

static void
conn_on_time(struct conn *conn)
{
	struct mono now = clock_mono();

	if (conn->has_session) {
		session_tick(&conn->session, now, clock_wall());
	} else if (mono_since(now, conn->opened) >= LINK_OPEN_NS) {
		conn_fail(conn, BYE_NONE,
		    conn->state == CONN_CONNECTING
			? "connect timed out"
			: "the TLS handshake timed out");
		return;
	}
	conn_settle(conn);
}

static void
conn_on_work(struct conn *conn)
{
	struct links *links = conn->links;

	(void)session_work(&conn->session, clock_mono());
	conn_settle(conn);
	links_serve_due(links);
}

/* What libevent calls: the same, with the pulse around it. */
#define PULSED(name, handle, doing)                                            \
	static void name(                                                      \
	    evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg) \
	{                                                                      \
		pulse_begin(doing);                                            \
		handle(arg);                                                   \
		pulse_end();                                                   \
	}
PULSED(on_readable, conn_on_input, "link-input")
PULSED(on_writable, conn_on_output, "link-output")
PULSED(on_timer, conn_on_time, "link-time")
PULSED(on_work, conn_on_work, "link-comparison")
#undef PULSED

static void
conn_assign_events(struct conn *conn, int fd)
{
	struct event_base *base = conn->links->base;

	event_assign(
	    &conn->readable, base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->writable, base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, conn);
	evtimer_assign(&conn->timer, base, on_timer, conn);
	evtimer_assign(&conn->work, base, on_work, conn);
	evtimer_assign(&conn->again, base, on_readable, conn);
	(void)event_priority_set(&conn->work, 1);
}

struct conn *
conn_open(struct links *links, struct edge *edge, int fd, const char *peer,
    uint64_t address)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return NULL;
	}
	conn->links = links;
	conn->edge = edge;
	conn->inbound = edge == NULL;
	conn->opened = clock_mono();
	conn->address = address;
	snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
	buf_init(&conn->out, CONN_OUT_MAX);
	transport_init(&conn->transport, fd, links->tls, !conn->inbound);
	conn_assign_events(conn, fd);
	TAILQ_INSERT_TAIL(&links->conns, conn, all);
	conn->state = conn->inbound ? CONN_HANDSHAKE : CONN_CONNECTING;
	if (conn->inbound)
		half_open_enter(&links->half_open, &conn->place, address);
	event_add(&conn->readable, NULL);
	/* A stranger at a TLS port has to say something first. */
	if (!conn->inbound || links->tls == NULL)
		event_add(&conn->writable, NULL);
	conn_arm_timer(conn);
	return conn;
}
