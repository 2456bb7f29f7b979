/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which reports were refused, and how many requests by reason: /v1/refused. It
 * is not below /v1/clients, because any name there may be a client's.
 */
#include <stdlib.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/rows.h"
#include "net/socket.h"
#include "net/worker_pool.h"
#include "phones/phones.h"

static void
add_refused(struct json *json, const struct refused *refused)
{
	char peer[SOCKET_PEER_MAX];

	json_object(json, NULL);
	row_client_id(json, refused_client(refused));
	json_bool(json, "cut", refused->client_len > REFUSED_CLIENT_MAX);
	json_word(json, "reason", refusal_word(refused->why));
	json_count(json, "times", refused->times);
	socket_peer_text(&refused->peer, peer);
	json_word(json, "address", peer);
	row_time(json, "at", refused->at.ns);
	json_object_end(json);
}

static void
add_counts(struct http_call *call, struct json *json)
{
	struct worker_pool_counts counts;

	json_object(json, "requests");
	worker_pool_count(call->node->workers, &counts);
	for (unsigned i = 0; i < REFUSAL_COUNT; i++)
		json_count(json, refusal_word((enum refusal)i),
		    counts.requests_refused[i]);
	json_object_end(json);
}

void
serve_refused(struct http_call *call)
{
	struct refused *refused = calloc(REFUSED_MAX, sizeof(*refused));
	struct json *json = http_call_answer(call);
	unsigned count;

	if (refused == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	count = worker_pool_refused(call->node->workers, refused);
	phones_refused(call->node->phones, refused, &count);
	json_word(json, "schema", "herd.refused/1");
	json_word(json, "node", call->node->name);
	add_counts(call, json);
	json_array(json, "refused");
	for (unsigned i = 0; i < count; i++)
		add_refused(json, &refused[i]);
	json_array_end(json);
	http_call_json(call);
	free(refused);
}
