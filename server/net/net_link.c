/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reaching a neighbour: its name is looked up, its addresses tried in turn. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop_watch.h"
#include "base/traffic.h"
#include "net/addresses.h"
#include "net/peering_internal.h"

static struct net_link *
net_link_of(struct link *link)
{
	return (struct net_link *)link;
}

static void
arm(struct event *event, uint64_t wait_ns)
{
	const struct timeval wait = {
		(time_t)(wait_ns / HERD_NS_PER_S),
		(suseconds_t)((wait_ns % HERD_NS_PER_S + 999) / 1000),
	};

	event_add(event, &wait);
}

/* --- what the driver wants --------------------------------------------------
 */

void
net_link_changed(void *arg, struct link *link)
{
	struct peering *peering = arg;

	if (link->conn != NULL)
		net_link_of(link)->claim[0] = '\0';
	peering_publish(peering);
	pthread_mutex_lock(&peering->lock);
	net_link_of(link)->history = link->history;
	pthread_mutex_unlock(&peering->lock);
	pthread_mutex_lock(&peering->watch_lock);
	if (peering->on_change != NULL)
		peering->on_change(peering->on_change_arg, link->peer,
		    link->state, link->error);
	pthread_mutex_unlock(&peering->watch_lock);
}

static void
tell_up(struct peering *peering, struct link *link)
{
	const struct link_socket *conn = (const struct link_socket *)link->conn;
	const struct session_stats *stats = &conn->link.session.stats;
	struct node *node = peering->node;

	LOG(node->log, LOG_INFO, "link-up", log_text("peer", link->peer),
	    log_text("address", conn->peer),
	    log_number("sent", (int64_t)stats->sent),
	    log_number("received", (int64_t)stats->received));
	if (node->traffic != NULL)
		traffic_note(node->traffic, "link-up", link->peer,
		    span_from(conn->peer));
}

void
net_link_tell(void *arg, struct link *link, enum link_notice news,
    enum session_reason reason, const char *error, const char *next)
{
	struct peering *peering = arg;
	struct log *log = peering->node->log;

	switch (news) {
	case LINK_NOTICE_UP: tell_up(peering, link); break;
	case LINK_NOTICE_ENDED:
		if (peering->node->traffic != NULL)
			traffic_note(peering->node->traffic, "link-down",
			    link->peer, span_from(error));
		break;
	case LINK_NOTICE_DOWN:
	case LINK_NOTICE_STILL:
		LOG(log, news == LINK_NOTICE_STILL ? LOG_DEBUG : LOG_WARN,
		    "link-down", log_text("peer", link->peer),
		    log_text("reason", session_reason_word(reason)),
		    log_text("error", error), log_text("next", next));
		break;
	case LINK_NOTICE_AWAITED:
		if (link->error[0] == '\0') {
			snprintf(link->error, sizeof(link->error), "%s", error);
			link->error_at = clock_mono();
			peering_publish(peering);
		}
		LOG(log, LOG_WARN, "link-awaited", log_text("peer", link->peer),
		    log_text("error", error), log_text("next", next));
		break;
	case LINK_NOTICE_TWIN:
		LOG(log, LOG_WARN, "link-twin", log_text("peer", link->peer),
		    log_text("error", error), log_text("next", next));
		break;
	}
}

void
net_link_arm(void *arg HERD_UNUSED, struct link *link)
{
	struct net_link *net_link = net_link_of(link);
	uint64_t at = link_deadline(link).ns;
	uint64_t now = clock_mono().ns;

	if (at == UINT64_MAX)
		event_del(net_link->timer);
	else
		arm(net_link->timer, at > now ? at - now : 0);
}

static void
on_timer(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct net_link *net_link = arg;

	loop_watch_begin("link-dial");
	link_on_time(&net_link->link, clock_mono(), clock_wall());
	peering_serve_due(net_link->peering);
	loop_watch_end();
}

/* --- attempts --------------------------------------------------------------
 */

/*
 * An attempt that a knock begins again does not ask the resolver again: with
 * a slow one, knocks would come faster than anything is dialled.
 */
#define KNOWN_NS LINK_OPEN_NS

static bool
net_link_knows(const struct net_link *net_link)
{
	return net_link->known_at.ns != 0 &&
	       mono_since(clock_mono(), net_link->known_at) < KNOWN_NS;
}

/* A lookup goes on: knocks may cancel attempts faster than a name is found. */
void
net_link_cancel(void *arg HERD_UNUSED, struct link *link)
{
	struct net_link *net_link = net_link_of(link);

	net_link->found.count = 0;
	net_link->tried = 0;
}

static void
net_link_fail(struct net_link *net_link, const char *error, const char *next)
{
	net_link_cancel(NULL, &net_link->link);
	net_link->known_at = (struct mono){ 0 };
	link_on_failed(
	    &net_link->link, error, next, clock_mono(), clock_wall());
}

static void
net_link_fail_lookup(struct net_link *net_link, const char *why)
{
	char error[SESSION_ERROR_MAX];
	char next[LOG_FIELD_MAX];

	snprintf(error, sizeof(error), "cannot look up %.120s: %s",
	    net_link->address.host, why);
	snprintf(next, sizeof(next),
	    "looking it up again with backoff; check the host of %s in the "
	    "herd file, /etc/hosts and DNS",
	    net_link->link.peer);
	net_link_fail(net_link, error, next);
}

/* What is dialled: an address that was looked up, or that of the herd file. */
static void
dialled_text(const struct net_link *net_link, const struct endpoint *endpoint,
    char out[SOCKET_PEER_MAX])
{
	if (net_link->address.kind == ADDRESS_UNIX)
		snprintf(out, SOCKET_PEER_MAX, "%.*s", (int)SOCKET_PEER_MAX - 1,
		    net_link->address.path);
	else
		socket_peer_text(&endpoint->addr, out);
}

/* One of several addresses has failed: adds to the error which. */
static void
address_error(const struct net_link *net_link, const char *address,
    const char *error, char out[SESSION_ERROR_MAX])
{
	if (net_link->found.count < 2)
		snprintf(out, SESSION_ERROR_MAX, "%s", error);
	else
		snprintf(out, SESSION_ERROR_MAX,
		    "%.60s: %.60s (address %u of %u of %.36s)", address, error,
		    net_link->tried, net_link->found.count,
		    net_link->address.host);
}

/* Dials the next of its addresses; false with `error` when all have failed. */
static bool
dial_an_address(struct net_link *net_link, char error[SESSION_ERROR_MAX])
{
	while (net_link->tried < net_link->found.count) {
		const struct endpoint *endpoint =
		    &net_link->found.list[net_link->tried++];
		char address[SOCKET_PEER_MAX];
		int fd;

		dialled_text(net_link, endpoint, address);
		if (socket_dial(endpoint, &fd) != HERD_OK) {
			address_error(
			    net_link, address, strerror(errno), error);
			continue;
		}
		if (link_socket_open(net_link->peering, net_link, fd, address,
			address_key(&endpoint->addr)) != NULL)
			return true;
		snprintf(error, SESSION_ERROR_MAX, "out of memory");
		break;
	}
	return false;
}

/*
 * A neighbour that has not read its key file again yet may know only a later
 * one of our keys: the same address is tried with each.
 */
static void
offer_next_key(struct net_link *net_link, const struct transport *transport)
{
	const struct transport_tls *tls = transport->tls;

	if (!transport->wrong_key || tls == NULL || net_link->tried == 0)
		return;
	net_link->offer = transport->offer + 1;
	if (net_link->offer < transport_tls_keys(tls)->count)
		net_link->tried--;
	else
		net_link->offer = 0;
}

bool
net_link_dial_next(void *arg HERD_UNUSED, struct link *link,
    const struct link_conn *link_conn, const char *error)
{
	const struct link_socket *conn = (const struct link_socket *)link_conn;
	struct net_link *net_link = net_link_of(link);
	char text[SESSION_ERROR_MAX] = "";

	if (error != NULL) {
		address_error(net_link, conn->peer, error, text);
		offer_next_key(net_link, &conn->transport);
	}
	if (dial_an_address(net_link, text))
		return true;
	net_link_cancel(NULL, link);
	if (error != NULL)
		net_link->known_at = (struct mono){ 0 };
	if (text[0] != '\0')
		snprintf(link->error, sizeof(link->error), "%s", text);
	return false;
}

static void
net_link_begin_dialling(struct net_link *net_link)
{
	char error[SESSION_ERROR_MAX] = "no address";

	if (!dial_an_address(net_link, error))
		net_link_fail(net_link, error, NULL);
}

static void
net_link_end_lookup(struct net_link *net_link)
{
	if (net_link->looked_up != NULL)
		event_free(net_link->looked_up);
	resolver_free(net_link->lookup);
	net_link->looked_up = NULL;
	net_link->lookup = NULL;
}

/* The name has been looked up, be it after the deadline. */
static void
net_link_on_found(struct net_link *net_link)
{
	const struct endpoints *found;
	const char *error = resolver_result(net_link->lookup, &found);

	net_link->known = *found;
	net_link->known_at = clock_mono();
	net_link_end_lookup(net_link);
	event_del(net_link->late);
	if (error != NULL) {
		net_link->known_at = (struct mono){ 0 };
		if (net_link->link.trying)
			net_link_fail_lookup(net_link, error);
	} else if (net_link->link.trying) {
		net_link_dial(NULL, &net_link->link);
	} else {
		/* The attempt that asked was given up. */
		link_hurry(&net_link->link, clock_mono(), clock_wall());
	}
}

static void
on_looked_up(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	loop_watch_begin("link-lookup");
	net_link_on_found(arg);
	loop_watch_end();
}

static enum herd_error
net_link_begin_lookup(struct net_link *net_link)
{
	enum herd_error error =
	    resolver_begin(&net_link->address, &net_link->lookup);

	if (error != HERD_OK)
		return error;
	net_link->looked_up = event_new(net_link->peering->base,
	    resolver_fd(net_link->lookup), EV_READ, on_looked_up, net_link);
	if (net_link->looked_up != NULL &&
	    event_add(net_link->looked_up, NULL) == 0)
		return HERD_OK;
	net_link_end_lookup(net_link);
	return HERD_ENOMEM;
}

static void
on_late(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct net_link *net_link = arg;

	if (net_link->link.trying)
		net_link_fail_lookup(net_link, "no answer in 5 s");
}

/* One lookup at a time: the next attempt waits for a late one. */
static void
net_link_look_up(struct net_link *net_link)
{
	if (net_link->lookup == NULL) {
		enum herd_error error = net_link_begin_lookup(net_link);

		if (error != HERD_OK) {
			net_link_fail_lookup(net_link,
			    error == HERD_ELIMIT
				? "too many lookups have no answer yet"
				: "out of memory or threads");
			return;
		}
	}
	if (!event_pending(net_link->late, EV_TIMEOUT, NULL))
		arm(net_link->late, LINK_OPEN_NS);
}

void
net_link_dial(void *arg HERD_UNUSED, struct link *link)
{
	struct net_link *net_link = net_link_of(link);

	net_link->tried = 0;
	net_link->offer = 0;
	if (net_link_knows(net_link)) {
		net_link->found = net_link->known;
		net_link_begin_dialling(net_link);
	} else if (resolver_numeric(&net_link->address, &net_link->found) ==
		   HERD_OK) {
		net_link_begin_dialling(net_link);
	} else {
		net_link_look_up(net_link);
	}
}

/* --- life -------------------------------------------------------------------
 */

enum herd_error
net_link_open(struct net_link *net_link)
{
	struct event_base *base = net_link->peering->base;

	net_link->timer = evtimer_new(base, on_timer, net_link);
	net_link->late = evtimer_new(base, on_late, net_link);
	if (net_link->timer != NULL && net_link->late != NULL)
		return HERD_OK;
	net_link_close(net_link);
	return HERD_ENOMEM;
}

void
net_link_close(struct net_link *net_link)
{
	net_link_end_lookup(net_link);
	if (net_link->timer != NULL)
		event_free(net_link->timer);
	if (net_link->late != NULL)
		event_free(net_link->late);
	net_link->timer = net_link->late = NULL;
	net_link->used = false;
}

/* --- what others see ---------------------------------------------------- */

const char *
net_link_key(const struct net_link *net_link)
{
	const struct link_socket *conn =
	    (const struct link_socket *)net_link->link.conn;

	return conn == NULL ? "" : conn->transport.key;
}

void
net_link_status(const struct net_link *net_link, struct link_status *out)
{
	const struct link *link = &net_link->link;

	*out = (struct link_status){
		.address = net_link->address,
		.state = link->state,
		.since = link->since,
		.dials = link->dials,
		.eager = link->eager,
		.enabled = link->enabled,
		.tls = net_link->peering->tls != NULL,
		.line = net_link->line,
		.column = net_link->column,
		.rtt_ns = -1,
		.connects = link->connects,
		.twins = link->twins,
		.twin_at = link->twin_at,
		.stats = link->past,
		.error_at = link->error_at,
		/* If the peer dials, it is a knock that is due. */
		.retry_at = link->dials ? link->retry_at : (struct mono){ 0 },
	};
	memcpy(out->peer, link->peer, sizeof(out->peer));
	memcpy(out->error, link->error, sizeof(out->error));
	if (link->conn != NULL) {
		const struct session *session = &link->conn->session;

		out->resting = session_is_resting(session);
		out->rtt_ns = session->rtt_ns;
		out->clock_ns =
		    session_clock_ns(session, clock_mono(), clock_wall());
		out->clock_known = session->clock_known;
		out->owed = outbox_owed(&session->outbox);
		out->lag_ns = session_lag_ns(session, clock_mono());
		out->verified = session->synced_at;
		memcpy(out->key, net_link_key(net_link), sizeof(out->key));
		session_stats_add(&out->stats, &session->stats);
	}
}
