/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/connection.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xbuf.h"
#include "herd/resolver.h"
#include "net/tls.h"

#define READ_BYTES 65536u

struct connection {
	struct event_base *base;
	const struct connection_events *events;
	void *arg;
	enum connection_state state;
	int fd;
	struct event *readable;
	struct event *writable;
	struct resolution *resolution;
	struct event *resolved; /* it is over */
	struct endpoints addresses;
	unsigned next_address;
	struct tls *tls;                 /* NULL: plain */
	char host[ADDRESS_HOST_MAX + 1]; /* that its certificate is to name */
	struct tls_session *session;     /* NULL: plain, or not connected yet */
	struct buf in;
	struct buf out;
	struct buf wire; /* with TLS: what `out` became */
	struct reply_scan scan;
	unsigned char *kinds; /* ring of enum reply_kind, what is awaited */
	size_t kinds_first;
	size_t kinds_count;
	size_t kinds_room;
	bool *freed; /* set when a callback frees the connection */
};

static void try_next_address(struct connection *s, int error);
static void write_out(struct connection *s);

struct connection *
connection_new(
    struct event_base *base, const struct connection_events *events, void *arg)
{
	struct connection *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->events = events;
	s->arg = arg;
	s->fd = -1;
	buf_init(&s->in, REPLY_MAX + READ_BYTES);
	buf_init(&s->out, XBUF_MAX);
	buf_init(&s->wire, XBUF_MAX);
	return s;
}

static void
close_socket(struct connection *s)
{
	if (s->readable != NULL)
		event_free(s->readable);
	if (s->writable != NULL)
		event_free(s->writable);
	s->readable = NULL;
	s->writable = NULL;
	tls_end(s->session);
	s->session = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void
end_lookup(struct connection *s)
{
	if (s->resolved != NULL)
		event_free(s->resolved);
	resolver_free(s->resolution);
	s->resolved = NULL;
	s->resolution = NULL;
}

void
connection_close(struct connection *s)
{
	end_lookup(s);
	close_socket(s);
	buf_release(&s->in);
	buf_release(&s->out);
	buf_release(&s->wire);
	tls_drop(s->tls);
	s->tls = NULL;
	s->scan = (struct reply_scan){ 0 };
	s->kinds_count = 0;
	s->state = SESSION_CLOSED;
}

void
connection_free(struct connection *s)
{
	if (s == NULL)
		return;
	connection_close(s);
	if (s->freed != NULL)
		*s->freed = true;
	free(s->kinds);
	free(s);
}

enum connection_state
connection_state(const struct connection *connection)
{
	return connection->state;
}

size_t
connection_pending(const struct connection *connection)
{
	return connection->kinds_count;
}

/* The last thing that happens to a connection. */
static void
fail(struct connection *s, enum status why, const char *message)
{
	connection_close(s);
	s->events->on_closed(s->arg, why, message);
}

static void
push_kind(struct connection *s, enum reply_kind kind)
{
	if (s->kinds_count == s->kinds_room) {
		size_t room = s->kinds_room == 0 ? 16 : s->kinds_room * 2;
		unsigned char *kinds = xmalloc(room);

		for (size_t i = 0; i < s->kinds_count; i++)
			kinds[i] =
			    s->kinds[(s->kinds_first + i) % s->kinds_room];
		free(s->kinds);
		s->kinds = kinds;
		s->kinds_room = room;
		s->kinds_first = 0;
	}
	s->kinds[(s->kinds_first + s->kinds_count) % s->kinds_room] =
	    (unsigned char)kind;
	s->kinds_count++;
}

static enum reply_kind
awaited(const struct connection *s)
{
	return (enum reply_kind)s->kinds[s->kinds_first];
}

/* Hands out what is complete. False: the connection is closed or freed. */
static bool
take_replies(struct connection *s)
{
	bool freed = false;
	bool *outer = s->freed;

	while (s->in.len > 0) {
		size_t len;
		enum reply_kind kind;
		enum herd_error error;
		struct span in = buf_span(&s->in);

		if (s->kinds_count == 0) {
			fail(s, STATUS_REPLY,
			    "it sent something without being asked");
			return false;
		}
		kind = awaited(s);
		error = reply_measure(in, kind, &s->scan, &len);
		if (error == HERD_EAGAIN)
			return true;
		if (error != HERD_OK) {
			fail(s, STATUS_REPLY,
			    "what it sent is no answer of a herd's node");
			return false;
		}
		s->scan = (struct reply_scan){ 0 };
		s->kinds_first = (s->kinds_first + 1) % s->kinds_room;
		s->kinds_count--;
		s->freed = &freed;
		s->events->on_reply(s->arg, span_of(in.data, len), kind);
		if (freed) {
			if (outer != NULL)
				*outer = true;
			return false;
		}
		s->freed = outer;
		if (s->state != SESSION_OPEN)
			return false;
		buf_drain(&s->in, len);
	}
	return true;
}

static void
on_end(struct connection *s, int error)
{
	if (error != 0)
		fail(s, s->in.len > 0 ? STATUS_REPLY : STATUS_CONNECT,
		    strerror(error));
	else if (s->in.len > 0)
		fail(s, STATUS_REPLY,
		    "it closed the connection in the middle of an answer");
	else if (s->kinds_count > 0)
		fail(s, STATUS_REPLY,
		    "it closed the connection without an answer");
	else
		fail(s, STATUS_CONNECT, "it closed the connection");
}

/* A certificate that the node refuses is told after the handshake. */
static void
fail_tls(struct connection *s)
{
	char *message = xstrdup(tls_error(s->session));

	fail(s, STATUS_CONNECT, message);
	free(message);
}

/* What has come; 0: nothing for now, or the connection has ended. */
static size_t
read_plain(struct connection *s)
{
	ssize_t n;

	do {
		n = recv(s->fd, buf_tail(&s->in), READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		on_end(s, n < 0 ? errno : 0);
	return n > 0 ? (size_t)n : 0;
}

static size_t
read_tls(struct connection *s)
{
	size_t len = 0;

	switch (tls_read(s->session, buf_tail(&s->in), READ_BYTES, &len)) {
	case TLS_DONE: return len;
	case TLS_WAITS: write_out(s); return 0;
	case TLS_CLOSED: on_end(s, 0); return 0;
	case TLS_FAILED: fail_tls(s); return 0;
	}
	return 0;
}

static void
read_in(struct connection *s)
{
	size_t n;

	do {
		must(buf_reserve(&s->in, READ_BYTES));
		n = s->session != NULL ? read_tls(s) : read_plain(s);
		if (n == 0)
			return;
		buf_grow(&s->in, n);
		/* TLS hands out a record at a time. */
	} while (take_replies(s) && (s->session != NULL || n == READ_BYTES));
}

/* With TLS: takes all of `out`, which OpenSSL makes into records. */
static void
seal(struct connection *s)
{
	if (s->state == SESSION_OPEN &&
	    tls_write(s->session, buf_span(&s->out)) == TLS_DONE)
		buf_clear(&s->out);
	tls_output(s->session, &s->wire);
}

static void
write_out(struct connection *s)
{
	struct buf *wire = s->session != NULL ? &s->wire : &s->out;

	if (s->session != NULL)
		seal(s);
	while (wire->len > 0) {
		struct span out = buf_span(wire);
		ssize_t n = send(s->fd, out.data, out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return; /* reading will say why, after the answers */
		if (n < 0) {
			if (event_add(s->writable, NULL) != 0)
				out_of_memory();
			return;
		}
		buf_drain(wire, (size_t)n);
	}
}

static void
on_ready(struct connection *s)
{
	s->state = SESSION_OPEN;
	write_out(s);
	if (s->events->on_open != NULL)
		s->events->on_open(s->arg);
}

static void
shake_hands(struct connection *s)
{
	enum tls_result result = tls_shake(s->session);

	write_out(s);
	switch (result) {
	case TLS_DONE: on_ready(s); return;
	case TLS_WAITS: return;
	case TLS_CLOSED:
		fail(s, STATUS_CONNECT,
		    "it closed the connection during the TLS handshake; does "
		    "it speak TLS?");
		return;
	case TLS_FAILED: fail_tls(s); return;
	}
}

static void
on_readable(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct connection *s = arg;

	if (s->state == SESSION_SECURING)
		shake_hands(s);
	else
		read_in(s);
}

static void
on_connected(struct connection *s)
{
	int one = 1;
	struct buf why = XBUF;

	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->readable =
	    event_new(s->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	if (s->readable == NULL || event_add(s->readable, NULL) != 0)
		out_of_memory();
	if (s->tls == NULL) {
		on_ready(s);
		return;
	}
	s->state = SESSION_SECURING;
	s->session = tls_begin(s->tls, s->fd, s->host, &why);
	if (s->session == NULL)
		fail(s, STATUS_LOCAL, text_of(&why));
	else
		shake_hands(s);
	buf_release(&why);
}

static void
on_writable(evutil_socket_t fd, short what HERD_UNUSED, void *arg)
{
	struct connection *s = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	if (s->state != SESSION_CONNECTING) {
		write_out(s);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error != 0)
		try_next_address(s, error);
	else
		on_connected(s);
}

static int
start_connect(struct connection *s, unsigned i)
{
	const struct endpoint *endpoint = &s->addresses.list[i];
	const struct sockaddr *address =
	    (const struct sockaddr *)&endpoint->addr;

	s->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;
	s->writable = event_new(s->base, s->fd, EV_WRITE, on_writable, s);
	if (s->writable == NULL)
		out_of_memory();
	if (connect(s->fd, address, endpoint->len) == 0) {
		event_active(s->writable, EV_WRITE, 1);
		return 0;
	}
	if (errno != EINPROGRESS)
		return errno;
	if (event_add(s->writable, NULL) != 0)
		out_of_memory();
	return 0;
}

/* `error` is what the last one failed with. */
static void
try_next_address(struct connection *s, int error)
{
	s->state = SESSION_CONNECTING;
	do {
		close_socket(s);
		if (s->next_address == s->addresses.count) {
			fail(s, STATUS_CONNECT, strerror(error));
			return;
		}
		error = start_connect(s, s->next_address++);
	} while (error != 0);
}

static void
on_resolved(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct connection *s = arg;
	const struct endpoints *found;
	const char *error = resolver_result(s->resolution, &found);

	s->addresses = *found;
	s->next_address = 0;
	end_lookup(s);
	if (error != NULL)
		fail(s, STATUS_CONNECT, error);
	else
		try_next_address(s, EADDRNOTAVAIL);
}

void
connection_open(
    struct connection *s, const struct address *address, struct tls *tls)
{
	tls_drop(s->tls);
	s->tls = tls_hold(tls);
	snprintf(s->host, sizeof(s->host), "%s", address->host);
	if (resolver_numeric(address, &s->addresses) == HERD_OK) {
		s->next_address = 0;
		try_next_address(s, EADDRNOTAVAIL);
		return;
	}
	s->state = SESSION_RESOLVING;
	if (resolver_begin(address, &s->resolution) != HERD_OK) {
		fail(s, STATUS_CONNECT, "no thread for the name's lookup");
		return;
	}
	s->resolved = event_new(
	    s->base, resolver_fd(s->resolution), EV_READ, on_resolved, s);
	if (s->resolved == NULL || event_add(s->resolved, NULL) != 0)
		out_of_memory();
}

void
connection_queue(struct connection *s, struct span request)
{
	size_t from = 0;

	/* Each LF inside makes it one request more. */
	for (size_t i = 0; i <= request.len; i++) {
		if (i < request.len && request.data[i] != '\n')
			continue;
		push_kind(
		    s, reply_expected(span_of(request.data + from, i - from)));
		from = i + 1;
	}
	put_span(&s->out, request);
	put_byte(&s->out, '\n');
}

void
connection_push(struct connection *s)
{
	if (s->state == SESSION_OPEN)
		write_out(s);
}

void
connection_send(struct connection *s, struct span request)
{
	connection_queue(s, request);
	connection_push(s);
}
