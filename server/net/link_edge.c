/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a neighbour is reached: its address, its name, one attempt after all. */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "net/addresses.h"
#include "net/link_room.h"
#include "base/loop_watch.h"
#include "base/traffic.h"

static struct edge *
edge_of(struct link *link)
{
	return (struct edge *)link;
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
edge_changed(void *arg, struct link *link)
{
	struct links *links = arg;

	edges_publish(links);
	pthread_mutex_lock(&links->lock);
	edge_of(link)->history = link->history;
	pthread_mutex_unlock(&links->lock);
	pthread_mutex_lock(&links->watch_lock);
	if (links->on_change != NULL)
		links->on_change(
		    links->on_change_arg, link->peer, link->state, link->error);
	pthread_mutex_unlock(&links->watch_lock);
}

static void
tell_up(struct links *links, struct link *link)
{
	const struct conn *conn = (const struct conn *)link->conn;
	const struct session_stats *stats = &conn->link.session.stats;
	struct node *node = links->node;

	LOG(node->log, LOG_INFO, "link-up", log_text("peer", link->peer),
	    log_text("address", conn->peer),
	    log_number("sent", (int64_t)stats->sent),
	    log_number("received", (int64_t)stats->received));
	if (node->traffic != NULL)
		traffic_note(node->traffic, "link-up", link->peer,
		    span_from(conn->peer));
}

void
edge_tell(void *arg, struct link *link, enum link_notice news,
    enum session_reason reason, const char *error, const char *next)
{
	struct links *links = arg;
	struct log *log = links->node->log;

	switch (news) {
	case LINK_NOTICE_UP: tell_up(links, link); break;
	case LINK_NOTICE_ENDED:
		if (links->node->traffic != NULL)
			traffic_note(links->node->traffic, "link-down",
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
			edges_publish(links);
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
edge_arm(void *arg HERD_UNUSED, struct link *link)
{
	struct edge *edge = edge_of(link);
	uint64_t at = link_deadline(link).ns;
	uint64_t now = clock_mono().ns;

	if (at == UINT64_MAX)
		event_del(edge->timer);
	else
		arm(edge->timer, at > now ? at - now : 0);
}

static void
on_timer(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct edge *edge = arg;

	pulse_begin("link-dial");
	link_on_time(&edge->link, clock_mono(), clock_wall());
	links_serve_due(edge->links);
	pulse_end();
}

/* --- attempts --------------------------------------------------------------
 */

/* A lookup goes on: knocks may cancel attempts faster than a name is found. */
void
edge_cancel(void *arg HERD_UNUSED, struct link *link)
{
	struct edge *edge = edge_of(link);

	edge->found.count = 0;
	edge->tried = 0;
}

static void
edge_fail(struct edge *edge, const char *error, const char *next)
{
	edge->found.count = 0;
	edge->tried = 0;
	link_on_failed(&edge->link, error, next, clock_mono(), clock_wall());
}

static void
edge_fail_lookup(struct edge *edge, const char *why)
{
	char error[SESSION_ERROR_MAX];
	char next[LOG_FIELD_MAX];

	snprintf(error, sizeof(error), "cannot look up %.120s: %s",
	    edge->address.host, why);
	snprintf(next, sizeof(next),
	    "looking it up again with backoff; check the host of %s in the "
	    "herd file, /etc/hosts and DNS",
	    edge->link.peer);
	edge_fail(edge, error, next);
}

/* What is dialled: where a name has led, or what the herd file says. */
static void
dialled_text(const struct edge *edge, const struct endpoint *endpoint,
    char out[SOCKET_PEER_MAX])
{
	if (edge->address.kind == ADDRESS_UNIX)
		snprintf(out, SOCKET_PEER_MAX, "%.*s", (int)SOCKET_PEER_MAX - 1,
		    edge->address.path);
	else
		socket_peer_text(&endpoint->addr, out);
}

/* One of several addresses has failed: the error says which. */
static void
address_error(const struct edge *edge, const char *address, const char *error,
    char out[SESSION_ERROR_MAX])
{
	if (edge->found.count < 2)
		snprintf(out, SESSION_ERROR_MAX, "%s", error);
	else
		snprintf(out, SESSION_ERROR_MAX,
		    "%s: %.80s (address %u of %u of %.40s)", address, error,
		    edge->tried, edge->found.count, edge->address.host);
}

/* Dials the next of its addresses; false with `error` when all have failed. */
static bool
dial_an_address(struct edge *edge, char error[SESSION_ERROR_MAX])
{
	while (edge->tried < edge->found.count) {
		const struct endpoint *endpoint =
		    &edge->found.list[edge->tried++];
		char address[SOCKET_PEER_MAX];
		int fd;

		dialled_text(edge, endpoint, address);
		if (socket_dial(endpoint, &fd) != HERD_OK) {
			address_error(edge, address, strerror(errno), error);
			continue;
		}
		if (conn_open(edge->links, edge, fd, address,
			address_key(&endpoint->addr)) != NULL)
			return true;
		snprintf(error, SESSION_ERROR_MAX, "out of memory");
		break;
	}
	return false;
}

bool
edge_dial_next(void *arg HERD_UNUSED, struct link *link,
    const struct link_conn *link_conn, const char *error)
{
	const struct conn *conn = (const struct conn *)link_conn;
	struct edge *edge = edge_of(link);
	char text[SESSION_ERROR_MAX] = "";

	if (error != NULL)
		address_error(edge, conn->peer, error, text);
	if (dial_an_address(edge, text))
		return true;
	edge->found.count = 0;
	edge->tried = 0;
	if (text[0] != '\0')
		snprintf(link->error, sizeof(link->error), "%s", text);
	return false;
}

static void
edge_begin_dialling(struct edge *edge)
{
	char error[SESSION_ERROR_MAX] = "no address";

	if (!dial_an_address(edge, error))
		edge_fail(edge, error, NULL);
}

/* The name has been looked up, be it after the deadline. */
static void
on_found(void *arg, const struct endpoints *found, const char *error)
{
	struct edge *edge = arg;

	edge->lookup = NULL;
	event_del(edge->late);
	if (error != NULL) {
		if (edge->link.trying)
			edge_fail_lookup(edge, error);
		return;
	}
	edge->found = *found;
	edge->tried = 0;
	if (edge->link.trying) {
		edge_begin_dialling(edge);
		return;
	}
	/* The attempt that asked was given up: this serves the next one. */
	edge->is_found = true;
	link_hurry(&edge->link, clock_mono(), clock_wall());
	edge->is_found = false;
}

static void
on_late(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct edge *edge = arg;

	if (edge->link.trying)
		edge_fail_lookup(edge, "no answer in 5 s");
}

/* One lookup at a time: one that is late is awaited again. */
static void
edge_look_up(struct edge *edge)
{
	if (edge->lookup == NULL) {
		enum herd_error error = resolver_begin(edge->links->resolver,
		    &edge->address, on_found, edge, &edge->lookup);

		if (error != HERD_OK) {
			edge_fail_lookup(
			    edge, error == HERD_ELIMIT
				      ? "too many lookups have no answer yet"
				      : "out of memory or threads");
			return;
		}
	}
	if (!event_pending(edge->late, EV_TIMEOUT, NULL))
		arm(edge->late, LINK_OPEN_NS);
}

void
edge_dial(void *arg HERD_UNUSED, struct link *link)
{
	struct edge *edge = edge_of(link);

	edge->tried = 0;
	if (edge->is_found ||
	    resolver_numeric(&edge->address, &edge->found) == HERD_OK)
		edge_begin_dialling(edge);
	else
		edge_look_up(edge);
}

/* --- life -------------------------------------------------------------------
 */

enum herd_error
edge_open(struct edge *edge)
{
	struct event_base *base = edge->links->base;

	edge->timer = evtimer_new(base, on_timer, edge);
	edge->late = evtimer_new(base, on_late, edge);
	if (edge->timer != NULL && edge->late != NULL)
		return HERD_OK;
	edge_close(edge);
	return HERD_ENOMEM;
}

void
edge_close(struct edge *edge)
{
	resolver_cancel(edge->lookup);
	edge->lookup = NULL;
	if (edge->timer != NULL)
		event_free(edge->timer);
	if (edge->late != NULL)
		event_free(edge->late);
	edge->timer = edge->late = NULL;
	edge->used = false;
}

/* --- what others see ---------------------------------------------------- */

static void
edge_status(const struct edge *edge, struct link_status *out)
{
	const struct link *link = &edge->link;

	*out = (struct link_status){
		.address = edge->address,
		.state = link->state,
		.since = link->since,
		.dials = link->dials,
		.enabled = link->enabled,
		.tls = edge->links->tls != NULL,
		.line = edge->line,
		.column = edge->column,
		.rtt_ns = -1,
		.connects = link->connects,
		.twins = link->twins,
		.twin_at = link->twin_at,
		.stats = link->past,
		.error_at = link->error_at,
		/* What is due for a peer that dials is a knock. */
		.retry_at = link->dials ? link->retry_at : (struct mono){ 0 },
	};
	memcpy(out->peer, link->peer, sizeof(out->peer));
	memcpy(out->error, link->error, sizeof(out->error));
	if (link->conn != NULL) {
		const struct session *session = &link->conn->session;

		out->rtt_ns = session->rtt_ns;
		out->clock_ns =
		    session_clock_ns(session, clock_mono(), clock_wall());
		out->clock_known = session->clock_known;
		out->owed = outbox_owed(&session->outbox);
		out->lag_ns = session_lag_ns(session, clock_mono());
		out->verified = session->synced_at;
		session_stats_add(&out->stats, &session->stats);
	}
}

/* Under the lock. */
static void
publish_company(struct links *links)
{
	bool has_links = false;
	bool has_session = false;

	for (unsigned i = 0; i < links->published_count; i++) {
		const struct link_status *status = &links->published[i];

		has_links |= status->enabled;
		has_session |= link_is_up(status);
		links->company.met_one |= status->state == LINK_SYNCED;
	}
	links->company.has_links = has_links;
	if (has_session)
		links->alone_since = (struct mono){ 0 };
	else if (links->alone_since.ns == 0)
		links->alone_since = clock_mono();
}

/*
 * Neighbours are told our bound of memory, and intake keeps to the least of
 * theirs: what one node can't hold the others should not take.
 */
static void
share_memory_bound(struct links *links)
{
	struct node_limits *limits = &links->node->limits;
	uint64_t least = 0;

	links->node->sessions.max_memory = atomic_load(&limits->max_memory);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct link_conn *conn = links->edges[i].link.conn;
		uint64_t bytes;

		if (!links->edges[i].used || conn == NULL)
			continue;
		bytes = conn->session.peer_memory;
		if (bytes != 0 && (least == 0 || bytes < least))
			least = bytes;
	}
	atomic_store(&limits->neighbours_memory, least);
}

void
edges_publish(struct links *links)
{
	unsigned count = 0;

	share_memory_bound(links);

	pthread_mutex_lock(&links->lock);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		const struct edge *edge = &links->edges[i];

		if (!edge->used)
			continue;
		edge_status(edge, &links->published[count]);
		links->published_number[count] = edge->link.number;
		links->published_index[count++] = i;
	}
	links->published_count = count;
	publish_company(links);
	links->published_half_open = links->half_open.count;
	pthread_mutex_unlock(&links->lock);
}
