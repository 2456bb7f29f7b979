/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The links: /v1/peers. */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "net/peering.h"

#define PEER_SEGMENT 2 /* of /v1/peers/NAME */

/* --- a link's row ----------------------------------------------------- */

static void
add_times(struct json *json, const struct link_status *link)
{
	row_ms(json, "rtt_ms", link->rtt_ns >= 0, (uint64_t)link->rtt_ns);
	if (!link->clock_known)
		json_null(json, "clock_ms");
	else
		json_number(json, "clock_ms", (double)link->clock_ns / 1e6);
}

static void
add_counters(struct json *json, const struct link_status *link)
{
	json_count(json, "sent", link->stats.sent);
	json_count(json, "received", link->stats.received);
	json_count(json, "stale", link->stats.stale);
	json_count(json, "owed", link->owed);
	row_ms(json, "lag_ms", link_is_up(link), link->lag_ns);
	json_count(json, "repaired", link->stats.repaired);
	json_count(json, "restored", link->stats.restored);
	json_count(json, "caught_up", link->stats.caught_up);
	json_count(json, "exchanges", link->stats.exchanges);
	json_count(json, "connects", link->connects);
	json_count(json, "twins", link->twins);
	json_count(json, "sent_bytes", link->stats.sent_bytes);
	json_count(json, "received_bytes", link->stats.received_bytes);
}

static void
row_peer(struct json *json, const struct link_status *link, struct mono now)
{
	json_word(json, "peer", link->peer);
	json_word(json, "state", link_state_word(link->state));
	row_seconds(json, "since_s", link->since, now);
	row_address(json, "address", &link->address);
	json_word(json, "direction", link->dials ? "dial" : "accept");
	row_word(json, "security",
	    !link_is_up(link) ? ""
	    : link->tls       ? "tls"
			      : "plaintext");
	row_word(json, "key", link->key);
	json_bool(json, "enabled", link->enabled);
	row_word(json, "flood",
	    link->state != LINK_SYNCED ? ""
	    : link->eager              ? "eager"
	    : link->resting            ? "resting"
				       : "awake");
	add_times(json, link);
	add_counters(json, link);
	row_word(json, "last_error", link->error);
	row_seconds(json, "last_error_s", link->error_at, now);
	row_seconds(json, "retry_in_s", now, link->retry_at);
	row_seconds(json, "verified_s", link->verified, now);
	row_count(json, "file_line", link->line != 0, link->line);
	row_count(json, "file_column", link->line != 0, link->column);
}

static void
add_history(struct json *json, struct http_call *call, const char *peer)
{
	struct link_change changes[LINK_CHANGES_MAX];
	unsigned count =
	    peering_changes(call->node->peering, span_from(peer), changes);

	json_array(json, "history");
	for (unsigned i = 0; i < count; i++) {
		const struct link_change *change = &changes[i];

		json_object(json, NULL);
		row_time(json, "at", change->at.ns);
		json_word(json, "state", link_state_word(change->state));
		row_word(json, "error", change->error);
		json_count(json, "times", change->times);
		row_time(json, "last", change->last.ns);
		json_object_end(json);
	}
	json_array_end(json);
}

/* --- reading ---------------------------------------------------------- */

static bool
find_peer(const struct http_call *call, struct link_status *out)
{
	return peering_find(
	    call->node->peering, call->query.segments[PEER_SEGMENT], out);
}

static void
fail_no_peer(struct http_call *call)
{
	http_call_fail(call, ADMIN_NOT_FOUND, "GET /v1/peers lists the links",
	    "node %s has no link of that name", call->node->name);
}

void
serve_peers(struct http_call *call)
{
	struct link_status *links = malloc(LINKS_MAX * sizeof(*links));
	struct mono now = clock_mono();
	struct json *json = http_call_answer(call);
	unsigned count;

	if (links == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	count = peering_status(call->node->peering, links);
	json_word(json, "schema", "herd.peers/1");
	json_word(json, "node", call->node->name);
	json_array(json, "peers");
	for (unsigned i = 0; i < count; i++) {
		json_object(json, NULL);
		row_peer(json, &links[i], now);
		json_object_end(json);
	}
	json_array_end(json);
	json_null(json, "next");
	free(links);
	http_call_json(call);
}

void
serve_peer(struct http_call *call)
{
	struct link_status link;
	struct json *json = http_call_answer(call);

	if (!find_peer(call, &link)) {
		fail_no_peer(call);
		return;
	}
	row_peer(json, &link, clock_mono());
	add_history(json, call, link.peer);
	http_call_json(call);
}

/* --- orders ----------------------------------------------------------- */

/* An order to the links thread; outlives its call. */
struct peer_job {
	struct message message;
	struct admin *admin;
	struct http_call *call; /* NULL: the client has left */
};

static void
on_gone(void *arg)
{
	struct peer_job *job = arg;

	job->call = NULL;
}

static void
on_done_here(struct message *message)
{
	struct peer_job *job = (struct peer_job *)message;

	if (job->call != NULL) {
		http_call_keep(job->call, NULL, NULL);
		serve_peer(job->call);
	}
	free(job);
}

/* In the links thread. */
static void
on_done(void *arg)
{
	struct peer_job *job = arg;

	mailbox_post(&job->admin->mailbox, &job->message);
}

static void
command(struct http_call *call, enum link_verb verb)
{
	struct span peer = call->query.segments[PEER_SEGMENT];
	struct peer_job *job = calloc(1, sizeof(*job));
	struct link_status link;
	enum herd_error error = HERD_ENOMEM;

	if (job != NULL) {
		job->message.run = on_done_here;
		job->admin = call->admin;
		job->call = call;
		error = peering_command(
		    call->node->peering, peer, verb, on_done, job);
	}
	if (error == HERD_OK) {
		http_call_keep(call, job, on_gone);
		if (find_peer(call, &link))
			http_call_log(call, link.peer);
		return;
	}
	free(job);
	if (error == HERD_ENOTFOUND)
		fail_no_peer(call);
	else
		http_call_out_of_memory(call);
}

void
serve_peer_enable(struct http_call *call)
{
	command(call, LINK_ENABLE);
}

void
serve_peer_disable(struct http_call *call)
{
	command(call, LINK_DISABLE);
}

void
serve_peer_reconnect(struct http_call *call)
{
	command(call, LINK_RECONNECT);
}
