/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/guests.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/addresses.h"

#define LOG_AGAIN_S 60 /* the limit is logged once in so long */

struct guest {
	TAILQ_ENTRY(guest) all; /* the oldest first */
	struct guests *guests;
	struct bufferevent *bev;
	struct evhttp_connection *connection; /* NULL: not adopted yet */
	struct evbuffer_cb_entry *on_bytes;
	struct event *deadline;
	uint64_t address;
	bool trusted;
	bool in_request;
};

TAILQ_HEAD(guest_list, guest);

struct known {
	uint64_t address;
	struct mono until;
};

struct guests {
	struct event_base *base;
	struct log *log;
	struct guest_list all;
	struct guest_list fresh; /* accepted in this turn of the loop */
	struct event *adopt;
	struct known known[GUESTS_KNOWN_MAX];
	struct guests_counts counts;
	struct mono logged_until;
};

/* --- addresses -------------------------------------------------------- */

/* The entry of that address, or the one that is to be given up for it. */
static struct known *
find_known(struct guests *guests, uint64_t address)
{
	struct known *oldest = &guests->known[0];

	for (unsigned i = 0; i < GUESTS_KNOWN_MAX; i++) {
		struct known *known = &guests->known[i];

		if (known->until.ns != 0 && known->address == address)
			return known;
		if (known->until.ns < oldest->until.ns)
			oldest = known;
	}
	return oldest;
}

static bool
is_known(struct guests *guests, uint64_t address)
{
	const struct known *known = find_known(guests, address);

	return known->address == address && known->until.ns > clock_mono().ns;
}

/* --- closing ---------------------------------------------------------- */

static bool
is_stranger(const struct guest *guest)
{
	return !guest->trusted;
}

/* A request that is being answered is not: evhttp would free it twice. */
static void
close_guest(struct guest *guest)
{
	/* Calls guests_gone() by way of on_close(). */
	evhttp_connection_free(guest->connection);
}

static unsigned
count_strangers(const struct guests *guests, uint64_t address)
{
	const struct guest *guest;
	unsigned count = 0;

	TAILQ_FOREACH(guest, &guests->all, all)
	count += is_stranger(guest) && guest->address == address;
	return count;
}

/* The stranger of that address that has been here longest, or NULL. */
static struct guest *
oldest_of(struct guests *guests, uint64_t address)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests->all, all)
	{
		if (is_stranger(guest) && !guest->in_request &&
		    guest->address == address)
			return guest;
	}
	return NULL;
}

/* Of the address with the most strangers. */
static struct guest *
oldest_of_most(struct guests *guests)
{
	const struct guest *guest;
	uint64_t address = 0;
	unsigned most = 0;

	TAILQ_FOREACH(guest, &guests->all, all)
	{
		unsigned count;

		/* Each address is counted once, more or less. */
		if (!is_stranger(guest) || guest->in_request ||
		    (most > 0 && guest->address == address))
			continue;
		count = count_strangers(guests, guest->address);
		if (count > most) {
			most = count;
			address = guest->address;
		}
	}
	return most == 0 ? NULL : oldest_of(guests, address);
}

static void
log_limit(struct guests *guests)
{
	struct mono now = clock_mono();

	if (now.ns < guests->logged_until.ns)
		return;
	guests->logged_until =
	    mono_add(now, LOG_AGAIN_S * (uint64_t)HERD_NS_PER_S);
	LOG(guests->log, LOG_WARN, "admin-limit",
	    log_text("error", "too many connections to the admin API"),
	    log_text("next", "closing the oldest without a token"));
}

/*
 * Makes the guests as many as there may be, a new one included, which is
 * closed itself if all others have shown a token.
 */
static void
keep_limits(struct guests *guests, struct guest *fresh)
{
	unsigned most = is_known(guests, fresh->address)
			    ? GUESTS_MAX
			    : GUESTS_MAX - GUESTS_RESERVED;
	struct guest *victim = NULL;

	if (count_strangers(guests, fresh->address) > GUESTS_OF_ADDRESS)
		victim = oldest_of(guests, fresh->address);
	else if (guests->counts.now > most)
		victim = oldest_of_most(guests);
	else
		return;
	guests->counts.refused++;
	log_limit(guests);
	close_guest(victim != NULL ? victim : fresh);
}

bool
guests_make_room(struct guests *guests)
{
	struct guest *victim = oldest_of_most(guests);

	if (victim == NULL)
		return false;
	guests->counts.refused++;
	log_limit(guests);
	close_guest(victim);
	return true;
}

/* --- time ------------------------------------------------------------- */

static void
on_deadline(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct guest *guest = arg;

	guest->guests->counts.timed_out++;
	close_guest(guest);
}

static void
set_deadline(struct guest *guest)
{
	const struct timeval wait = { GUEST_REQUEST_S, 0 };

	/* Without memory for it the connection has evhttp's timeout only. */
	(void)evtimer_add(guest->deadline, &wait);
}

/* Between requests a trusted guest may be silent; what it begins it ends. */
static void
on_bytes(struct evbuffer *input HERD_UNUSED,
    const struct evbuffer_cb_info *info, void *arg)
{
	struct guest *guest = arg;

	if (info->n_added > 0 && !guest->in_request &&
	    !evtimer_pending(guest->deadline, NULL))
		set_deadline(guest);
}

/* --- one connection --------------------------------------------------- */

void
guests_gone(struct guest *guest)
{
	struct guests *guests = guest->guests;

	TAILQ_REMOVE(&guests->all, guest, all);
	guests->counts.now--;
	if (guest->on_bytes != NULL)
		(void)evbuffer_remove_cb_entry(
		    bufferevent_get_input(guest->bev), guest->on_bytes);
	event_free(guest->deadline);
	free(guest);
}

static void
on_close(struct evhttp_connection *connection HERD_UNUSED, void *arg)
{
	guests_gone(arg);
}

struct guest *
guests_begin(struct guests *guests, struct evhttp_connection *connection)
{
	struct guest *guest;

	TAILQ_FOREACH(guest, &guests->all, all)
	{
		if (guest->connection == connection)
			break;
	}
	if (guest != NULL) {
		guest->in_request = true;
		(void)evtimer_del(guest->deadline);
	}
	return guest;
}

void
guests_end(struct guest *guest)
{
	struct evbuffer *input = bufferevent_get_input(guest->bev);

	guest->in_request = false;
	evhttp_connection_set_closecb(guest->connection, on_close, guest);
	if (!guest->trusted || evbuffer_get_length(input) > 0)
		set_deadline(guest);
}

void
guests_trust(struct guest *guest)
{
	struct known *known = find_known(guest->guests, guest->address);

	guest->trusted = true;
	known->address = guest->address;
	known->until =
	    mono_add(clock_mono(), GUEST_KNOWN_S * (uint64_t)HERD_NS_PER_S);
}

/* evhttp has made its connection of it: that is its callbacks' argument. */
static void
adopt(struct guest *guest)
{
	struct guests *guests = guest->guests;
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);
	void *connection = NULL;

	bufferevent_getcb(guest->bev, NULL, NULL, NULL, &connection);
	if (bufferevent_decref(guest->bev) != 0 || connection == NULL) {
		event_free(guest->deadline);
		free(guest);
		return;
	}
	(void)getpeername(
	    bufferevent_getfd(guest->bev), (struct sockaddr *)&peer, &len);
	guest->address = address_key(&peer);
	guest->connection = connection;
	guest->on_bytes =
	    evbuffer_add_cb(bufferevent_get_input(guest->bev), on_bytes, guest);
	evhttp_connection_set_closecb(guest->connection, on_close, guest);
	TAILQ_INSERT_TAIL(&guests->all, guest, all);
	guests->counts.now++;
	set_deadline(guest);
	keep_limits(guests, guest);
}

static void
on_adopt(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct guests *guests = arg;
	struct guest *guest;

	while ((guest = TAILQ_FIRST(&guests->fresh)) != NULL) {
		TAILQ_REMOVE(&guests->fresh, guest, all);
		adopt(guest);
	}
}

struct bufferevent *
guests_accept(struct guests *guests)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL)
		return NULL;
	guest->guests = guests;
	guest->bev = bufferevent_socket_new(guests->base, -1, 0);
	guest->deadline = evtimer_new(guests->base, on_deadline, guest);
	if (guest->bev == NULL || guest->deadline == NULL) {
		if (guest->bev != NULL)
			bufferevent_free(guest->bev);
		if (guest->deadline != NULL)
			event_free(guest->deadline);
		free(guest);
		return NULL;
	}
	/* Until adopt() has seen what became of it, later in this turn. */
	bufferevent_incref(guest->bev);
	TAILQ_INSERT_TAIL(&guests->fresh, guest, all);
	event_active(guests->adopt, EV_TIMEOUT, 0);
	return guest->bev;
}

/* --- life ------------------------------------------------------------- */

enum herd_error
guests_open(struct event_base *base, struct log *log, struct guests **out)
{
	struct guests *guests = calloc(1, sizeof(*guests));

	if (guests == NULL)
		return HERD_ENOMEM;
	TAILQ_INIT(&guests->all);
	TAILQ_INIT(&guests->fresh);
	guests->base = base;
	guests->log = log;
	guests->adopt = event_new(base, -1, 0, on_adopt, guests);
	if (guests->adopt == NULL) {
		free(guests);
		return HERD_ENOMEM;
	}
	*out = guests;
	return HERD_OK;
}

void
guests_close(struct guests *guests)
{
	if (guests == NULL)
		return;
	event_free(guests->adopt);
	free(guests);
}

struct guests_counts
guests_count(const struct guests *guests)
{
	return guests->counts;
}
