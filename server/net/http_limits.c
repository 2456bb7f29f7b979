/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/http_limits.h"

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
#define BUCKETS 1024u
#define FD_ROOM 64u

struct http_connection {
	TAILQ_ENTRY(http_connection) all; /* of those accepted in this turn */
	/* Of its address: strangers, or trusted ones; the next to go first. */
	TAILQ_ENTRY(http_connection) mates;
	struct http_limits *limits;
	struct http_source *source; /* NULL: not adopted yet */
	int fd;
	struct bufferevent *bev;
	struct evhttp_connection *http; /* NULL: not adopted yet */
	struct evbuffer_cb_entry *on_bytes;
	struct event *deadline;
	struct sockaddr_storage peer;
	struct mono began; /* when the first byte of a request came */
	size_t bytes;      /* that have come of it */
	bool trusted;
	bool in_request;
	bool refused; /* no memory for its TLS */
};

TAILQ_HEAD(http_connection_list, http_connection);

/* An address with connections. */
struct http_source {
	struct http_source *next;
	uint64_t address;
	unsigned connections;
	unsigned stranger_count;
	size_t bytes; /* of their requests that are not answered yet */
	struct http_connection_list strangers; /* the longest connected first */
	struct http_connection_list trusted;   /* the longest idle first */
};

struct known {
	uint64_t address;
	struct mono until;
};

struct http_limits {
	struct event_base *base;
	struct log *log;
	struct http_limits_config config;
	struct http_source *sources[BUCKETS];
	struct http_connection **by_fd;
	size_t fd_room;
	size_t bytes; /* of requests that are not answered yet */
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

static struct http_source **
find_source(struct http_limits *limits, uint64_t address)
{
	uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15);
	struct http_source **at = &limits->sources[hash >> 54];

	while (*at != NULL && (*at)->address != address)
		at = &(*at)->next;
	return at;
}

/* The connection counts for its address, as a stranger. False: no memory. */
static bool
enter_source(struct http_connection *conn)
{
	uint64_t address = address_key(&conn->peer);
	struct http_source **at = find_source(conn->limits, address);

	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL)
			return false;
		(*at)->address = address;
		TAILQ_INIT(&(*at)->strangers);
		TAILQ_INIT(&(*at)->trusted);
	}
	conn->source = *at;
	conn->source->connections++;
	conn->source->stranger_count++;
	TAILQ_INSERT_TAIL(&conn->source->strangers, conn, mates);
	return true;
}

static void
leave_mates(struct http_connection *conn)
{
	if (conn->trusted)
		TAILQ_REMOVE(&conn->source->trusted, conn, mates);
	else
		TAILQ_REMOVE(&conn->source->strangers, conn, mates);
	conn->source->stranger_count -= !conn->trusted;
}

/* It is the last one to go now, if it is trusted. */
static void
be_trusted(struct http_connection *conn)
{
	leave_mates(conn);
	conn->trusted = true;
	TAILQ_INSERT_TAIL(&conn->source->trusted, conn, mates);
}

static void
leave_source(struct http_connection *conn)
{
	struct http_source *source = conn->source;

	leave_mates(conn);
	if (--source->connections > 0)
		return;
	*find_source(conn->limits, source->address) = source->next;
	free(source);
}

/* --- closing ---------------------------------------------------------- */

/* Not while a request is being answered: evhttp would free it twice. */
static void
close_connection(struct http_connection *conn)
{
	/* This calls http_limits_gone() through on_close(). */
	evhttp_connection_free(conn->http);
}

/* The first that may be closed, or NULL. */
static struct http_connection *
first_of(const struct http_connection_list *mates)
{
	struct http_connection *conn;

	TAILQ_FOREACH(conn, mates, mates)
	{
		if (!conn->in_request)
			return conn;
	}
	return NULL;
}

/* Of the address with the most strangers. */
static struct http_connection *
first_of_most(const struct http_limits *limits)
{
	struct http_connection *first = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		const struct http_source *source = limits->sources[i];

		for (; source != NULL; source = source->next) {
			struct http_connection *conn = NULL;

			if (source->stranger_count > most)
				conn = first_of(&source->strangers);
			if (conn == NULL)
				continue;
			first = conn;
			most = source->stranger_count;
		}
	}
	return first;
}

static void
log_limit(struct http_limits *limits)
{
	struct mono now = clock_mono();

	if (now.ns < limits->logged_until.ns)
		return;
	limits->logged_until =
	    mono_add(now, LOG_AGAIN_S * (uint64_t)HERD_NS_PER_S);
	LOG(limits->log, LOG_WARN, limits->config.event,
	    log_text("error", limits->config.error),
	    log_text("next", "closing the oldest that has not shown who it "
			     "is"));
}

/*
 * Closes a connection if there is one too many: the new one itself if all
 * others have shown a token.
 */
static void
keep_limits(struct http_limits *limits, struct http_connection *fresh)
{
	unsigned most = limits->config.max;
	struct http_connection *victim = NULL;

	if (!is_known(limits, fresh->source->address))
		most -= limits->config.reserved;
	if (fresh->source->stranger_count > limits->config.of_address)
		victim = first_of(&fresh->source->strangers);
	else if (limits->counts.now > most)
		victim = first_of_most(limits);
	else
		return;
	limits->counts.refused++;
	log_limit(limits);
	close_connection(victim != NULL ? victim : fresh);
}

bool
http_limits_make_room(struct http_limits *limits)
{
	struct http_connection *victim = first_of_most(limits);

	if (victim == NULL)
		return false;
	limits->counts.refused++;
	log_limit(limits);
	close_connection(victim);
	return true;
}

/* --- bytes ------------------------------------------------------------ */

/* So many bytes have come of its requests. */
static void
count_bytes(struct http_connection *conn, size_t bytes)
{
	conn->limits->bytes += bytes - conn->bytes;
	conn->source->bytes += bytes - conn->bytes;
	conn->bytes = bytes;
}

/*
 * Closes the connection in a turn of its own: evhttp may read from it now. Its
 * bytes are given back already.
 */
static void
close_soon(struct http_connection *conn)
{
	count_bytes(conn, 0);
	conn->refused = true;
	event_active(conn->deadline, EV_TIMEOUT, 0);
}

/* Of the address that has sent most. */
static struct http_source *
heaviest_source(const struct http_limits *limits)
{
	struct http_source *heaviest = NULL;

	for (unsigned i = 0; i < BUCKETS; i++) {
		struct http_source *source = limits->sources[i];

		for (; source != NULL; source = source->next) {
			if (heaviest == NULL || source->bytes > heaviest->bytes)
				heaviest = source;
		}
	}
	return heaviest;
}

/* The stranger there that has sent most, or NULL. */
static struct http_connection *
heaviest_of(const struct http_source *source)
{
	struct http_connection *conn, *heaviest = NULL;

	TAILQ_FOREACH(conn, &source->strangers, mates)
	{
		if (!conn->in_request && !conn->refused &&
		    (heaviest == NULL || conn->bytes > heaviest->bytes))
			heaviest = conn;
	}
	return heaviest;
}

/* Too much has come of requests, the last of it over `conn`. */
static void
give_up_bytes(struct http_connection *conn)
{
	struct http_connection *victim =
	    heaviest_of(heaviest_source(conn->limits));

	log_limit(conn->limits);
	close_soon(
	    victim != NULL && victim->bytes > conn->bytes ? victim : conn);
}

/* --- time ------------------------------------------------------------- */

static void
on_deadline(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct http_connection *conn = arg;

	if (conn->refused)
		conn->limits->counts.refused++;
	else
		conn->limits->counts.timed_out++;
	if (!conn->in_request)
		close_connection(conn);
}

/* A request that keeps coming fast enough has more time. */
static void
set_deadline(struct http_connection *conn)
{
	size_t rate = conn->limits->config.bytes_per_s;
	uint64_t ms = HTTP_REQUEST_S * UINT64_C(1000);
	uint64_t gone = mono_since(clock_mono(), conn->began) / HERD_NS_PER_MS;
	struct timeval wait;

	if (rate > 0)
		ms += conn->bytes * UINT64_C(1000) / rate;
	if (ms > HTTP_SLOWEST_S * UINT64_C(1000))
		ms = HTTP_SLOWEST_S * UINT64_C(1000);
	ms = ms > gone ? ms - gone : 0;
	wait.tv_sec = (time_t)(ms / 1000);
	wait.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	/* Without memory the connection has evhttp's timeout only. */
	(void)evtimer_add(conn->deadline, &wait);
}

static void
begin_wait(struct http_connection *conn)
{
	conn->began = clock_mono();
	set_deadline(conn);
}

/* A trusted connection may be silent, but must end a request in time. */
static void
on_bytes(struct evbuffer *input HERD_UNUSED,
    const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *conn = arg;
	struct http_limits *limits = conn->limits;

	if (info->n_added == 0 || conn->refused)
		return;
	count_bytes(conn, conn->bytes + info->n_added);
	if (conn->in_request)
		return;
	if (conn->bytes >= limits->config.bytes_of_connection)
		close_soon(conn);
	else if (limits->bytes > limits->config.bytes_max)
		give_up_bytes(conn);
	if (conn->refused)
		return;
	if (!evtimer_pending(conn->deadline, NULL))
		begin_wait(conn);
	else if (limits->config.bytes_per_s > 0)
		set_deadline(conn);
}

/* --- one connection --------------------------------------------------- */

void
http_limits_gone(struct http_connection *conn)
{
	struct http_limits *limits = conn->limits;

	count_bytes(conn, 0);
	limits->by_fd[conn->fd] = NULL;
	leave_source(conn);
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
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(http));
	struct http_connection *conn =
	    fd >= 0 && (size_t)fd < limits->fd_room ? limits->by_fd[fd] : NULL;

	if (conn != NULL) {
		conn->in_request = true;
		conn->refused = false;
		(void)evtimer_del(conn->deadline);
	}
	return conn;
}

void
http_limits_end(struct http_connection *conn)
{
	size_t left = evbuffer_get_length(bufferevent_get_input(conn->bev));

	conn->in_request = false;
	count_bytes(conn, left);
	if (conn->trusted)
		be_trusted(conn);
	evhttp_connection_set_closecb(conn->http, on_close, conn);
	if (!conn->trusted || left > 0)
		begin_wait(conn);
}

void
http_limits_trust(struct http_connection *conn)
{
	struct http_source *source = conn->source;
	struct known *known = find_known(conn->limits, source->address);
	unsigned most = conn->limits->config.trusted_of_address;
	struct http_connection *victim = first_of(&source->trusted);

	be_trusted(conn);
	known->address = source->address;
	known->until =
	    mono_add(clock_mono(), HTTP_KNOWN_S * (uint64_t)HERD_NS_PER_S);
	if (most > 0 && victim != NULL &&
	    source->connections - source->stranger_count > most) {
		conn->limits->counts.refused++;
		close_connection(victim);
	}
}

const struct sockaddr_storage *
http_limits_peer(const struct http_connection *conn)
{
	return &conn->peer;
}

/* Finds the connection by its descriptor. False: no memory. */
static bool
enter_fd(struct http_limits *limits, struct http_connection *conn)
{
	size_t fd = (size_t)conn->fd;
	size_t room = limits->fd_room == 0 ? FD_ROOM : limits->fd_room;
	struct http_connection **grown;

	while (room <= fd)
		room *= 2;
	if (room > limits->fd_room) {
		grown = realloc(limits->by_fd, room * sizeof(*grown));
		if (grown == NULL)
			return false;
		memset(grown + limits->fd_room, 0,
		    (room - limits->fd_room) * sizeof(*grown));
		limits->by_fd = grown;
		limits->fd_room = room;
	}
	limits->by_fd[fd] = conn;
	return true;
}

static void
drop_unadopted(struct http_connection *conn)
{
	event_free(conn->deadline);
	free(conn);
}

/* Counts the connection, which has a socket. False: no memory. */
static bool
enter(struct http_limits *limits, struct http_connection *conn)
{
	socklen_t len = sizeof(conn->peer);

	conn->peer.ss_family = AF_UNSPEC;
	(void)getpeername(conn->fd, (struct sockaddr *)&conn->peer, &len);
	if (!enter_fd(limits, conn))
		return false;
	if (!enter_source(conn)) {
		limits->by_fd[conn->fd] = NULL;
		return false;
	}
	limits->counts.now++;
	return true;
}

/* evhttp's connection is the argument of the callbacks that it has set. */
static void
adopt(struct http_connection *conn)
{
	struct http_limits *limits = conn->limits;
	void *http = NULL;

	bufferevent_getcb(conn->bev, NULL, NULL, NULL, &http);
	conn->fd = bufferevent_getfd(conn->bev);
	if (bufferevent_decref(conn->bev) != 0 || http == NULL) {
		drop_unadopted(conn);
		return;
	}
	conn->http = http;
	if (conn->fd < 0 || !enter(limits, conn)) {
		evhttp_connection_free(http);
		drop_unadopted(conn);
		return;
	}
	conn->on_bytes =
	    evbuffer_add_cb(bufferevent_get_input(conn->bev), on_bytes, conn);
	bufferevent_setwatermark(
	    conn->bev, EV_READ, 0, limits->config.bytes_of_connection);
	evhttp_connection_set_closecb(conn->http, on_close, conn);
	begin_wait(conn);
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
http_limits_open(struct event_base *base, struct log *log,
    const struct http_limits_config *config, struct http_limits **out)
{
	struct http_limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		return HERD_ENOMEM;
	TAILQ_INIT(&limits->fresh);
	limits->base = base;
	limits->log = log;
	limits->config = *config;
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
	free(limits->by_fd);
	free(limits);
}

struct http_limits_counts
http_limits_count(const struct http_limits *limits)
{
	return limits->counts;
}
