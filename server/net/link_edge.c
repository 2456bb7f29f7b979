/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configured neighbour: when to dial, what became of it. */
#include <errno.h>
#include <stdio.h>

#include "clock.h"
#include "net/link.h"
#include "pulse.h"
#include "traffic.h"

static void edge_dial(struct edge *edge);

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

static void
on_redial(evutil_socket_t fd HERD_UNUSED, short what HERD_UNUSED, void *arg)
{
	pulse_begin("link-dial");
	edge_dial(arg);
	pulse_end();
}

static void
edge_redial_in(struct edge *edge, uint64_t wait_ns)
{
	const struct timeval wait = {
		(time_t)(wait_ns / HERD_NS_PER_S),
		(suseconds_t)(wait_ns % HERD_NS_PER_S / 1000),
	};

	edge->retry_at = mono_add(clock_mono(), wait_ns);
	event_add(edge->redial, &wait);
}

static void
edge_note_error(struct edge *edge, const char *error)
{
	snprintf(edge->error, sizeof(edge->error), "%s", error);
	edge->error_at = clock_mono();
}

/* One line per new reason; the same again and again is for debugging. */
static void
edge_log_down(struct edge *edge, enum session_reason reason, const char *error,
    bool was_up)
{
	struct node *node = edge->links->node;
	bool repeated = !was_up && strcmp(edge->logged, error) == 0;

	snprintf(edge->logged, sizeof(edge->logged), "%s", error);
	LOG(node->log, repeated ? LOG_DEBUG : LOG_WARN, "link-down",
	    log_text("peer", edge->peer),
	    log_text("reason", session_reason_word(reason)),
	    log_text("error", error),
	    log_text(
		"next", !edge->dials ? "waiting for the peer to dial"
			: edge->state == LINK_REFUSED
			    ? "an operator must mend it; dialling again in 30 s"
			    : "dialling again with backoff"));
	if (was_up && node->traffic != NULL)
		traffic_note(
		    node->traffic, "link-down", edge->peer, span_from(error));
}

static void
edge_retry(struct edge *edge, enum session_reason reason)
{
	bool refused = session_reason_is_refusal(reason);

	if (edge->links->stopping)
		return;
	if (!edge->dials) {
		edge_set_state(edge, refused ? LINK_REFUSED : LINK_WAITING);
		return;
	}
	edge_redial_in(
	    edge, refused ? BACKOFF_REFUSED_NS
			  : backoff_next(&edge->backoff, links_random()));
	edge_set_state(edge, refused ? LINK_REFUSED : LINK_BACKOFF);
}

static void
edge_dial(struct edge *edge)
{
	char text[ADDRESS_HOST_MAX + 16];
	struct buf peer;
	int fd;

	edge->retry_at = (struct mono){ 0 };
	edge_set_state(edge, LINK_CONNECTING);
	buf_init(&peer, sizeof(text));
	snprintf(text, sizeof(text), "%s", edge->peer);
	if (address_format(&peer, &edge->address) == HERD_OK)
		snprintf(
		    text, sizeof(text), SPAN_FMT, SPAN_ARG(buf_span(&peer)));
	buf_release(&peer);
	if (socket_dial(&edge->address, &fd) != HERD_OK) {
		const char *error = strerror(errno);

		edge_note_error(edge, error);
		edge_log_down(edge, BYE_NONE, error, false);
		edge_retry(edge, BYE_NONE);
		return;
	}
	edge->dialling = conn_open(edge->links, edge, fd, text);
	if (edge->dialling == NULL) {
		edge_note_error(edge, "out of memory");
		edge_retry(edge, BYE_NONE);
	}
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
	edge_set_state(edge, LINK_WAITING);
	if (edge->dials)
		edge_dial(edge);
}

static void
edge_hang_up(struct edge *edge, enum session_reason reason, const char *text)
{
	if (edge->redial != NULL)
		event_del(edge->redial);
	edge->retry_at = (struct mono){ 0 };
	if (edge->dialling != NULL)
		conn_end(edge->dialling, reason, text);
	if (edge->conn != NULL)
		conn_end(edge->conn, reason, text);
	if (edge->redial != NULL)
		event_del(edge->redial);
}

void
edge_end(struct edge *edge, enum session_reason reason)
{
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

void
edge_on_lost(struct edge *edge, const struct conn *conn,
    enum session_reason reason, const char *error)
{
	bool was_current = edge->conn == conn;
	bool was_up = conn->up;

	if (conn->has_session)
		stats_add(&edge->past, &conn->session.stats);
	if (edge->dialling == conn)
		edge->dialling = NULL;
	if (was_current)
		edge->conn = NULL;
	/* What a newer connection replaced is no news. */
	if (edge->conn != NULL || edge->links->stopping)
		return;
	edge_note_error(edge, error);
	if (was_up && mono_since(clock_mono(), conn->session.synced_at) >=
			  BACKOFF_RESET_NS)
		backoff_reset(&edge->backoff);
	if (!edge->enabled) {
		edge_set_state(edge, LINK_DISABLED);
	} else if (edge->used) {
		edge_retry(edge, reason);
		edge_log_down(edge, reason, error, was_up);
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
	if (edge->redial != NULL)
		event_del(edge->redial);
	edge->retry_at = (struct mono){ 0 };
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
	case LINK_VERIFY:
		if (edge->conn != NULL) {
			session_verify(&edge->conn->session, clock_mono());
			conn_settle(edge->conn);
		}
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
		links->published_index[count++] = i;
	}
	links->published_count = count;
	pthread_mutex_unlock(&links->lock);
}
