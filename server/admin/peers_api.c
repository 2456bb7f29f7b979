/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The links: /v1/peers. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "net/peering.h"

#define PEER_SEGMENT 2 /* of /v1/peers/NAME */

/* --- a link's row ----------------------------------------------------- */

/* Seconds since `at`, null if that never was. */
static void
add_age(struct json *json, const char *key, struct mono at, struct mono now)
{
	if (at.ns == 0)
		json_null(json, key);
	else
		json_seconds(json, key, mono_since(now, at));
}

static void
add_times(struct json *json, const struct link_status *link)
{
	if (link->rtt_ns < 0)
		json_null(json, "rtt_ms");
	else
		json_ms(json, "rtt_ms", (uint64_t)link->rtt_ns);
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
	if (link_is_up(link))
		json_ms(json, "lag_ms", link->lag_ns);
	else
		json_null(json, "lag_ms");
	json_count(json, "repaired", link->stats.repaired);
	json_count(json, "restored", link->stats.restored);
	json_count(json, "exchanges", link->stats.exchanges);
	json_count(json, "connects", link->connects);
	json_count(json, "twins", link->twins);
	json_count(json, "sent_bytes", link->stats.sent_bytes);
	json_count(json, "received_bytes", link->stats.received_bytes);
}

static void
add_error(struct json *json, const struct link_status *link, struct mono now)
{
	if (link->error[0] == '\0') {
		json_null(json, "last_error");
		json_null(json, "last_error_s");
	} else {
		json_word(json, "last_error", link->error);
		add_age(json, "last_error_s", link->error_at, now);
	}
	if (link->retry_at.ns == 0)
		json_null(json, "retry_in_s");
	else
		json_seconds(
		    json, "retry_in_s", mono_since(link->retry_at, now));
}

static void
add_place_in_file(struct json *json, const struct link_status *link)
{
	if (link->line == 0) {
		json_null(json, "file_line");
		json_null(json, "file_column");
		return;
	}
	json_count(json, "file_line", link->line);
	json_count(json, "file_column", link->column);
}

static void
row_peer(struct json *json, const struct link_status *link, struct mono now)
{
	json_word(json, "peer", link->peer);
	json_word(json, "state", link_state_word(link->state));
	add_age(json, "since_s", link->since, now);
	row_address(json, "address", &link->address);
	json_word(json, "direction", link->dials ? "dial" : "accept");
	if (link_is_up(link))
		json_word(json, "security", link->tls ? "tls" : "plaintext");
	else
		json_null(json, "security");
	json_bool(json, "enabled", link->enabled);
	add_times(json, link);
	add_counters(json, link);
	add_error(json, link, now);
	add_age(json, "verified_s", link->verified, now);
	add_place_in_file(json, link);
}

static void
add_time(struct json *json, const char *key, struct wall at)
{
	char text[TIME_FORMAT_MAX];

	json_text(json, key, span_of(text, time_format(at.ns, text)));
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
		add_time(json, "at", change->at);
		json_word(json, "state", link_state_word(change->state));
		if (change->error[0] == '\0')
			json_null(json, "error");
		else
			json_word(json, "error", change->error);
		json_count(json, "times", change->times);
		add_time(json, "last", change->last);
		json_object_end(json);
	}
	json_array_end(json);
}

/* --- reading ---------------------------------------------------------- */

void
name_giver(struct node *node, uint32_t from, char out[GIVER_MAX])
{
	out[0] = '\0';
	if (from == FROM_CLIENT)
		snprintf(out, GIVER_MAX, "client");
	else if (from != FROM_NOBODY)
		peering_name_of(node->peering, from, out);
	else if (node->store != NULL)
		snprintf(out, GIVER_MAX,
		    "store"); /* records of nobody come from the store */
}

static bool
find_peer(struct http_call *call, struct link_status *out)
{
	struct link_status *links = malloc(LINKS_MAX * sizeof(*links));
	struct span name = call->query.segments[PEER_SEGMENT];
	bool found = false;
	unsigned count;

	if (links == NULL)
		return false;
	count = peering_status(call->node->peering, links);
	for (unsigned i = 0; i < count && !found; i++) {
		found = span_is(name, links[i].peer);
		if (found)
			*out = links[i];
	}
	free(links);
	return found;
}

static void
fail_no_peer(struct http_call *call)
{
	http_call_fail(call, ADMIN_NOT_FOUND, "GET /v1/peers lists the links",
	    "node %s has no link of that name", call->node->name);
}

static void
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

const struct route route_peers = {
	.method = ROUTE_GET,
	.path = "/v1/peers",
	.access = ROUTE_READ,
	.serve = serve_peers,
	.help = "all links",
};

static void
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

const struct route route_peer = {
	.method = ROUTE_GET,
	.path = "/v1/peers/*",
	.access = ROUTE_READ,
	.serve = serve_peer,
	.help = "one link",
};

/* --- orders ----------------------------------------------------------- */

/* An order to the links thread; outlives its call. */
struct peer_job {
	struct message message;
	struct admin *admin;
	struct http_call *call; /* NULL: the client has left */
};

static void
on_gone(struct http_call *call)
{
	struct peer_job *job = call->job;

	job->call = NULL;
}

static void
on_done_here(struct message *message)
{
	struct peer_job *job = (struct peer_job *)message;

	if (job->call != NULL) {
		job->call->on_gone = NULL;
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
		call->job = job;
		error = peering_command(
		    call->node->peering, peer, verb, on_done, job);
	}
	if (error == HERD_OK) {
		call->on_gone = on_gone;
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

static void
serve_peer_enable(struct http_call *call)
{
	command(call, LINK_ENABLE);
}

const struct route route_peer_enable = {
	.method = ROUTE_POST,
	.path = "/v1/peers/*/enable",
	.access = ROUTE_WRITE,
	.verb = "peer-enable",
	.serve = serve_peer_enable,
	.help = "use the link again",
};

static void
serve_peer_disable(struct http_call *call)
{
	command(call, LINK_DISABLE);
}

const struct route route_peer_disable = {
	.method = ROUTE_POST,
	.path = "/v1/peers/*/disable",
	.access = ROUTE_WRITE,
	.verb = "peer-disable",
	.serve = serve_peer_disable,
	.help = "close the link until it is enabled",
};

static void
serve_peer_reconnect(struct http_call *call)
{
	command(call, LINK_RECONNECT);
}

const struct route route_peer_reconnect = {
	.method = ROUTE_POST,
	.path = "/v1/peers/*/reconnect",
	.access = ROUTE_WRITE,
	.verb = "peer-reconnect",
	.serve = serve_peer_reconnect,
	.help = "close the link and connect again",
};
