/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/http_limits.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/addresses.h"

#define LOG_AGAIN_S 60 /* the limit is logged once in so long */

struct http_connection {
	TAILQ_ENTRY(http_connection) all; /* the oldest first */
	struct http_limits *limits;
	struct bufferevent *bev;
	struct evhttp_connection *http; /* NULL: not adopted yet */
	struct evbuffer_cb_entry *on_bytes;
	struct event *deadline;
	uint64_t address;
	bool trusted;
	bool in_request;
	bool refused; /* no memory for its TLS */
};

TAILQ_HEAD(http_connection_list, http_connection);

struct known {
	uint64_t address;
	struct mono until;
};

struct http_limits {
	struct event_base *base;
	struct log *log;
	struct http_connection_list all;
	struct http_connection_list
	    fresh; /* accepted in this turn of the loop */
	struct event *adopt;
	struct known known[HTTP_CONNECTIONS_KNOWN_MAX];
	struct http_limits_counts counts;
	struct mono logged_until;
};

/* --- addresses -------------------------------------------------------- */

/* The entry of that address, or the one to use for it. */
static struct known *
find_known(struct http_limits *limits, uint64_t address)
{
	struct known *oldest = &limits->known[0];

	for (unsigned i = 0; i < HTTP_CONNECTIONS_KNOWN_MAX; i++) {
		struct known *known = &limits->known[i];

		if (known->until.ns != 0 && known->address == address)
			return known;
		if (known->until.ns < oldest->until.ns)
			oldest = known;
	}
	return oldest;
}

static bool
is_known(struct http_limits *limits, uint64_t address)
{
	const struct known *known = find_known(limits, address);

	return known->address == address && known->until.ns > clock_mono().ns;
}

/* --- closing ---------------------------------------------------------- */

/* Not while a request is being answered: evhttp would free it twice. */
static void
close_connection(struct http_connection *conn)
{
	/* This calls http_limits_gone() through on_close(). */
	evhttp_connection_free(conn->http);
}

static unsigned
count_strangers(const struct http_limits *limits, uint64_t address)
{
	const struct http_connection *conn;
	unsigned count = 0;

	TAILQ_FOREACH(conn, &limits->all, all)
	count += !conn->trusted && conn->address == address;
	return count;
}

/* The stranger of that address that has been connected longest, or NULL. */
static struct http_connection *
oldest_of(struct http_limits *limits, uint64_t address)
{
	struct http_connection *conn;

	TAILQ_FOREACH(conn, &limits->all, all)
	{
		if (!conn->trusted && !conn->in_request &&
		    conn->address == address)
			return conn;
	}
	return NULL;
}

/* Of the address with the most strangers. */
static struct http_connection *
oldest_of_most(struct http_limits *limits)
{
	const struct http_connection *conn;
	uint64_t address = 0;
	unsigned most = 0;

	TAILQ_FOREACH(conn, &limits->all, all)
	{
		unsigned count;

		/* Counts neighbours in the list with one address once. */
		if (conn->trusted || conn->in_request ||
		    (most > 0 && conn->address == address))
			continue;
		count = count_strangers(limits, conn->address);
		if (count > most) {
			most = count;
			address = conn->address;
		}
	}
	return most == 0 ? NULL : oldest_of(limits, address);
}

static void
log_limit(struct http_limits *limits)
{
	struct mono now = clock_mono();

	if (now.ns < limits->logged_until.ns)
		return;
	limits->logged_until =
	    mono_add(now, LOG_AGAIN_S * (uint64_t)HERD_NS_PER_S);
	LOG(limits->log, LOG_WARN, "admin-limit",
	    log_text("error", "too many connections to the admin API"),
	    log_text("next", "closing the oldest without a token"));
}

/*
 * Closes a connection if there is one too many: the new one itself if all
 * others have shown a token.
 */
static void
keep_limits(struct http_limits *limits, struct http_connection *fresh)
{
	unsigned most = is_known(limits, fresh->address)
			    ? HTTP_CONNECTIONS_MAX
			    : HTTP_CONNECTIONS_MAX - HTTP_CONNECTIONS_RESERVED;
	struct http_connection *victim = NULL;

	if (count_strangers(limits, fresh->address) >
	    HTTP_CONNECTIONS_OF_ADDRESS)
		victim = oldest_of(limits, fresh->address);
	else if (limits->counts.now > most)
		victim = oldest_of_most(limits);
	else
		return;
	limits->counts.refused++;
	log_limit(limits);
	close_connection(victim != NULL ? victim : fresh);
}

bool
http_limits_make_room(struct http_limits *limits)
{
	struct http_connection *victim = oldest_of_most(limits);

	if (victim == NULL)
		return false;
	limits->counts.refused++;
	log_limit(limits);
	close_connection(victim);
	return true;
}

/* --- time ------------------------------------------------------------- */

static void
on_deadline(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct http_connection *conn = arg;

	conn->limits->counts.timed_out++;
	close_connection(conn);
}

static void
set_deadline(struct http_connection *conn)
{
	const struct timeval wait = { HTTP_REQUEST_S, 0 };

	/* Without memory the connection has evhttp's timeout only. */
	(void)evtimer_add(conn->deadline, &wait);
}

/* A trusted connection may be silent, but must end a request in time. */
static void
on_bytes(struct evbuffer *input HERD_UNUSED,
    const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *conn = arg;

	if (info->n_added > 0 && !conn->in_request &&
	    !evtimer_pending(conn->deadline, NULL))
		set_deadline(conn);
}

/* --- one connection --------------------------------------------------- */

void
http_limits_gone(struct http_connection *conn)
{
	struct http_limits *limits = conn->limits;

	TAILQ_REMOVE(&limits->all, conn, all);
	limits->counts.now--;
	if (conn->on_bytes != NULL)
		(void)evbuffer_remove_cb_entry(
		    bufferevent_get_input(conn->bev), conn->on_bytes);
	event_free(conn->deadline);
	free(conn);
}

static void
on_close(struct evhttp_connection *http HERD_UNUSED, void *arg)
{
	http_limits_gone(arg);
}

struct http_connection *
http_limits_begin(struct http_limits *limits, struct evhttp_connection *http)
{
	struct http_connection *conn;

	TAILQ_FOREACH(conn, &limits->all, all)
	{
		if (conn->http == http)
			break;
	}
	if (conn != NULL) {
		conn->in_request = true;
		(void)evtimer_del(conn->deadline);
	}
	return conn;
}

void
http_limits_end(struct http_connection *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->bev);

	conn->in_request = false;
	evhttp_connection_set_closecb(conn->http, on_close, conn);
	if (!conn->trusted || evbuffer_get_length(input) > 0)
		set_deadline(conn);
}

void
http_limits_trust(struct http_connection *conn)
{
	struct known *known = find_known(conn->limits, conn->address);

	conn->trusted = true;
	known->address = conn->address;
	known->until =
	    mono_add(clock_mono(), HTTP_KNOWN_S * (uint64_t)HERD_NS_PER_S);
}

/* evhttp's connection is the argument of the callbacks that it has set. */
static void
adopt(struct http_connection *conn)
{
	struct http_limits *limits = conn->limits;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	void *http = NULL;

	bufferevent_getcb(conn->bev, NULL, NULL, NULL, &http);
	if (bufferevent_decref(conn->bev) != 0 || http == NULL) {
		event_free(conn->deadline);
		free(conn);
		return;
	}
	(void)getpeername(
	    bufferevent_getfd(conn->bev), (struct sockaddr *)&peer, &len);
	conn->address = address_key(&peer);
	conn->http = http;
	conn->on_bytes =
	    evbuffer_add_cb(bufferevent_get_input(conn->bev), on_bytes, conn);
	evhttp_connection_set_closecb(conn->http, on_close, conn);
	TAILQ_INSERT_TAIL(&limits->all, conn, all);
	limits->counts.now++;
	set_deadline(conn);
	if (conn->refused)
		close_connection(conn);
	else
		keep_limits(limits, conn);
}

static void
on_adopt(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct http_limits *limits = arg;
	struct http_connection *conn;

	while ((conn = TAILQ_FIRST(&limits->fresh)) != NULL) {
		TAILQ_REMOVE(&limits->fresh, conn, all);
		adopt(conn);
	}
}

/*
 * evhttp closes the socket unless the bufferevent does. One of TLS must,
 * because only then it frees its SSL.
 */
static struct bufferevent *
new_bufferevent(struct event_base *base, struct ssl_st *ssl)
{
	struct bufferevent *bev;

	if (ssl == NULL)
		return bufferevent_socket_new(base, -1, 0);
	bev = bufferevent_openssl_socket_new(
	    base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

struct bufferevent *
http_limits_accept(struct http_limits *limits, bool has_tls, struct ssl_st *ssl)
{
	struct http_connection *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		SSL_free(ssl);
		return NULL;
	}
	conn->limits = limits;
	conn->refused = has_tls && ssl == NULL;
	conn->bev = new_bufferevent(limits->base, ssl);
	conn->deadline = evtimer_new(limits->base, on_deadline, conn);
	if (conn->bev == NULL || conn->deadline == NULL) {
		if (conn->bev != NULL)
			bufferevent_free(conn->bev);
		if (conn->deadline != NULL)
			event_free(conn->deadline);
		free(conn);
		return NULL;
	}
	/* Released in adopt(), later in this turn of the loop. */
	bufferevent_incref(conn->bev);
	TAILQ_INSERT_TAIL(&limits->fresh, conn, all);
	event_active(limits->adopt, EV_TIMEOUT, 0);
	return conn->bev;
}

/* --- life ------------------------------------------------------------- */

enum herd_error
http_limits_open(
    struct event_base *base, struct log *log, struct http_limits **out)
{
	struct http_limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return HERD_ENOMEM;
	TAILQ_INIT(&limits->all);
	TAILQ_INIT(&limits->fresh);
	limits->base = base;
	limits->log = log;
	limits->adopt = event_new(base, -1, 0, on_adopt, limits);
	if (limits->adopt == NULL) {
		free(limits);
		return HERD_ENOMEM;
	}
	*out = limits;
	return HERD_OK;
}

void
http_limits_close(struct http_limits *limits)
{
	if (limits == NULL)
		return;
	event_free(limits->adopt);
	free(limits);
}

struct http_limits_counts
http_limits_count(const struct http_limits *limits)
{
	return limits->counts;
}
