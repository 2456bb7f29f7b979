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
#include "net/workers.h"

static void
add_refused(struct json *json, cJSON *list, const struct refused *refused)
{
	cJSON *row = json_object(json, list, NULL);
	char at[TIME_FORMAT_MAX];
	char peer[SOCKET_PEER_MAX];

	row_client_id(json, row, refused_client(refused));
	json_bool(json, row, "cut", refused->client_len > REFUSED_CLIENT_MAX);
	json_string(json, row, "reason", refusal_word(refused->why));
	json_count(json, row, "times", refused->times);
	socket_peer_text(&refused->peer, peer);
	json_string(json, row, "address", peer);
	json_span(
	    json, row, "at", span_of(at, time_format(refused->at.ns, at)));
}

static void
add_counts(struct http_call *call, struct json *json)
{
	cJSON *object = json_object(json, json->root, "requests");
	struct workers_counts counts;

	workers_count(call->node->workers, &counts);
	for (unsigned i = 0; i < REFUSAL_COUNT; i++)
		json_count(json, object, refusal_word((enum refusal)i),
		    counts.requests_refused[i]);
}

static void
serve_refused(struct http_call *call)
{
	struct refused *refused = calloc(REFUSED_MAX, sizeof(*refused));
	struct json json;
	unsigned count;
	cJSON *list;

	if (refused == NULL) {
		http_call_out_of_memory(call);
		return;
	}
	count = workers_refused(call->node->workers, refused);
	json_init(&json);
	json_string(&json, json.root, "schema", "herd.refused/1");
	json_string(&json, json.root, "node", call->node->name);
	add_counts(call, &json);
	list = json_array(&json, json.root, "refused");
	for (unsigned i = 0; i < count; i++)
		add_refused(&json, list, &refused[i]);
	http_call_json(call, &json);
	free(refused);
}

const struct route route_refused = {
	.method = ROUTE_GET,
	.path = "/v1/refused",
	.access = ROUTE_READ,
	.serve = serve_refused,
	.help = "reports refused last, and requests refused by reason",
};
