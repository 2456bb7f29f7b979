/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/routes.h"

#include <stdio.h>

#include "admin/admin_room.h"

static const struct route ROUTES[] = {
	{ ROUTE_GET, "/v1", ROUTE_READ, NULL, "", serve_index,
	    "this list of endpoints" },
	{ ROUTE_GET, "/v1/status", ROUTE_READ, NULL, "", serve_status,
	    "the node at a glance" },
	{ ROUTE_GET, "/v1/node", ROUTE_READ, NULL, "", serve_node,
	    "name, version, state, addresses, memory" },
	{ ROUTE_GET, "/v1/peers", ROUTE_READ, NULL, "", serve_peers,
	    "all links" },
	{ ROUTE_GET, "/v1/peers/*", ROUTE_READ, NULL, "", serve_peer,
	    "one link" },
	{ ROUTE_POST, "/v1/peers/*/enable", ROUTE_WRITE, "peer-enable", "",
	    serve_peer_enable, "use the link again" },
	{ ROUTE_POST, "/v1/peers/*/disable", ROUTE_WRITE, "peer-disable", "",
	    serve_peer_disable, "close the link until it is enabled" },
	{ ROUTE_POST, "/v1/peers/*/reconnect", ROUTE_WRITE, "peer-reconnect",
	    "", serve_peer_reconnect, "close the link and connect anew" },
	{ ROUTE_GET, "/v1/clients", ROUTE_READ, NULL,
	    "prefix near km sort limit after count", serve_clients,
	    "clients, a page at a time, or their count" },
	{ ROUTE_GET, "/v1/clients/*", ROUTE_READ, NULL, "removed", serve_client,
	    "one client" },
	{ ROUTE_DELETE, "/v1/clients/*", ROUTE_WRITE, "forget", "",
	    serve_client_forget, "make the herd forget a client" },
	{ ROUTE_GET, "/v1/refused", ROUTE_READ, NULL, "", serve_refused,
	    "reports refused last, and requests refused by reason" },
	{ ROUTE_GET, "/v1/digest", ROUTE_READ, NULL, "key leaves after",
	    serve_digest, "hashes of the whole table" },
	{ ROUTE_GET, "/v1/digest/*", ROUTE_READ, NULL, "key leaves after",
	    serve_digest, "hashes of a part, or the clients of a leaf" },
	{ ROUTE_GET, "/v1/config", ROUTE_READ, NULL, "text", serve_config,
	    "the running configuration" },
	{ ROUTE_POST, "/v1/config/reload", ROUTE_WRITE, "reload", "",
	    serve_config_reload, "read the herd file again" },
	{ ROUTE_GET, "/v1/places", ROUTE_READ, NULL, "", serve_places,
	    "the providers of places" },
	{ ROUTE_POST, "/v1/places/test", ROUTE_WRITE, "places-test",
	    "near km max", serve_places_test, "ask a provider once" },
	{ ROUTE_DELETE, "/v1/places/cache", ROUTE_WRITE, "places-flush", "",
	    serve_places_flush, "forget the answers that are cached" },
	{ ROUTE_GET, "/v1/events", ROUTE_READ, NULL, "type client",
	    serve_events, "what happens, as JSON lines without end" },
	{ ROUTE_GET, "/v1/log", ROUTE_READ, NULL, "n follow", serve_log,
	    "the last lines of the log" },
	{ ROUTE_GET, "/v1/log/level", ROUTE_READ, NULL, "", serve_log_level,
	    "the log level" },
	{ ROUTE_PUT, "/v1/log/level", ROUTE_WRITE, "log-level", "",
	    serve_log_level_set, "set the log level, for a time or for good" },
	{ ROUTE_POST, "/v1/drain", ROUTE_WRITE, "drain", "", serve_drain,
	    "refuse new clients, say not ready" },
	{ ROUTE_POST, "/v1/undrain", ROUTE_WRITE, "undrain", "", serve_undrain,
	    "take new clients again" },
	{ ROUTE_POST, "/v1/stop", ROUTE_WRITE, "stop", "", serve_stop,
	    "stop the node" },
	{ ROUTE_GET, "/metrics", ROUTE_READ, NULL, "", serve_metrics,
	    "metrics in Prometheus' text format" },
	{ ROUTE_HEAD, "/metrics", ROUTE_READ, NULL, "", serve_metrics,
	    "the same without the text" },
	{ ROUTE_GET, "/healthz", ROUTE_OPEN, NULL, "", serve_healthz,
	    "200 while the process serves" },
	{ ROUTE_HEAD, "/healthz", ROUTE_OPEN, NULL, "", serve_healthz,
	    "the same without the text" },
	{ ROUTE_GET, "/readyz", ROUTE_OPEN, NULL, "", serve_readyz,
	    "200 when the node is ready for clients, else 503" },
	{ ROUTE_HEAD, "/readyz", ROUTE_OPEN, NULL, "", serve_readyz,
	    "the same without the text" },
};

const struct route *
routes_table(size_t *count)
{
	*count = HERD_ARRAY_LEN(ROUTES);
	return ROUTES;
}
