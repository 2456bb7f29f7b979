/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configured neighbour: when to dial, what became of it. */
#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "net/addresses.h"
#include "net/link.h"
#include "pulse.h"
#include "traffic.h"

#define LINK_AWAIT_NS (5u * HERD_NS_PER_S) /* at least */

struct edge *
edge_find(struct links *links, struct span peer)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (links->edges[i].used && span_is(peer, links->edges[i].peer))
			return &links->edges[i];
	}
	return NULL;
}

/* What went wrong before the state that ends now is not why it ends. */
static void
edge_note_change(struct edge *edge, enum link_state state)
{
	bool is_why =
	    edge->error_at.ns != 0 && edge->error_at.ns >= edge->since.ns;

	pthread_mutex_lock(&edge->links->lock);
	link_history_note(
	    &edge->history, state, is_why ? edge->error : "", clock_wall());
	pthread_mutex_unlock(&edge->links->lock);
}

void
edge_set_state(struct edge *edge, enum link_state state)
{
	struct links *links = edge->links;

	if (edge->state == state)
		return;
	edge_note_change(edge, state);
	edge->state = state;
	edge->since = clock_mono();
	edges_publish(links);
	pthread_mutex_lock(&links->watch_lock);
	if (links->on_change != NULL)
		links->on_change(
		    links->on_change_arg, edge->peer, state, edge->error);
	pthread_mutex_unlock(&links->watch_lock);
}

/* --- dialling ----------------------------------------------------------- */

/* Addresses that were not tried are tried no more. */
static void
edge_forget_found(struct edge *edge)
{
	edge->found.count = 0;
	edge->tried = 0;
}

void
edge_rest(struct edge *edge)
{
	resolver_cancel(edge->lookup);
	edge->lookup = NULL;
	edge->awaits_lookup = false;
	edge_forget_found(edge);
	edge->retry_at = (struct mono){ 0 };
	if (edge->redial != NULL)
		event_del(edge->redial);
}

static void
edge_wake_in(struct edge *edge, uint64_t wait_ns)
{
	const struct timeval wait = {
		(time_t)(wait_ns / HERD_NS_PER_S),
		(suseconds_t)(wait_ns % HERD_NS_PER_S / 1000),
	};

	event_add(edge->redial, &wait);
}

static void
edge_redial_in(struct edge *edge, uint64_t wait_ns)
{
	edge->retry_at = mono_add(clock_mono(), wait_ns);
	edge_wake_in(edge, wait_ns);
}

static void
edge_note_error(struct edge *edge, const char *error)
{
	snprintf(edge->error, sizeof(edge->error), "%s", error);
	edge->error_at = clock_mono();
}

static const char *
edge_next_text(const struct edge *edge, enum session_reason reason)
{
	if (edge->leaving)
		return "the herd file has no such link any more";
	if (!edge->enabled)
		return "waiting for an operator to enable it";
	if (!edge->dials)
		return "waiting for the peer to dial";
	if (session_reason_is_slow(reason))
		return "an operator must mend it; dialling again in 30 s";
	if (session_reason_is_refusal(reason))
		return "compare the key_file of both nodes, and see who "
		       "listens at that address; dialling again with backoff";
	return "dialling again with backoff";
}

/* One line per new reason; the same again and again is for debugging. */
static void
edge_log_down(struct edge *edge, enum session_reason reason, const char *error,
    const char *next, bool was_up)
{
	struct node *node = edge->links->node;
	bool repeated = !was_up && strcmp(edge->logged, error) == 0;

	snprintf(edge->logged, sizeof(edge->logged), "%s", error);
	LOG(node->log, repeated ? LOG_DEBUG : LOG_WARN, "link-down",
	    log_text("peer", edge->peer),
	    log_text("reason", session_reason_word(reason)),
	    log_text("error", error), log_text("next", next));
}

/*
 * The peer is to dial, and does so at least every redial_max if it is up and
 * its herd file has this link: later than that is worth a word.
 */
static void
edge_await(struct edge *edge, enum link_state state)
{
	uint64_t patience = 2 * edge->links->redial_max_ns;

	edge_set_state(edge, state);
	edge_wake_in(edge, patience > LINK_AWAIT_NS ? patience : LINK_AWAIT_NS);
}

static void
edge_say_awaited(struct edge *edge)
{
	char next[LOG_FIELD_MAX];

	if (edge->error[0] == '\0') {
		edge_note_error(edge, "the peer has not dialled yet");
		edges_publish(edge->links);
	}
	snprintf(next, sizeof(next),
	    "see whether %s is up, and whether its herd file has this link "
	    "and the same dial",
	    edge->peer);
	LOG(edge->links->node->log, LOG_WARN, "link-awaited",
	    log_text("peer", edge->peer), log_text("error", edge->error),
	    log_text("next", next));
}

static void
edge_retry(struct edge *edge, enum session_reason reason)
{
	bool refused = session_reason_is_refusal(reason);

	if (edge->links->stopping)
		return;
	if (!edge->dials) {
		edge_await(edge, refused ? LINK_REFUSED : LINK_WAITING);
		return;
	}
	edge_redial_in(
	    edge, session_reason_is_slow(reason)
		      ? BACKOFF_REFUSED_NS
		      : backoff_next(&edge->backoff, links_random()));
	edge_set_state(edge, refused ? LINK_REFUSED : LINK_BACKOFF);
}

/* Nothing came of dialling, as noted; it will be tried again. */
static void
edge_fail(struct edge *edge, const char *next)
{
	edge_retry(edge, BYE_NONE);
	edge_log_down(edge, BYE_NONE, edge->error,
	    next == NULL ? edge_next_text(edge, BYE_NONE) : next, false);
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
	    edge->peer);
	edge_note_error(edge, error);
	edge_fail(edge, next);
}

/* What is dialled: where a name has led, or what the herd file says. */
static void
edge_dialled_text(const struct edge *edge, const struct endpoint *endpoint,
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
edge_note_address_error(
    struct edge *edge, const char *address, const char *error)
{
	char text[SESSION_ERROR_MAX];

	if (edge->found.count < 2) {
		edge_note_error(edge, error);
		return;
	}
	snprintf(text, sizeof(text), "%s: %.80s (address %u of %u of %.40s)",
	    address, error, edge->tried, edge->found.count, edge->address.host);
	edge_note_error(edge, text);
}

/* Dials the next of its addresses; when all have failed it is for later. */
static void
edge_dial_next(struct edge *edge)
{
	while (edge->tried < edge->found.count) {
		const struct endpoint *endpoint =
		    &edge->found.list[edge->tried++];
		char address[SOCKET_PEER_MAX];
		uint64_t key = 0;
		int fd;

		edge_dialled_text(edge, endpoint, address);
		if (socket_dial(endpoint, &fd) != HERD_OK) {
			edge_note_address_error(edge, address, strerror(errno));
			continue;
		}
		(void)address_key(&endpoint->addr, &key);
		edge->dialling = conn_open(edge->links, edge, fd, address, key);
		if (edge->dialling != NULL)
			return;
		edge_note_error(edge, "out of memory");
		break;
	}
	edge_forget_found(edge);
	edge_fail(edge, NULL);
}

/* The name has been looked up, be it after the deadline. */
static void
on_found(void *arg, const struct endpoints *found, const char *error)
{
	struct edge *edge = arg;

	edge->lookup = NULL;
	edge_rest(edge);
	if (error != NULL) {
		edge_fail_lookup(edge, error);
		return;
	}
	edge->found = *found;
	edge_set_state(edge, LINK_CONNECTING);
	edge_dial_next(edge);
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
	edge->awaits_lookup = true;
	edge_wake_in(edge, LINK_OPEN_NS);
}

static void
edge_dial(struct edge *edge)
{
	edge->retry_at = (struct mono){ 0 };
	edge_set_state(edge, LINK_CONNECTING);
	edge_forget_found(edge);
	if (resolver_numeric(&edge->address, &edge->found) == HERD_OK)
		edge_dial_next(edge);
	else
		edge_look_up(edge);
}

static void
on_redial(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	struct edge *edge = arg;

	pulse_begin("link-dial");
	if (edge->awaits_lookup) {
		edge->awaits_lookup = false;
		edge_fail_lookup(edge, "no answer in 5 s");
	} else if (edge->dials) {
		edge_dial(edge);
	} else {
		edge_say_awaited(edge);
	}
	pulse_end();
}

/* --- life --------------------------------------------------------------- */

void
edge_start(struct edge *edge)
{
	if (edge->redial == NULL)
		edge->redial = evtimer_new(edge->links->base, on_redial, edge);
	if (edge->redial == NULL || !edge->enabled)
		return;
	backoff_init(&edge->backoff, edge->links->redial_max_ns);
	if (!edge->dials) {
		edge_await(edge, LINK_WAITING);
		return;
	}
	edge_set_state(edge, LINK_WAITING);
	edge_dial(edge);
}

static void
edge_hang_up(struct edge *edge, enum session_reason reason, const char *text)
{
	edge_rest(edge);
	if (edge->dialling != NULL)
		conn_end(edge->dialling, reason, text);
	if (edge->conn != NULL)
		conn_end(edge->conn, reason, text);
	/* What has just been lost is not to be dialled again. */
	edge_rest(edge);
}

void
edge_end(struct edge *edge, enum session_reason reason)
{
	edge->leaving = true;
	edge->dials = false;
	edge_hang_up(edge, reason, "the link has left the herd file");
	if (edge->redial != NULL)
		event_free(edge->redial);
	memset(&edge->past, 0, sizeof(edge->past));
	edge->redial = NULL;
	edge->used = false;
	edges_publish(edge->links);
}

static void
stats_add(struct session_stats *sum, const struct session_stats *stats)
{
	sum->sent += stats->sent;
	sum->received += stats->received;
	sum->accepted += stats->accepted;
	sum->stale += stats->stale;
	sum->repaired += stats->repaired;
	sum->exchanges += stats->exchanges;
	sum->sent_bytes += stats->sent_bytes;
	sum->received_bytes += stats->received_bytes;
	sum->exchange_bytes += stats->exchange_bytes;
	sum->acked += stats->acked;
}

/* Refused by whom was meant: another of its addresses would refuse as well. */
static bool
is_from_the_peer(enum session_reason reason)
{
	return session_reason_is_refusal(reason) && reason != BYE_WRONG_NODE &&
	       reason != BYE_WRONG_HERD;
}

void
edge_on_lost(struct edge *edge, const struct conn *conn,
    enum session_reason reason, const char *error)
{
	bool was_current = edge->conn == conn;
	bool was_dialling = edge->dialling == conn;
	bool was_up = conn->up;

	if (conn->has_session)
		stats_add(&edge->past, &conn->session.stats);
	if (was_dialling)
		edge->dialling = NULL;
	if (was_current)
		edge->conn = NULL;
	/* What a newer connection replaced is no news. */
	if (edge->conn != NULL)
		return;
	if (was_up && edge->links->node->traffic != NULL)
		traffic_note(edge->links->node->traffic, "link-down",
		    edge->peer, span_from(error));
	if (edge->links->stopping)
		return;
	if (was_dialling)
		edge_note_address_error(edge, conn->peer, error);
	else
		edge_note_error(edge, error);
	if (was_up && mono_since(clock_mono(), conn->up_at) >= BACKOFF_RESET_NS)
		backoff_reset(&edge->backoff);
	if (!edge->enabled) {
		edge_set_state(edge, LINK_DISABLED);
		if (was_up)
			edge_log_down(edge, reason, edge->error,
			    edge_next_text(edge, reason), true);
	} else if (was_dialling && !is_from_the_peer(reason) &&
		   edge->tried < edge->found.count) {
		edge_dial_next(edge);
	} else if (edge->used) {
		edge_forget_found(edge);
		edge_retry(edge, reason);
		edge_log_down(edge, reason, edge->error,
		    edge_next_text(edge, reason), was_up);
	}
}

void
edge_adopt(struct edge *edge, struct conn *conn)
{
	struct conn *old = edge->conn;

	if (edge->dialling == conn)
		edge->dialling = NULL;
	edge->conn = conn;
	edge->connects++;
	if (old != NULL)
		conn_end(old, BYE_REPLACED, "a newer connection came");
	if (edge->dialling != NULL)
		conn_end(edge->dialling, BYE_REPLACED,
		    "another connection came first");
	edge_rest(edge);
	edge_set_state(edge, LINK_COMPARING);
}

void
edge_command(struct edge *edge, enum link_verb verb)
{
	switch (verb) {
	case LINK_ENABLE:
		if (!edge->enabled) {
			edge->enabled = true;
			edge_start(edge);
		}
		break;
	case LINK_DISABLE:
		edge->enabled = false;
		edge_hang_up(edge, BYE_DISABLED, "disabled by an operator");
		edge_set_state(edge, LINK_DISABLED);
		break;
	case LINK_RECONNECT:
		edge_hang_up(edge, BYE_STOP, "an operator asks to reconnect");
		if (edge->enabled)
			edge_start(edge);
		break;
	}
}

/* --- what others see ---------------------------------------------------- */

static void
edge_status(const struct edge *edge, struct link_status *out)
{
	*out = (struct link_status){
		.address = edge->address,
		.state = edge->state,
		.since = edge->since,
		.dials = edge->dials,
		.enabled = edge->enabled,
		.tls = edge->links->tls != NULL,
		.line = edge->line,
		.column = edge->column,
		.rtt_ns = -1,
		.connects = edge->connects,
		.stats = edge->past,
		.error_at = edge->error_at,
		.retry_at = edge->retry_at,
	};
	memcpy(out->peer, edge->peer, sizeof(out->peer));
	memcpy(out->error, edge->error, sizeof(out->error));
	if (edge->conn != NULL) {
		const struct session *session = &edge->conn->session;

		out->rtt_ns = session->rtt_ns;
		out->clock_ns = session->clock_ns;
		out->clock_known = session->clock_known;
		out->owed = session_owed(session);
		out->lag_ns = session_lag_ns(session, clock_mono());
		out->verified = session->synced_at;
		stats_add(&out->stats, &session->stats);
	}
}

void
edges_publish(struct links *links)
{
	unsigned count = 0;

	pthread_mutex_lock(&links->lock);
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (!links->edges[i].used)
			continue;
		edge_status(&links->edges[i], &links->published[count]);
		links->published_number[count] = links->edges[i].number;
		links->published_index[count++] = i;
	}
	links->published_count = count;
	links->published_half_open = links->half_open.count;
	pthread_mutex_unlock(&links->lock);
}
