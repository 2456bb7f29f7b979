/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket of a link's connection: transport below, core/link_conn.h above.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "core/session_exchange.h"
#include "core/session_input.h"
#include "net/peering_internal.h"

#define CONN_READ_SIZE 16384u
#define CONN_READS 4u /* per turn of the loop */
/*
 * In the next turn of the loop. event_active() would run again in this one,
 * before timers and all other connections, until there is nothing to do.
 */
static const struct timeval AT_ONCE = { 0, 0 };

static struct link_socket *
link_socket_of(struct link_conn *link)
{
	return (struct link_socket *)link;
}

/* --- the end -----------------------------------------------------------------
 */

static void
link_socket_note_stranger(
    struct link_socket *conn, enum session_reason reason, const char *error)
{
	struct peering *peering = conn->peering;
	uint64_t times;

	/* The link logs the end of a dialled one: here it only counts. All
	 * unknown keys are one kind, or each made-up one would be logged. */
	if (strangers_note(&peering->strangers, reason,
		!conn->link.inbound                      ? ""
		: conn->transport.unknown_key[0] != '\0' ? "unknown key"
							 : error,
		conn->address, clock_mono(), &times) &&
	    conn->link.inbound)
		LOG(peering->node->log, LOG_WARN, "link-refused",
		    log_text("from", conn->peer),
		    log_text("reason", session_reason_word(reason)),
		    log_text("error", error),
		    log_number("times", (int64_t)times));
}

void
link_socket_close(void *arg, struct link_conn *link, enum session_reason reason,
    const char *error)
{
	struct peering *peering = arg;
	struct link_socket *conn = link_socket_of(link);

	TAILQ_REMOVE(&peering->conns, conn, all);
	half_open_leave(&peering->half_open, &conn->place);
	/* A knock is no stranger, on neither side. */
	if (!link->admitted && reason != BYE_KNOCK &&
	    !peering->driver.stopping &&
	    (link->inbound || session_reason_is_refusal(reason)))
		link_socket_note_stranger(conn, reason, error);
	event_del(&conn->readable);
	event_del(&conn->writable);
	event_del(&conn->timer);
	event_del(&conn->work);
	event_del(&conn->again);
	transport_release(&conn->transport);
	link_conn_release(link);
	free(conn);
}

static void
link_socket_fail(
    struct link_socket *conn, enum session_reason reason, const char *error)
{
	link_conn_fail(&conn->link, reason, error, clock_mono(), clock_wall());
}

void
link_socket_make_room(struct peering *peering, uint64_t address)
{
	struct half_open_place *place;

	while (
	    (place = half_open_victim(&peering->half_open, address)) != NULL) {
		struct link_socket *conn =
		    (struct link_socket *)((char *)place -
					   offsetof(struct link_socket, place));

		link_socket_fail(
		    conn, BYE_CROWDED, "too many connections without HELLO");
	}
}

/* --- outboxes
 * ----------------------------------------------------------------- */

void
link_socket_wake(void *arg)
{
	struct link_conn *link = arg;
	struct peering *peering = link_socket_of(link)->peering;
	unsigned index = ((struct net_link *)link->link)->index;
	uint64_t bit = UINT64_C(1) << index;

	if (atomic_fetch_or(&peering->due, bit) == 0 &&
	    !pthread_equal(pthread_self(), peering->thread))
		mailbox_wake(&peering->mailbox);
}

/* --- steps
 * -------------------------------------------------------------------- */

/* HELLO was accepted: the connection is no stranger's any more. */
static void
link_socket_note_admission(struct link_socket *conn)
{
	struct half_open *half_open = &conn->peering->half_open;

	if (!conn->link.admitted || conn->place.group == NULL)
		return;
	half_open_leave(half_open, &conn->place);
	half_open_add_neighbour(half_open, conn->address);
}

/* Who dialled has offered a key that this node does not have. */
static void
link_socket_note_claim(struct link_socket *conn)
{
	const struct transport *transport = &conn->transport;
	struct net_link *net_link;

	if (transport->unknown_name[0] == '\0')
		return;
	net_link = (struct net_link *)link_find(
	    &conn->peering->driver, span_from(transport->unknown_name));
	if (net_link == NULL)
		return;
	snprintf(
	    net_link->claim, sizeof(net_link->claim), "%s", transport->error);
	link_note_claim(&net_link->link, net_link->claim, clock_mono());
}

static void
link_socket_fail_handshake(struct link_socket *conn)
{
	const struct transport *transport = &conn->transport;
	const struct net_link *net_link = (struct net_link *)conn->link.link;
	bool knows_better = transport->client && transport->wrong_key &&
			    net_link != NULL && net_link->claim[0] != '\0';

	link_socket_note_claim(conn);
	/* Who dials learns only that his key is refused. If the peer was
	 * turned away too, that has both sides' keys. */
	link_socket_fail(conn, transport->wrong_key ? BYE_KEY : BYE_NONE,
	    knows_better ? net_link->claim : transport->error);
}

/* Returns false when the connection has died. */
static bool
link_socket_shake_hands(struct link_socket *conn)
{
	enum transport_result result = transport_handshake(&conn->transport);

	conn->place.keyed = transport_is_keyed(&conn->transport);
	switch (result) {
	case TRANSPORT_DONE:
		conn->state = CONN_SESSION;
		link_conn_begin(&conn->link, clock_mono());
		return true;
	case TRANSPORT_WANTS_READ: event_del(&conn->writable); return true;
	case TRANSPORT_WANTS_WRITE:
		event_add(&conn->writable, NULL);
		return true;
	case TRANSPORT_CLOSED:
		link_socket_fail(conn, BYE_NONE,
		    "the peer hung up during the TLS handshake");
		return false;
	case TRANSPORT_FAILED: link_socket_fail_handshake(conn); return false;
	}
	return true;
}

static bool
link_socket_finish_connect(struct link_socket *conn)
{
	int error = socket_error(conn->transport.fd);

	if (error != 0) {
		link_socket_fail(conn, BYE_NONE, strerror(error));
		return false;
	}
	event_del(&conn->writable);
	conn->state = CONN_HANDSHAKE;
	if (!conn->link.knocks)
		link_set_state(conn->link.link, LINK_HANDSHAKE, clock_mono(),
		    clock_wall());
	return link_socket_shake_hands(conn);
}

/*
 * Reads until the socket is empty or the turn is used up. A peer that hung up
 * may have sent BYE before.
 */
static void
link_socket_read(struct link_socket *conn)
{
	struct session *session = &conn->link.session;

	for (unsigned i = 0; i < CONN_READS && session->state != SESSION_CLOSED;
	     i++) {
		enum transport_result result;
		size_t room;
		size_t len;
		char *data;

		if (!link_conn_reads(&conn->link))
			return;
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
			/* The socket is empty: another call would find that. */
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
	/* TLS may hold bytes although the socket is empty. */
	if (conn->transport.ssl != NULL && session->state != SESSION_CLOSED)
		event_add(&conn->again, &AT_ONCE);
}

enum link_written
link_socket_write(void *arg HERD_UNUSED, struct link_conn *link,
    struct span data, size_t *len, const char **error)
{
	struct transport *transport = &link_socket_of(link)->transport;

	switch (transport_write(transport, data, len)) {
	case TRANSPORT_DONE: return LINK_WRITTEN;
	case TRANSPORT_WANTS_READ:
	case TRANSPORT_WANTS_WRITE: return LINK_FULL;
	case TRANSPORT_FAILED: *error = transport->error; return LINK_BROKEN;
	case TRANSPORT_CLOSED: return LINK_BROKEN;
	}
	return LINK_BROKEN;
}

void
link_socket_arm(void *arg HERD_UNUSED, struct link_conn *link, bool wants_room)
{
	struct link_socket *conn = link_socket_of(link);
	uint64_t at = link_conn_deadline(link).ns;
	uint64_t now = clock_mono().ns;
	uint64_t wait = at > now ? at - now : 0;

	link_socket_note_admission(conn);
	if (link->has_session) {
		if (wants_room)
			event_add(&conn->writable, NULL);
		else
			event_del(&conn->writable);
		if (session_has_work(&link->session))
			event_add(&conn->work, &AT_ONCE);
	}
	/* While a HELLO is held, the bytes after it wait in the socket. */
	if (link_conn_reads(link))
		event_add(&conn->readable, NULL);
	else
		event_del(&conn->readable);
	event_add(
	    &conn->timer, &(struct timeval){ (time_t)(wait / HERD_NS_PER_S),
			      (suseconds_t)(wait % HERD_NS_PER_S / 1000) });
}

/* --- events ------------------------------------------------------------- */

static void
link_socket_settle(struct link_socket *conn)
{
	(void)link_conn_settle(&conn->link, clock_mono(), clock_wall());
}

static void
link_socket_on_input(struct link_socket *conn)
{
	struct peering *peering = conn->peering;

	if (conn->state == CONN_CONNECTING)
		return;
	if (conn->state == CONN_HANDSHAKE && !link_socket_shake_hands(conn))
		return;
	if (conn->state == CONN_SESSION) {
		uint64_t received = conn->link.session.stats.received;

		link_socket_read(conn);
		if (conn->link.session.stats.received != received)
			peering_rouse(peering);
	}
	link_socket_settle(conn);
	peering_serve_due(peering);
}

static void
link_socket_on_output(struct link_socket *conn)
{
	struct peering *peering = conn->peering;

	if (conn->state == CONN_CONNECTING) {
		if (!link_socket_finish_connect(conn))
			return;
	} else if (conn->state == CONN_HANDSHAKE &&
		   !link_socket_shake_hands(conn)) {
		return;
	}
	link_socket_settle(conn);
	peering_serve_due(peering);
}

static void
link_socket_on_time(struct link_socket *conn)
{
	struct peering *peering = conn->peering;
	struct mono now = clock_mono();

	if (!conn->link.has_session &&
	    mono_since(now, conn->link.opened) >= LINK_OPEN_NS)
		link_socket_fail(conn, BYE_NONE,
		    conn->state == CONN_CONNECTING
			? "connect timed out"
			: "the TLS handshake timed out");
	else
		link_conn_on_time(&conn->link, now, clock_wall());
	peering_serve_due(peering);
}

static void
link_socket_on_work(struct link_socket *conn)
{
	struct peering *peering = conn->peering;

	link_conn_work(&conn->link, clock_mono(), clock_wall());
	peering_serve_due(peering);
}

/* What libevent calls: the same, with the watch around it. */
#define LOOP_WATCHED(name, handle, doing)                                      \
	static void name(                                                      \
	    evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg) \
	{                                                                      \
		loop_watch_begin(doing);                                       \
		handle(arg);                                                   \
		loop_watch_end();                                              \
	}
LOOP_WATCHED(on_readable, link_socket_on_input, "link-input")
LOOP_WATCHED(on_writable, link_socket_on_output, "link-output")
LOOP_WATCHED(on_timer, link_socket_on_time, "link-time")
LOOP_WATCHED(on_work, link_socket_on_work, "link-comparison")
#undef LOOP_WATCHED

static void
link_socket_assign_events(struct link_socket *conn, int fd)
{
	struct event_base *base = conn->peering->base;

	event_assign(
	    &conn->readable, base, fd, EV_READ | EV_PERSIST, on_readable, conn);
	event_assign(&conn->writable, base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, conn);
	evtimer_assign(&conn->timer, base, on_timer, conn);
	evtimer_assign(&conn->work, base, on_work, conn);
	evtimer_assign(&conn->again, base, on_readable, conn);
	(void)event_priority_set(&conn->work, 1);
}

struct link_socket *
link_socket_open(struct peering *peering, struct net_link *net_link, int fd,
    const char *peer, uint64_t address)
{
	struct link_socket *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		close(fd);
		return NULL;
	}
	conn->peering = peering;
	conn->address = address;
	snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
	link_conn_init(&conn->link, &peering->driver,
	    net_link == NULL ? NULL : &net_link->link, clock_mono());
	conn->state = net_link == NULL ? CONN_HANDSHAKE : CONN_CONNECTING;
	transport_init(&conn->transport, fd, peering->tls, net_link != NULL);
	conn->transport.offer = net_link == NULL ? 0 : net_link->offer;
	link_socket_assign_events(conn, fd);
	TAILQ_INSERT_TAIL(&peering->conns, conn, all);
	if (net_link == NULL)
		half_open_enter(&peering->half_open, &conn->place, address);
	link_socket_arm(peering, &conn->link, false);
	/* A stranger at a TLS port has to send something first. */
	if (net_link != NULL || peering->tls == NULL)
		event_add(&conn->writable, NULL);
	return conn;
}
