/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node at a glance: /v1/node, /v1/status, health. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin_room.h"
#include "admin/route.h"
#include "admin/table_stats.h"
#include "admin/process.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "herd/version.h"
#include "node/limits.h"
#include "net/links.h"
#include "net/workers.h"
#include "run.h"
#include "store/store.h"

/* --- the node --------------------------------------------------------- */

static void
add_addresses(struct http_call *call, struct json *json)
{
	const struct node *node = call->node;
	const struct address *own = admin_address(call->admin, false);
	const struct address *second = admin_address(call->admin, true);
	cJSON *object = json_object(json, json->root, "addresses");

	row_address(json, object, "clients", workers_address(node->workers));
	row_address(json, object, "peers", links_address(node->links));
	row_address(
	    json, object, "admin", own->kind != ADDRESS_NONE ? own : second);
	if (own->kind != ADDRESS_NONE && second->kind != ADDRESS_NONE)
		row_address(json, object, "admin_listen", second);
}

static void
add_node(struct http_call *call, struct json *json)
{
	struct node *node = call->node;
	struct workers_counts counts;
	char now[TIME_FORMAT_MAX];

	workers_count(node->workers, &counts);
	json_string(json, json->root, "node", node->name);
	json_string(json, json->root, "herd", node->herd);
	json_string(json, json->root, "version", HERD_VERSION);
	json_count(json, json->root, "pid", (uint64_t)getpid());
	json_string(json, json->root, "state", node_state_word(node));
	json_bool(json, json->root, "isolated", node_is_isolated(node));
	json_seconds(json, json->root, "uptime_s",
	    mono_since(clock_mono(), node->started));
	json_count(json, json->root, "workers", workers_number(node->workers));
	add_addresses(call, json);
	json_count(json, json->root, "connections", counts.connections);
	json_span(json, json->root, "time",
	    span_of(now, time_format(clock_wall().ns, now)));
}

static void
add_memory(struct http_call *call, struct json *json)
{
	struct process_facts facts;
	struct table_counts counts;

	process_ask(&facts);
	table_count(call->node->table, &counts);
	json_count(json, json->root, "rss_bytes", facts.rss_bytes);
	json_count(json, json->root, "table_bytes", counts.bytes);
}

/* The limits for clients, and how far they are used. */
static void
add_bounds(struct http_call *call, struct json *json)
{
	struct node_limits *limits = &call->node->limits;
	cJSON *object = json_object(json, json->root, "bounds");
	struct process_facts process;
	struct workers_counts counts;

	process_ask(&process);
	workers_count(call->node->workers, &counts);
	json_count(json, object, "table_bytes", table_bytes(call->node->table));
	json_count(json, object, "table_bytes_max", limits_table_bytes(limits));
	json_count(json, object, "connections", counts.connections);
	json_count(json, object, "connections_max",
	    atomic_load(&limits->max_connections));
	json_count(json, object, "open_files", process.open_files);
	json_count(json, object, "open_files_max", process.max_files);
}

static void
serve_node(struct http_call *call)
{
	struct json json;

	json_init(&json);
	json_string(&json, json.root, "schema", "herd.node/1");
	add_node(call, &json);
	add_memory(call, &json);
	http_call_json(call, &json);
}

const struct route route_node = {
	.method = ROUTE_GET,
	.path = "/v1/node",
	.access = ROUTE_READ,
	.serve = serve_node,
	.help = "name, version, state, addresses, memory",
};

/* --- the parts of status ---------------------------------------------- */

static void
add_config(struct http_call *call, struct json *json)
{
	const struct node *node = call->node;
	uint64_t now = clock_wall().ns;
	uint64_t loaded = node->file_loaded.ns;
	cJSON *object = json_object(json, json->root, "config");
	struct stat st;

	json_string(json, object, "path", node->file_path);
	json_seconds(
	    json, object, "loaded_ago_s", now > loaded ? now - loaded : 0);
	/* The file is gone, or newer than the running configuration. */
	json_bool(json, object, "changed_on_disk",
	    stat(node->file_path, &st) != 0 ||
		(uint64_t)st.st_mtim.tv_sec * HERD_NS_PER_S +
			(uint64_t)st.st_mtim.tv_nsec >
		    loaded);
}

/* Whether the clock is trusted, and how it was set. */
static void
add_clock(struct http_call *call, struct json *json)
{
	const struct timekeeper *keeper = &call->node->timekeeper;
	cJSON *object = json_object(json, json->root, "clock");
	struct mono stepped = { atomic_load(&keeper->stepped) };

	json_string(json, object, "state",
	    timekeeper_state_word(atomic_load(&keeper->state)));
	json_double(json, object, "ahead_ms",
	    (double)(atomic_load(&keeper->ahead_ns) / (int64_t)HERD_NS_PER_MS));
	json_count(json, object, "steps", atomic_load(&keeper->steps));
	if (stepped.ns == 0) {
		json_null(json, object, "step_ms");
		json_null(json, object, "step_ago_s");
		return;
	}
	json_double(json, object, "step_ms",
	    (double)(atomic_load(&keeper->step_ns) / (int64_t)HERD_NS_PER_MS));
	json_seconds(
	    json, object, "step_ago_s", mono_since(clock_mono(), stepped));
}

/* A twin that was refused tries again every 30 s. */
#define TWIN_RECENT_NS (120u * HERD_NS_PER_S)

static void
add_down_peer(struct json *json, cJSON *list, const struct link_status *link,
    struct mono now)
{
	cJSON *row = json_object(json, list, NULL);

	json_string(json, row, "peer", link->peer);
	json_string(json, row, "state", link_state_word(link->state));
	json_seconds(json, row, "since_s", mono_since(now, link->since));
	if (link->error[0] == '\0')
		json_null(json, row, "last_error");
	else
		json_string(json, row, "last_error", link->error);
	if (link->retry_at.ns == 0)
		json_null(json, row, "retry_in_s");
	else
		json_seconds(
		    json, row, "retry_in_s", mono_since(link->retry_at, now));
}

/* How many links there are, how many work, and how much they owe. */
static void
add_link_sums(struct json *json, cJSON *object, const struct link_status *links,
    unsigned count)
{
	unsigned synced = 0;
	unsigned up = 0;
	uint64_t owed = 0;
	uint64_t lag_ns = 0;

	for (unsigned i = 0; i < count; i++) {
		synced += links[i].state == LINK_SYNCED;
		owed += links[i].owed;
		if (!link_is_up(&links[i]))
			continue;
		up++;
		if (links[i].lag_ns > lag_ns)
			lag_ns = links[i].lag_ns;
	}
	json_count(json, object, "total", count);
	json_count(json, object, "synced", synced);
	json_count(json, object, "owed", owed);
	if (up > 0)
		json_ms(json, object, "lag_ms", lag_ns);
	else
		json_null(json, object, "lag_ms");
}

static void
add_peers(struct http_call *call, struct json *json)
{
	struct link_status *links = malloc(LINKS_MAX * sizeof(*links));
	cJSON *object = json_object(json, json->root, "peers");
	struct mono now = clock_mono();
	cJSON *down;
	cJSON *twins;
	unsigned count;

	if (links == NULL) {
		json->failed = true;
		return;
	}
	count = links_status(call->node->links, links);
	add_link_sums(json, object, links, count);
	down = json_array(json, object, "down");
	twins = json_array(json, object, "twins");
	for (unsigned i = 0; i < count; i++) {
		if (links[i].twin_at.ns != 0 &&
		    mono_since(now, links[i].twin_at) < TWIN_RECENT_NS)
			json_string(json, twins, NULL, links[i].peer);
		if (links[i].state != LINK_SYNCED)
			add_down_peer(json, down, &links[i], now);
	}
	free(links);
}

static void
add_report_age(struct http_call *call, struct json *json, cJSON *row,
    const char *key, bool known, uint64_t at)
{
	uint64_t now =
	    timekeeper_wall(&call->node->timekeeper, clock_mono()).ns;

	if (!known)
		json_null(json, row, key);
	else if (now >= at)
		json_seconds(json, row, key, now - at);
	else /* a client's clock is ahead of this one */
		json_double(json, row, key, -(double)(at - now) / 1e9);
}

/* Records whose origin is no node of the herd file; null: not counted yet. */
static void
add_strange(
    struct json *json, cJSON *object, const struct table_stats_facts *facts)
{
	cJSON *names = json_array(json, object, "strange_origins");

	if (!facts->strange_known) {
		json_null(json, object, "strange");
		return;
	}
	json_count(json, object, "strange", facts->strange.records);
	for (unsigned i = 0; i < facts->strange.count; i++)
		json_string(json, names, NULL, facts->strange.names[i]);
}

static void
add_clients(struct http_call *call, struct json *json)
{
	cJSON *object = json_object(json, json->root, "clients");
	struct table_stats_facts facts;
	struct table_counts counts;

	table_stats_ask(call->admin->stats, &facts);
	table_count(call->node->table, &counts);
	json_count(json, object, "count", counts.records - counts.removals);
	json_count(json, object, "removals", counts.removals);
	json_count(json, object, "max", call->node->boot.settings.max_clients);
	if (facts.counted)
		json_count(json, object, "ahead", facts.ahead);
	else
		json_null(json, object, "ahead");
	json_double(json, object, "reported_per_s",
	    (double)(uint64_t)(facts.reported_per_s * 100 + 0.5) / 100);
	add_report_age(
	    call, json, object, "newest_s", facts.known, facts.newest_ns);
	add_report_age(
	    call, json, object, "oldest_s", facts.known, facts.oldest_ns);
	add_strange(json, object, &facts);
}

static void
add_requests(struct http_call *call, struct json *json)
{
	cJSON *object = json_object(json, json->root, "requests");
	struct workers_counts counts;

	workers_count(call->node->workers, &counts);
	json_count(json, object, "iamat", counts.iamat);
	json_count(json, object, "whatsat", counts.whatsat);
	json_count(json, object, "invalid", counts.invalid);
}

/* The part of the chain's report that fits one line of `status`. */
static void
add_places(struct http_call *call, struct json *json)
{
	static const char *const KEYS[] = { "provider", "state", "answered",
		"failed", "p50_ms", "p99_ms" };
	cJSON *object = json_object(json, json->root, "places");
	cJSON *whole = NULL;
	struct buf text;

	buf_init(&text, ADMIN_BODY_MAX);
	if (call->node->places != NULL &&
	    places_status_json(call->node->places, &text) == HERD_OK)
		whole = cJSON_ParseWithLength(buf_span(&text).data, text.len);
	buf_release(&text);
	for (size_t i = 0; i < HERD_ARRAY_LEN(KEYS); i++) {
		cJSON *item =
		    cJSON_DetachItemFromObjectCaseSensitive(whole, KEYS[i]);

		if (item != NULL && object != NULL)
			(void)cJSON_AddItemToObject(object, KEYS[i], item);
		else if (i == 0)
			json_string(json, object, KEYS[i], "none");
		else if (i == 1)
			json_string(json, object, KEYS[i], "off");
		else
			json_null(json, object, KEYS[i]);
	}
	cJSON_Delete(whole);
}

static void
add_store(struct http_call *call, struct json *json)
{
	cJSON *object = json_object(json, json->root, "store");
	struct store_status status = { .engine = "none" };
	bool open = call->node->store != NULL;
	bool failed;

	if (open)
		store_status(call->node->store, &status);
	failed = status.state == STORE_FAILED;
	json_string(json, object, "engine", status.engine);
	json_string(json, object, "durability", status.sync ? "sync" : "async");
	json_string(json, object, "state",
	    !open    ? "off"
	    : failed ? "failed"
		     : "ok");
	json_count(json, object, "lag", status.lag);
	if (open)
		json_count(json, object, "damaged", status.damaged);
	if (status.commits == 0)
		json_null(json, object, "last_commit_ms");
	else
		json_ms(json, object, "last_commit_ms", status.commit_ns);
	if (status.error[0] == '\0')
		json_null(json, object, "error");
	else
		json_string(json, object, "error", status.error);
}

static void
serve_status(struct http_call *call)
{
	struct json json;

	json_init(&json);
	json_string(&json, json.root, "schema", "herd.status/1");
	add_node(call, &json);
	add_memory(call, &json);
	add_config(call, &json);
	add_clock(call, &json);
	add_peers(call, &json);
	add_clients(call, &json);
	add_requests(call, &json);
	add_bounds(call, &json);
	add_places(call, &json);
	add_store(call, &json);
	http_call_json(call, &json);
}

const struct route route_status = {
	.method = ROUTE_GET,
	.path = "/v1/status",
	.access = ROUTE_READ,
	.serve = serve_status,
	.help = "the node at a glance",
};

/* --- health ----------------------------------------------------------- */

static void
serve_healthz(struct http_call *call)
{
	http_call_text(
	    call, 200, "text/plain; charset=utf-8", span_from("ok\n"));
}

const struct route route_healthz = {
	.method = ROUTE_GET,
	.path = "/healthz",
	.access = ROUTE_OPEN,
	.serve = serve_healthz,
	.help = "200 while the process serves",
};

const struct route route_healthz_head = {
	.method = ROUTE_HEAD,
	.path = "/healthz",
	.access = ROUTE_OPEN,
	.serve = serve_healthz,
	.help = "the same without the text",
};

static void
serve_readyz(struct http_call *call)
{
	char text[32];

	snprintf(text, sizeof(text), "%s\n", node_state_word(call->node));
	http_call_text(call, node_is_ready(call->node) ? 200 : 503,
	    "text/plain; charset=utf-8", span_from(text));
}

const struct route route_readyz = {
	.method = ROUTE_GET,
	.path = "/readyz",
	.access = ROUTE_OPEN,
	.serve = serve_readyz,
	.help = "200 when the node is ready for clients, else 503",
};

const struct route route_readyz_head = {
	.method = ROUTE_HEAD,
	.path = "/readyz",
	.access = ROUTE_OPEN,
	.serve = serve_readyz,
	.help = "the same without the text",
};
